"""Socket Mode: a WebSocket that we open to Slack, over which button presses come in; no public address is needed.

Why not the SDK's own client (3.47): a read that times out within a frame loses its place in the stream, a peer that
hangs up leaves its thread spinning, and a connection that was dead from the start is never noticed.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from urllib.parse import urlsplit

from pydantic import SecretStr
from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from notifiers.addresses import is_https_or_loopback
from notifiers.errors import Ambiguous, NotSent
from notifiers.slack.answers import call, post
from notifiers.slack.message import escaped

PING = timedelta(seconds=8)
"""A pong that is this late ends the connection, so a half-open one lives for twice as long at most."""
OPEN_S, CLOSE_S, ANSWER_S = 10.0, 1.0, 5.0
_SILENT = logging.getLogger("notifiers.slack.socket")
_SILENT.setLevel(logging.CRITICAL)  # what these libraries log holds the address, which is a ticket


@dataclass(frozen=True)
class Line:
    """An open connection. Messages are Slack's JSON objects: ``hello``, ``interactive``, ``disconnect``, …"""

    _socket: ClientConnection

    def receive(self, timeout_s: float) -> Mapping[str, object] | None:
        """The next message; None = none within ``timeout_s``. Raises NotSent where the connection has ended."""
        try:
            text = self._socket.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            reason = str(closed.rcvd or closed.sent or "no close frame")
        else:
            return _parsed(text)
        raise NotSent(f"slack's connection for buttons ended: {reason[:120]}")

    def acknowledge(self, envelope_id: str) -> None:
        """Tells Slack, which waits three seconds for it, that the envelope arrived. Raises NotSent."""
        try:
            self._socket.send(json.dumps({"envelope_id": envelope_id}))
            return
        except (ConnectionClosed, OSError) as closed:
            reason = type(closed).__name__
        raise NotSent(f"slack's connection for buttons ended: {reason}")

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True)
class SocketMode:
    """Opens lines. ``base_url`` is Slack's API."""

    app_token: SecretStr
    base_url: str = "https://slack.com/api/"
    ping: timedelta = PING

    def open(self) -> Line:
        """A line over a fresh address: each is good for one connection. Raises BadCredential, DeliveryError."""
        address = call(self._client, "apps.connections.open", {}).get("url")
        if not isinstance(address, str) or not _is_safe(address):
            raise Ambiguous("apps.connections.open named no safe address")
        ping_s = self.ping.total_seconds()
        is_local = urlsplit(address).scheme == "ws"
        try:
            socket = connect(
                address,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=ping_s,
                ping_timeout=ping_s,
                logger=_SILENT,
                proxy=None if is_local else True,
                legacy=True,
            )
            return Line(socket)
        except (OSError, WebSocketException, ValueError, EOFError) as error:
            # The address is a ticket: neither it nor an error that holds it goes further.
            reason = type(error).__name__
        raise NotSent(f"slack's connection for buttons could not be opened: {reason}")

    @cached_property
    def _client(self) -> WebClient:
        return WebClient(
            token=self.app_token.get_secret_value(),
            base_url=self.base_url,
            timeout=int(OPEN_S),
            retry_handlers=[],
            logger=_SILENT,
        )


def tell(response_url: str, text: str) -> None:
    """An answer that only the person who pressed sees. Raises DeliveryError."""
    if not is_https_or_loopback(response_url):
        raise NotSent("there is no address to answer to")
    said = {"type": "section", "text": {"type": "plain_text", "text": text[:2_900] or "done"}}
    body = {"response_type": "ephemeral", "replace_original": False, "text": escaped(text, 2_000), "blocks": [said]}
    encoded = json.dumps(body).encode()
    kind = "application/json; charset=utf-8"
    post(response_url, encoded, kind, timeout_s=ANSWER_S, failing="the answer to a button could not be posted")


def _parsed(text: str | bytes) -> Mapping[str, object]:
    try:
        message = json.loads(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    plain = parts._replace(scheme={"wss": "https", "ws": "http"}.get(parts.scheme, ""))
    return is_https_or_loopback(plain.geturl())
