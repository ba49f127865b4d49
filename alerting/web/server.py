"""The web server: pages about incidents, and whether the program is alive and ready."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from importlib.metadata import version

import uvicorn
from fastapi import FastAPI

from alerting.app import App
from alerting.telemetry import logger
from alerting.web import health, live, refusals, static_files
from alerting.web.api import API, PREFIX
from alerting.web.desk import Clock, Desk, utc_now
from alerting.web.door import Door
from alerting.web.gate import Gate
from alerting.web.origins import is_loopback, origins
from alerting.web.pages import PAGES, sign_in
from alerting.web.tokens import Tokens

_log = logger("web")


def create(
    app: App, *, listen: str | None = None, clock: Clock = utc_now, closing: threading.Event | None = None
) -> FastAPI:
    """Pages and API of an app. ``listen``: the address served (None: the setting). Raises BadTokens.

    ``closing``: once set, streams end, because a server that stops waits for its answers.
    """
    web = FastAPI(
        title="metricwatch",
        version=version("metricwatch"),
        openapi_url=refusals.DOCUMENT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    host = app.settings.listen_address[0] if listen is None else listen
    own = origins(host, app.settings.hosts, app.settings.public_url)
    door = Door(Tokens(app.settings.tokens_file), is_exposed=not is_loopback(host), clock=clock)
    web.add_middleware(Gate, origins=own, door=door)
    desk = Desk(app, clock, closing or threading.Event())
    web.include_router(health.routes(desk), include_in_schema=False)
    web.include_router(live.routes(desk), include_in_schema=False)
    web.include_router(sign_in.routes(door), include_in_schema=False)
    for routes in PAGES:
        web.include_router(routes(desk), include_in_schema=False)
    for routes in API:
        web.include_router(routes(desk), prefix=PREFIX)
    web.mount("/static", static_files.files())
    refusals.install(web)
    return web


@dataclass(frozen=True)
class Running:
    """A web server in a thread of its own."""

    host: str
    port: int
    server: uvicorn.Server
    thread: threading.Thread
    closing: threading.Event

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @property
    def is_alive(self) -> bool:
        return self.thread.is_alive()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Requests that are under way are answered, streams end, then the port is free."""
        self.closing.set()
        self.server.should_exit = True
        self.thread.join(timeout_s)


def serve(app: App, host: str, port: int, *, clock: Clock = utc_now) -> Running:
    """Listens at once and answers from a thread. Port 0 takes a free one. Raises BadTokens, and OSError where it
    cannot listen."""
    closing = threading.Event()
    web = create(app, listen=host, clock=clock, closing=closing)
    listener = _listener(host, port)
    settings = uvicorn.Config(
        web,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    running = Running(host, listener.getsockname()[1], server, thread, closing)
    _log.info("pages served", url=running.url)
    return running


def _listener(host: str, port: int) -> socket.socket:
    # Bound here and not by uvicorn: a port that is taken is then the caller's OSError, not an exit in a thread.
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.create_server(address[:2], family=family)
    # Connections inherit it. Without, an answer in two parts waits 40 ms for the reader to acknowledge the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
