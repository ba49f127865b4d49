"""What every request passes first: who may ask, how, and under which headers the answer goes out."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from alerting.web import desk, forms, health
from alerting.web.cookies import written
from alerting.web.door import Door, bearer
from alerting.web.origins import Origins
from alerting.web.pages.rendering import rendered
from alerting.web.refusals import API, refusal
from alerting.web.tokens import includes

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers hide the Origin of our own forms
}
METHODS = "GET, HEAD, POST"
SIGN_IN = "/sign-in"
STATIC = "/static/"
UNKNOWN_NAME = "add it to METRICWATCH_HOSTS, or set METRICWATCH_PUBLIC_URL"
NO_TOKENS = (
    "make one with `metricwatch token NAME SCOPE` and name its file in METRICWATCH_TOKENS_FILE, "
    "or set METRICWATCH_LISTEN=127.0.0.1:8050"
)


class Gate:
    """Only POST changes something, and only for somebody who may, from a page of ours or from a program.

    Health tells nothing and answers any prober.
    """

    def __init__(self, app: ASGIApp, *, origins: Origins, door: Door) -> None:
        self._app = app
        self._origins = origins
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)  # start and stop
            return
        request = Request(scope)
        known = forms.token_of(request)
        token = known or forms.new_token()
        # Pages read these: who asks, what every form of theirs must send back, and what a form of theirs said.
        scope.setdefault("state", {}).update(actor=None, form_token=token, form={})
        answer = await self._refusal(request)
        if answer is None and request.method == "POST":
            body = await forms.body_of(receive)
            receive = forms.replayed(body or b"", receive)
            answer = self._refused_body(request, body, known)
        new = "" if known or answer is not None else token
        await (answer or self._app)(scope, receive, _dressed(request, send, new))

    async def _refusal(self, request: Request) -> Response | None:
        path, method = path_of(request), request.method
        if method not in METHODS:
            return refusal(path, 405, f"{method} is not a way to ask here", headers={"Allow": METHODS})
        if path in health.PATHS:
            return None
        if not self._origins.knows(request.headers.get("host", "")):
            return refusal(path, 403, "this name is not known here", UNKNOWN_NAME)
        if self._door.is_shut:
            error = "this address can be reached from other machines, and there are no tokens yet"
            return refusal(path, 403, error, NO_TOKENS)
        if method == "POST" and self._origins.is_foreign(request):
            return refusal(path, 403, "another site asked for this", "do it on a page of this server")
        if _is_link_from_elsewhere(request):
            # Strict cookies are left out of such a request: our own page asks again, with them.
            return HTMLResponse(rendered("arrival.html", address=_address(request)))
        return await self._unwelcome(request)

    async def _unwelcome(self, request: Request) -> Response | None:
        path = path_of(request)
        needed = scope_needed(request.method, path)
        if needed is None and bearer(request) is None:
            request.state.actor = self._door.actor(request)
            return None
        if bearer(request) is not None and self._door.is_guessing(request):
            return refusal(path, 429, "too many wrong tokens", "try again in a moment", {"Retry-After": "1"})
        actor = self._door.actor(request)
        if actor is None:
            return await self._stranger(request)
        request.state.actor = actor
        if needed is not None and not includes(actor.scope, needed):
            error = f"this needs a token with the scope {needed}; that of {actor.name} has {actor.scope}"
            return refusal(path, 403, error, f"make one: metricwatch token NAME {needed}")
        return None

    async def _stranger(self, request: Request) -> Response:
        path = path_of(request)
        if bearer(request) is not None:
            await self._door.refuse(request)
            return refusal(path, 403, "this token is not known here", "make one: metricwatch token NAME SCOPE")
        if path.startswith(API) or request.method == "POST" or "hx-request" in request.headers:
            there = {"HX-Redirect": SIGN_IN} if "hx-request" in request.headers else None
            return refusal(path, 403, "a token is needed", "send it as Authorization: Bearer, or sign in", there)
        return RedirectResponse(f"{SIGN_IN}?next={quote(_address(request), safe='')}", 303)

    def _refused_body(self, request: Request, body: bytes | None, known: str) -> Response | None:
        path = path_of(request)
        if body is None:
            return refusal(path, 413, "this is too long", f"send at most {forms.LONGEST_BYTES:,} bytes")
        said = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
        if path.startswith(API):
            error, remedy = "the body is no JSON", "send it with Content-Type: application/json"
            return None if said == "application/json" else refusal(path, 415, error, remedy)
        if said == "application/x-www-form-urlencoded":
            request.state.form = forms.fields(body)
        if forms.is_ours(request.state.form, known):
            return None
        return refusal(path, 403, "this form is too old, or not from a page of this server", "open the page again")


def scope_needed(method: str, path: str) -> desk.Scope | None:
    """What a token must allow for a request; None: nobody needs one."""
    if path.startswith(STATIC) or path in (SIGN_IN, "/sign-out"):
        return None
    if method != "POST":
        return "read"
    return "admin" if path.startswith("/api/v1/deliveries") else "operate"


def path_of(request: Request) -> str:
    """What the routes are matched with. That of ``request.url`` is made from the ``Host`` header too, which may lie."""
    path: str = request.scope["path"]
    return path


def _dressed(request: Request, send: Send, new_token: str) -> Send:
    """Every answer carries the headers, and a page the cookie of its forms where the reader has none."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
            if new_token and headers.get("content-type", "").startswith("text/html"):
                headers.append("Set-Cookie", written(request, forms.COOKIE, new_token))
        await send(message)

    return dressed


def _is_link_from_elsewhere(request: Request) -> bool:
    said = request.headers
    is_page = request.method == "GET" and said.get("sec-fetch-dest") == "document"
    return is_page and said.get("sec-fetch-site") in ("cross-site", "same-site")


def _address(request: Request) -> str:
    query = request.scope["query_string"].decode("ascii", "ignore")
    return quote(path_of(request), safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
