"""How a request is refused: a page for people, JSON for programs, both with what to do about it."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from alerting.app.actions import UnknownTarget
from alerting.app.reading import NotFound
from alerting.app.reading_chart import BadSpan
from alerting.core.panels import PanelError
from alerting.core.silences import BadSilence
from alerting.store import StoreError
from alerting.telemetry import logger
from alerting.web.pages.rendering import error_page

API = "/api/"
DOCUMENT = "/api/v1/openapi.json"
_log = logger("web")


def install(web: FastAPI) -> None:
    """Every error that a route may raise has its answer."""
    web.add_exception_handler(HTTPException, refused)
    web.add_exception_handler(RequestValidationError, misunderstood)
    web.add_exception_handler(StoreError, store_failed)
    for missing in (NotFound, UnknownTarget):
        web.add_exception_handler(missing, not_found)
    for wrong in (BadSilence, BadSpan, PanelError):
        web.add_exception_handler(wrong, not_possible)


def refusal(path: str, status: int, error: str, remedy: str = "", headers: dict[str, str] | None = None) -> Response:
    """The answer to a request for ``path`` that is not done."""
    if path.startswith(API):
        return JSONResponse({"error": error, "remedy": remedy}, status, headers)
    return HTMLResponse(error_page(status, f"{error}: {remedy}" if remedy else error), status, headers)


def refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    path, status = request.url.path, exc.status_code
    remedy = f"see {DOCUMENT}" if path.startswith(API) and status in (404, 405) else ""
    return refusal(path, status, str(exc.detail), remedy, dict(exc.headers or {}))


def not_found(request: Request, exc: Exception) -> Response:
    return refusal(request.url.path, 404, str(exc))


def not_possible(request: Request, exc: Exception) -> Response:
    return refusal(request.url.path, 400, str(exc))


def misunderstood(request: Request, exc: Exception) -> Response:
    """What was sent does not fit the OpenAPI document. The values themselves are not repeated: they may be secrets."""
    assert isinstance(exc, RequestValidationError)
    found = [f"{'.'.join(map(str, one['loc'][1:])) or 'body'}: {one['msg']}" for one in exc.errors()]
    return refusal(request.url.path, 422, "; ".join(found), f"see {DOCUMENT}")


def store_failed(request: Request, exc: Exception) -> Response:
    # What the database said may hold an address or a statement: it is for the log, not for the answer.
    _log.error("not answered", path=request.url.path, reason=str(exc))
    return refusal(request.url.path, 503, "the state database does not answer", "try again in a moment")
