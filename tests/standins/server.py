"""What stand-ins share: a real HTTP server on loopback, faults on demand, and a record of every request."""

from __future__ import annotations

import json
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self
from urllib.parse import urlsplit

from tests.canaries import WATCH

FaultKind = Literal["drop", "reset", "delay", "status", "html", "truncated", "error"]
MAX_BODY = 10_000_000


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next ``times`` requests to ``method`` (``*``: any).

    ``drop`` answers nothing and hangs up · ``reset`` hangs up with RST · ``delay`` answers after ``seconds`` ·
    ``status`` answers ``status`` with ``retry_after`` and ``body`` · ``html`` answers 200 with a page ·
    ``truncated`` promises more JSON than it sends · ``error`` answers ``ok: false`` with ``code`` (Slack).
    ``after_effect`` True = the request takes effect first, and only its answer is lost.
    """

    method: str
    kind: FaultKind
    times: int = 1
    after_effect: bool = False
    seconds: float = 0.0
    status: int = 503
    retry_after: str | None = None
    code: str = "fatal_error"
    body: str = ""


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One HTTP request. ``fault`` is what was done to it, ``status`` what it was answered (0: nothing)."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0
    fault: str = ""


def as_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    content = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Answer(status, json.dumps(value).encode(), content)


class StandIn(ABC):
    """Starts on a free port of 127.0.0.1; used as a context manager it is gone afterwards.

    ``unexpected`` is what no well-behaved client would have done; tests assert that it is empty.
    """

    address_is_secret = False
    """True where whoever knows the address may write to it: it is no leak that the address was asked."""

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.RLock()
        self.requests: list[Call] = []
        self.unexpected: list[str] = []
        self._faults: deque[Fault] = deque()
        self._released = threading.Event()
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def up(self) -> None:
        """Listens (again, on the same port after ``down``)."""
        self._released.clear()
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def down(self) -> None:
        """Stops listening: connections are refused. What was received stays."""
        if self._server is None or self._thread is None:
            return
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()
        self._server = None

    def fail(self, method: str, kind: FaultKind, **details: object) -> None:
        """Arranges a fault (see Fault); faults of one method happen in the order arranged."""
        arranged = Fault(**{"method": method, "kind": kind, **details})  # type: ignore[arg-type]  # as JSON brings them
        with self.lock:
            self._faults.append(arranged)

    def release(self) -> None:
        """Ends all delays at once."""
        self._released.set()

    def calls(self, method: str) -> list[Call]:
        """The requests to one method, in order, refused ones too."""
        return [call for call in self.requests if self.method_of(call.path) == method]

    def clear(self) -> None:
        """Forgets requests, faults and what was unexpected; the service's own state stays."""
        with self.lock:
            self.requests.clear()
            self.unexpected.clear()
            self._faults.clear()

    def method_of(self, path: str) -> str:
        return urlsplit(path).path

    @abstractmethod
    def respond(self, call: Call) -> Answer:
        """The service itself; called one request at a time."""

    def state(self) -> object:
        """What ``GET /control/state`` shows besides requests and ``unexpected``."""
        return {}

    def fault_answer(self, fault: Fault) -> Answer:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        if fault.kind == "status":
            return Answer(fault.status, fault.body.encode(), {"Content-Type": "text/plain", **headers})
        if fault.kind == "error":
            return as_json({"ok": False, "error": fault.code}, headers=headers)
        page = b"<!DOCTYPE html><html><body>maintenance</body></html>"
        return Answer(200, page, {"Content-Type": "text/html; charset=utf-8"})

    def control(self, call: Call) -> Answer:
        """``POST /control/faults | clear | release`` and ``GET /control/state``, for tests in another process."""
        action = urlsplit(call.path).path.removeprefix("/control/")
        if (call.verb, action) == ("GET", "state"):
            requests = [{"verb": one.verb, "path": one.path, "status": one.status} for one in self.requests]
            return as_json({"requests": requests, "unexpected": self.unexpected, "state": self.state()})
        if (call.verb, action) == ("POST", "faults"):
            arranged = json.loads(call.body)
            self.fail(arranged.pop("method"), arranged.pop("kind"), **arranged)
            return as_json({"faults": [asdict(fault) for fault in self._faults]})
        if call.verb == "POST" and action in ("clear", "release"):
            getattr(self, action)()
            return as_json({})
        return as_json({"error": f"no control {call.verb} {action}"}, 404)

    def handle(self, call: Call) -> tuple[Answer | None, Fault | None]:
        """The answer (None: hang up), and the fault that made it so."""
        with self.lock:
            fault = self._next_fault(self.method_of(call.path))
        if fault and fault.kind == "delay":
            with self.lock:
                answer = self.respond(call) if fault.after_effect else None
            self._released.wait(fault.seconds)
            with self.lock:
                answer = answer or self.respond(call)
                self._record(call, answer.status, fault)
            return answer, fault
        with self.lock:
            answer = self.respond(call) if fault is None or fault.after_effect or fault.kind == "truncated" else None
            if fault is None and answer:
                self._record(call, answer.status, None)
                return answer, None
            if fault and fault.kind in ("status", "html", "error"):
                answer = self.fault_answer(fault)
            self._record(call, answer.status if answer else 0, fault)
            return (answer if fault and fault.kind not in ("drop", "reset") else None), fault

    def _record(self, call: Call, status: int, fault: Fault | None) -> None:
        seen = Call(call.verb, call.path, call.headers, call.body, status, fault.kind if fault else "")
        self.requests.append(seen)
        self.unexpected += WATCH.payload(call, address_is_secret=self.address_is_secret)

    def _next_fault(self, method: str) -> Fault | None:
        for place, fault in enumerate(self._faults):
            if fault.method in ("*", method):
                del self._faults[place]
                if fault.times > 1:
                    again = Fault(**{**asdict(fault), "times": fault.times - 1})
                    self._faults.insert(place, again)
                return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self._open: set[socket.socket] = set()
        super().__init__(address, _Exchange)

    def process_request(self, request: object, client_address: object) -> None:
        if isinstance(request, socket.socket):
            self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]  # as the base class hands it over

    def shutdown_request(self, request: object) -> None:
        if isinstance(request, socket.socket):
            self._open.discard(request)
        super().shutdown_request(request)  # type: ignore[arg-type]  # as above

    def hang_up(self) -> None:
        """Ends connections that were kept alive: a service that is gone answers nobody."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about: no traceback on stderr."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._exchange("GET")

    def do_POST(self) -> None:
        self._exchange("POST")

    def do_PUT(self) -> None:
        self._exchange("PUT")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _exchange(self, verb: str) -> None:
        stand_in = self.server.stand_in
        length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
        body = self.rfile.read(length)
        if len(body) < length:  # the client died while it was sending: no service takes half a request
            self._hang_up(with_reset=False)
            return
        call = Call(verb, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        if self.path.startswith("/control/"):
            with stand_in.lock:
                self._send(stand_in.control(call), None)
            return
        answer, fault = stand_in.handle(call)
        if answer is None:
            self._hang_up(with_reset=fault is not None and fault.kind == "reset")
        else:
            self._send(answer, fault)

    def _send(self, answer: Answer, fault: Fault | None) -> None:
        is_cut = fault is not None and fault.kind == "truncated"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if is_cut else answer.body)
        if is_cut:
            self._hang_up(with_reset=False)

    def _hang_up(self, *, with_reset: bool) -> None:
        if with_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.flush()
        self.connection.close() if with_reset else self.connection.shutdown(socket.SHUT_RDWR)


def serve(stand_in: StandIn, announced: str) -> None:
    """Runs until the process is told to stop; for ``python -m tests.standins.…``."""
    with stand_in:
        print(f"{announced} (control: {stand_in.origin}/control/state)", flush=True)  # noqa: T201 (a command)
        threading.Event().wait()
