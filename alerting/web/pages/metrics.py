"""Metrics: the list, and the page of one with its charts, why a point was judged so, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from alerting.app import reading, reading_metrics
from alerting.app.reading_metric import MetricPage, metric_page
from alerting.app.reading_parts import parts
from alerting.core.panels import PanelError
from alerting.web.desk import READ, Desk
from alerting.web.pages.component_rows import rows
from alerting.web.pages.drawing import line
from alerting.web.pages.metric_view import SPANS, Asked, View
from alerting.web.pages.rendering import page, web_address
from detectors.buckets import as_datetime

MOST_LISTED = 300
MOST_MULTIPLES = 12
POINTS, SMALL_POINTS = 800, 160
Text = Annotated[str, Query(max_length=200)]


def routes(desk: Desk) -> APIRouter:
    router, app = APIRouter(), desk.app

    @router.api_route("/metrics", methods=READ)
    def metrics(request: Request, text: Text = "") -> Response:
        now = desk.clock()
        found = reading_metrics.metrics(app, now, text)
        lines = [(one, line(one.spark, 120, 28)) for one in found[:MOST_LISTED]]
        return page(request, "metrics.html", lines=lines, among=len(found), text=text, now=now)

    @router.api_route("/metrics/{name}", methods=READ)
    def metric(request: Request, name: str, view: Asked, text: Text = "") -> Response:
        now = desk.clock()
        found = metric_page(app, name, now, view.labels)
        return page(request, "metric.html", status=200, **facts_of(found, view, text), now=now)

    @router.api_route("/metrics/{name}/why", methods=READ)
    def why(request: Request, name: str, view: Asked, at: datetime) -> Response:
        moment = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(reading.timezone_of(app, name)))
        return _answered(
            request,
            "metric_why.html",
            {"name": name, "back": view.page(name), "why": ()},
            lambda: {"why": reading.why_point(app, name, view.labels or {}, moment)},
        )

    @router.api_route("/metrics/{name}/parts", methods=READ)
    def components(request: Request, name: str, view: Asked) -> Response:
        nothing = {"name": name, "back": view.page(name), "found": None, "rows": (), "span": None}
        return _answered(request, "metric_parts.html", nothing, lambda: _taken_apart(desk, name, view))

    return router


def facts_of(found: MetricPage, asked: View, text: str = "") -> dict[str, object]:
    """What the page of a metric shows; ``text`` filters the series beside the one drawn large."""
    name, view = found.metric.name, replace(asked, labels=found.chosen).settled(found.width)
    shown = [one for one in found.series if text.casefold() in _words(one.labels).casefold()]
    reach = (found.first, found.end)
    return {
        "found": found,
        "name": name,
        "line": found.line,
        "text": text,
        "view": view,
        "address": view.page(name),
        "chart": view.chart(name, found.chosen, *reach, POINTS) if found.chosen is not None else None,
        "chosen": _words(found.chosen or {}),
        "spans": [(span, view.spanning(span).page(name), span == view.span) for span in SPANS],
        "multiples": [
            (
                one,
                _words(one.labels),
                replace(view, labels=one.labels).page(name),
                view.chart(name, one.labels, *reach, SMALL_POINTS),
            )
            for one in shown[:MOST_MULTIPLES]
        ],
        "matching": len(shown),
        "series": view.fields("since", "until", "span", "band"),
        "last": _field(found),
        "kept": view.fields("band"),
        "kept_with_band": view.fields(),
        "parts_address": view.page(name, "/parts"),
        "runbooks": {one.name: web_address(one.runbook) for one in found.subscriptions},
    }


def _field(found: MetricPage) -> str:
    """The newest bucket as a field for date and time holds it."""
    newest = found.end - found.width if found.end else None
    return f"{newest.astimezone(ZoneInfo(found.line.timezone)):%Y-%m-%dT%H:%M}" if newest else ""


def _taken_apart(desk: Desk, name: str, view: View) -> Mapping[str, object]:
    reach = metric_page(desk.app, name, desk.clock(), view.labels)
    since, until = view.settled(reach.width).edges(reach.end)
    found = parts(desk.app, name, reach.chosen, since, until)
    return {"found": found, "rows": rows(found), "span": (as_datetime(found.times[0]), as_datetime(found.times[-1]))}


def _words(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels.items()) or "total"


def _answered(
    request: Request, template: str, nothing: Mapping[str, object], find: Callable[[], Mapping[str, object]]
) -> Response:
    """A page of its own, or where htmx asks for it only its content: there a reason is text, not an error page."""
    is_fragment = request.headers.get("HX-Request") == "true"
    values = {**nothing, "problem": "", "is_fragment": is_fragment}
    try:
        values |= find()
    except (reading.NotFound, PanelError) as exc:
        if not is_fragment:
            raise
        values["problem"] = str(exc)
    answer = page(request, template, status=200, **values)
    answer.headers["Vary"] = "HX-Request"
    return answer
