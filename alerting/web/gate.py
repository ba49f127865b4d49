"""What every request passes first: who may ask, how, and under which headers the answer goes out."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from alerting.web import health
from alerting.web.desk import Actor
from alerting.web.pages.rendering import error_page

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
EXPOSED = (
    "this address can be reached from other machines, and metricwatch has no tokens yet: "
    "set METRICWATCH_LISTEN=127.0.0.1:8050 and put a proxy that asks for a login in front of it"
)


class Gate:
    """Pages change nothing, so only GET and HEAD pass; names in ``Host`` must be known, because a foreign page could
    otherwise read ours through a name of its own that leads here. Health tells nothing and answers any prober."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], is_exposed: bool) -> None:
        self._app = app
        self._hosts = hosts
        self._is_exposed = is_exposed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)  # start and stop
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        # Pages read these: who asks, and what every form of theirs must send back.
        scope.setdefault("state", {}).update(actor=Actor("local", "admin"), form_token="")
        answer = self._refusal(Request(scope))
        await (answer or self._app)(scope, receive, dressed)

    def _refusal(self, request: Request) -> Response | None:
        if request.method not in ("GET", "HEAD"):
            page = error_page(405, f"{request.method} is not a way to ask here: pages only show")
            return HTMLResponse(page, 405, headers={"Allow": "GET, HEAD"})
        if request.url.path in health.PATHS:
            return None
        if not self._knows(request.headers.get("host", "")):
            reason = "this name is not known here: add it to METRICWATCH_HOSTS, or set METRICWATCH_PUBLIC_URL"
            return HTMLResponse(error_page(403, reason), 403)
        return HTMLResponse(error_page(403, EXPOSED), 403) if self._is_exposed else None

    def _knows(self, header: str) -> bool:
        name = host_name(header)
        return is_loopback(name) or name in self._hosts


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without its port.

    >>> host_name("Metrics.Example:8050"), host_name("[::1]:8050"), host_name("127.0.0.1")
    ('metrics.example', '::1', '127.0.0.1')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].casefold()
    return header.partition(":")[0].rstrip(".").casefold()


def is_loopback(name: str) -> bool:
    """True for names that only this machine answers to.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("0.0.0.0"), is_loopback("localhost.example")
    (True, True, False, False)
    """
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
