"""Addresses for whoever watches the watcher. They tell numbers and no names, and answer any prober."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from alerting.app.canary import ailment
from alerting.app.gauges import Gauge, gauges
from alerting.store import StoreError
from alerting.web.desk import READ, Desk

PATHS = ("/healthz", "/readyz", "/-/prometheus")
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

    @router.api_route("/-/prometheus", methods=READ)
    def prometheus() -> Response:
        try:
            found = gauges(app, desk.clock())
        except StoreError:
            return PlainTextResponse("the state database does not answer\n", status_code=503)
        return PlainTextResponse(exposition(found), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def exposition(found: Sequence[Gauge]) -> str:
    """The text that Prometheus reads.

    >>> print(exposition([Gauge("open_incidents", "Open.", 2, (("severity", "critical"),))]), end="")
    # HELP metricwatch_open_incidents Open.
    # TYPE metricwatch_open_incidents gauge
    metricwatch_open_incidents{severity="critical"} 2
    """
    lines: list[str] = []
    for name, several in groupby(found, key=lambda one: one.name):
        of_name = list(several)
        lines += [f"# HELP metricwatch_{name} {of_name[0].meaning}", f"# TYPE metricwatch_{name} gauge"]
        for one in of_name:
            labels = ",".join(f'{label}="{value}"' for label, value in one.labels)
            lines.append(f"metricwatch_{name}{f'{{{labels}}}' if labels else ''} {one.value:.15g}")
    return "\n".join(lines) + "\n"
