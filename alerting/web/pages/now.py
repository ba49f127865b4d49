"""Now: what is unusual, as a wall of charts, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from alerting.app.reading_now import Board, Card, Filters, Sketch, board
from alerting.web.desk import READ, Desk
from alerting.web.news import stamp
from alerting.web.pages.rendering import page, web_address

LARGE_POINTS, SMALL_POINTS = 600, 250
_Text = Annotated[str, Query(max_length=200)]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.api_route("/", methods=READ)
    def now(
        request: Request, team: _Text = "", tag: _Text = "", subscription: _Text = "", text: _Text = ""
    ) -> Response:
        moment = desk.clock()
        filters = Filters(team, tag, subscription, text.strip())
        known = stamp(desk)  # before the board is read: what changes meanwhile is seen once more, not missed
        found = board(desk.app, moment, filters)
        return page(
            request,
            "now.html",
            board=found,
            stamp=known,
            filters=filters,
            now=moment,
            runbook=lambda card: web_address(card.runbook),
            chart=chart_address,
            shows_more=shows_more,
            watched=watched,
            series=series_text,
            here=f"{request.url.path}?{request.url.query}".rstrip("?"),
        )

    return router


def chart_address(sketch: Sketch, is_small: bool) -> str:
    """Where the numbers of a chart are. It changes when there is a new bucket, and so the chart is drawn again."""
    span = [("since", f"{sketch.since:%Y-%m-%dT%H:%M:%SZ}"), ("until", f"{sketch.until:%Y-%m-%dT%H:%M:%SZ}")]
    judge = [("subscription", sketch.subscription), ("entry", sketch.entry)]
    points = [("points", str(SMALL_POINTS if is_small else LARGE_POINTS))]
    return f"/api/v1/metrics/{sketch.metric}/chart?{series_text(sketch.labels)}&{urlencode([*span, *judge, *points])}"


def series_text(labels: Mapping[str, str]) -> str:
    """The series in an address."""
    return urlencode([("series", f"{name}={value}") for name, value in labels.items()] or [("series", "total")])


def shows_more(card: Card) -> int:
    """How many incidents of the card are neither its headline nor listed below it."""
    return card.count - 1 - len(card.others)


def watched(found: Board) -> str:
    """Some of the metrics that are watched, by name."""
    more = found.watched - len(found.names)
    return ", ".join(found.names) + (f" and {more:,} more" if more > 0 else "")
