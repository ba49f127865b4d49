"""Sign-in with a token, once; a cookie proves it from then on."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from alerting.web import cookies
from alerting.web.desk import READ
from alerting.web.door import LASTS, SESSION, Door
from alerting.web.pages.rendering import page

UNKNOWN = "This token is not known here. A new one: metricwatch token NAME SCOPE, and its line into the tokens file."
TOO_MANY = "Too many wrong tokens came from your address. Try again in a moment."


def routes(door: Door) -> APIRouter:
    router = APIRouter()

    @router.api_route("/sign-in", methods=READ)
    async def form(request: Request) -> Response:
        there = destination(request.query_params.get("next", ""))
        if request.state.actor is not None:
            return RedirectResponse(there, 303)
        return page(request, "sign-in.html", next=there, error="")

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        there = destination(request.state.form.get("next", ""))
        if door.is_guessing(request):
            return _again(request, there, TOO_MANY, 429)
        found = door.sign_in(request.state.form.get("token", "").strip())
        if found is None:
            await door.refuse(request)
            return _again(request, there, UNKNOWN, 403)
        _, proof = found
        lasts_s = int(LASTS.total_seconds())
        return _to(there, cookies.written(request, SESSION, proof, lasts_s=lasts_s))

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        return _to("/sign-in", cookies.written(request, SESSION, "", lasts_s=0))

    return router


def destination(address: str) -> str:
    """The page to go to afterwards: only one of ours.

    >>> destination("/incidents?state=open"), destination("//evil.example"), destination("https://evil.example")
    ('/incidents?state=open', '/', '/')
    """
    is_ours = address.startswith("/") and not address.startswith("//")
    return address if is_ours and address.isascii() and address.isprintable() and "\\" not in address else "/"


def _to(address: str, cookie: str) -> Response:
    return RedirectResponse(address, 303, headers={"Set-Cookie": cookie})


def _again(request: Request, there: str, error: str, status: int) -> Response:
    answer = page(request, "sign-in.html", next=there, error=error)
    answer.status_code = status
    return answer
