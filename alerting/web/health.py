"""Two addresses for whoever watches the watcher. They tell nothing else and answer any prober."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from alerting.app.canary import ailment
from alerting.store import StoreError
from alerting.web.desk import READ, Desk

PATHS = ("/healthz", "/readyz")
PULSE_S = 30.0
"""A scheduler that has not beaten for longer is not alive."""


def routes(desk: Desk) -> APIRouter:
    router, app = APIRouter(), desk.app

    # Not a thread of the pool: it answers when every other request waits for a slow store.
    @router.api_route("/healthz", methods=READ)
    async def healthz() -> Response:
        age_s = app.pulse.age_s()
        is_alive = age_s <= PULSE_S
        text = "ok" if is_alive else f"the scheduler has not beaten for {age_s:.0f} s"
        return PlainTextResponse(text + "\n", status_code=200 if is_alive else 503)

    @router.api_route("/readyz", methods=READ)
    def readyz() -> Response:
        if app.loaded.errors and not app.config.queries:
            return PlainTextResponse("no configuration is loaded, see: metricwatch check\n", status_code=503)
        try:
            app.store.query_states()
            lost = ailment(app.bench(), desk.clock())
        except StoreError:
            return PlainTextResponse("the state database does not answer\n", status_code=503)
        return PlainTextResponse(f"{lost}\n", status_code=503) if lost else PlainTextResponse("ok\n")

    return router
