"""Slack's Socket Mode on loopback: presses go out over a WebSocket, and each must be acknowledged within 3 seconds."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.standins import websocket
from tests.standins.slack import Message, SlackStandIn

ACKNOWLEDGED_WITHIN_S = 3.0
ANN: Mapping[str, object] = {"id": "U0ANN", "username": "ann", "name": "ann", "team_id": "T0STANDIN"}


@dataclass
class Connection:
    """One WebSocket. ``is_deaf`` True = half-open: it takes bytes and answers nothing, not even a ping."""

    socket: socket.socket
    is_open: bool = True
    is_deaf: bool = False
    is_leaving: bool = False
    """True after Slack asked the client to leave: nothing more goes out on it."""
    writing: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Mapping[str, object]) -> None:
        with self.writing:
            websocket.write(self.socket, websocket.TEXT, json.dumps(message).encode())

    def hang_up(self) -> None:
        self.is_open = False
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class SocketModeStandIn:
    """Used as a context manager beside a Slack stand-in, whose ``apps.connections.open`` then leads here.

    ``press`` is what a person does; ``disconnect``, ``go_half_open`` and ``hang_up`` what Slack and networks do to the
    newest connection. ``slack.unexpected`` collects what no well-behaved client does.
    """

    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self.connections: list[Connection] = []
        self.acknowledged: dict[str, float] = {}
        """Envelope → seconds until it was acknowledged."""
        self.enterprise: str | None = None
        """Id of the Enterprise organisation (E…) that the workspace is part of."""
        self._tickets: set[str] = set()
        self._sent: dict[str, tuple[float, Connection]] = {}
        self._changed = threading.Condition()
        self._server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        self.slack.new_socket = self._address
        return self

    def __exit__(self, *_: object) -> None:
        self.slack.new_socket = None
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self.connections:
            connection.hang_up()
            connection.socket.close()

    @property
    def live(self) -> list[Connection]:
        """What Slack believes to be open, newest last; a half-open one is among them."""
        return [connection for connection in self.connections if connection.is_open and not connection.is_leaving]

    def press(
        self,
        message: Message,
        text: str,
        *,
        user: Mapping[str, object] = ANN,
        envelope_id: str | None = None,
        within_s: float = ACKNOWLEDGED_WITHIN_S,
    ) -> bool:
        """Presses the button that says ``text`` below a message; False = the person is shown a warning sign.

        ``envelope_id`` repeats an envelope, as Slack does when it is not sure that it arrived.
        """
        payload = self._payload(message, _button(message, text), user)
        return self.send("interactive", payload, envelope_id=envelope_id, within_s=within_s)

    def send(
        self,
        kind: str,
        payload: object,
        *,
        envelope_id: str | None = None,
        within_s: float = ACKNOWLEDGED_WITHIN_S,
    ) -> bool:
        """Sends an envelope over the newest connection; whether it was acknowledged in time."""
        envelope = envelope_id or secrets.token_hex(8)
        with self._changed:
            if not self.live:
                return False
            connection = self.live[-1]
            self._sent[envelope] = (time.monotonic(), connection)
            self.acknowledged.pop(envelope, None)
        connection.send({"type": kind, "envelope_id": envelope, "accepts_response_payload": False, "payload": payload})
        if self.wait(lambda: envelope in self.acknowledged, within_s):
            return True
        if not connection.is_deaf and connection.is_open:
            self.slack.unexpected.append(f"envelope {envelope} was not acknowledged within {within_s} s")
        return False

    def disconnect(self, reason: str = "warning") -> Connection:
        """Asks the newest client to leave, as Slack does every few hours; the connection is cut when it does not."""
        connection = self.live[-1]
        connection.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}})
        connection.is_leaving = True
        return connection

    def go_half_open(self) -> Connection:
        """The newest connection answers nothing any more and does not end: a router forgot it."""
        connection = self.live[-1]
        connection.is_deaf = True
        return connection

    def hang_up(self) -> None:
        self.live[-1].hang_up()

    def wait(self, is_so: Callable[[], bool], within_s: float = 10.0) -> bool:
        """Whether ``is_so`` becomes true in time; looked at whenever something arrives."""
        with self._changed:
            return self._changed.wait_for(is_so, within_s)

    def _address(self) -> str:
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._server.getsockname()[1]}/link/?ticket={ticket}&app_id=A0STANDIN"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Connection(connection),), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            ticket = websocket.shake_hands(connection.socket).partition("ticket=")[2].partition("&")[0]
            if ticket not in self._tickets:
                self.slack.unexpected.append("an address was used twice, or never given")
                return
            self._tickets.discard(ticket)
            connection.send({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0STANDIN"}})
            with self._changed:
                self.connections.append(connection)
                self._changed.notify_all()
            while True:
                self._hear(connection, *websocket.read(connection.socket))
        except websocket.Ended:
            pass
        finally:
            connection.hang_up()
            with self._changed:
                self._changed.notify_all()

    def _hear(self, connection: Connection, opcode: int, payload: bytes) -> None:
        if connection.is_deaf:
            return
        if opcode == websocket.PING:
            with connection.writing:
                websocket.write(connection.socket, websocket.PONG, payload)
        elif opcode == websocket.CLOSE:
            with connection.writing:
                websocket.write(connection.socket, websocket.CLOSE, payload)
            raise websocket.Ended("closed")
        elif opcode == websocket.TEXT:
            self._acknowledge(connection, json.loads(payload))

    def _acknowledge(self, connection: Connection, answer: Mapping[str, object]) -> None:
        envelope = str(answer.get("envelope_id"))
        with self._changed:
            at, sent_over = self._sent.get(envelope, (0.0, None))
            if sent_over is not connection or set(answer) != {"envelope_id"}:
                self.slack.unexpected.append(f"an answer to no envelope of this connection: {answer}")
                return
            self.acknowledged[envelope] = time.monotonic() - at
            self._changed.notify_all()

    def _payload(self, message: Message, button: Mapping[str, object], user: Mapping[str, object]) -> object:
        grid = self.enterprise is not None
        pressed = {name: button[name] for name in ("type", "action_id", "value", "text")}
        return {
            "type": "block_actions",
            "user": user,
            "api_app_id": "A0STANDIN",
            "team": {"id": "T0STANDIN", "domain": "stand-in", **({"enterprise_id": self.enterprise} if grid else {})},
            "enterprise": {"id": self.enterprise, "name": "Stand-in"} if grid else None,
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "channel": {"id": message.channel, "name": "growth"},
            "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": list(message.blocks)},
            "response_url": f"{self.slack.origin}/response/{secrets.token_hex(8)}",
            "actions": [{**pressed, "block_id": "b1", "action_ts": f"{time.time():.6f}"}],
        }


def _button(message: Message, text: str) -> Mapping[str, object]:
    """The button as the message shows it. Raises LookupError where there is none."""
    for block in message.blocks:
        elements = block.get("elements") if block["type"] == "actions" else None
        for element in elements if isinstance(elements, list) else []:
            if element["text"]["text"] == text:
                found: Mapping[str, object] = element
                return found
    raise LookupError(f"the message has no button {text!r}")
