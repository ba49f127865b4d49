"""One series as a chart draws it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator

from alerting.app import answers_chart, reading_chart
from alerting.app.reading_chart import FEWEST_POINTS, MOST_POINTS, USUAL_POINTS
from alerting.web.api.errors import refusals
from alerting.web.compression import compressed
from alerting.web.desk import Desk

Name = Annotated[str, Path(description="name of the metric", max_length=200)]
Series = Annotated[
    list[str] | None,
    Query(description="`dimension=value`, once for each dimension; `total` for the total; none: the first series"),
]


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Edge = Annotated[
    Annotated[datetime, AfterValidator(_aware)] | None,
    Query(description="ISO 8601 or seconds since 1970; without an offset it is in UTC"),
]
Points = Annotated[int, Query(ge=FEWEST_POINTS, le=MOST_POINTS, description="at most so many points")]
Judge = Annotated[str | None, Query(description="whose band; none: the one that covers the most", max_length=200)]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/metrics", tags=["metrics"])

    @router.get("/{name}/chart", responses=refusals(400, 404), response_model=answers_chart.Chart)
    def chart(
        request: Request,
        name: Name,
        series: Series = None,
        since: Edge = None,
        until: Edge = None,
        points: Points = USUAL_POINTS,
        subscription: Judge = None,
        entry: Judge = None,
    ) -> Response:
        """One series with its band as judged, its anomalies and incidents; neighbours become one point where the span
        has more buckets than points."""
        found = reading_chart.chart(
            desk.app,
            name,
            series=None if series is None else series_from(series),
            since=since,
            until=until,
            points=points,
            subscription=subscription,
            entry=entry,
        )
        return compressed(request, answers_chart.chart_json(found), "application/json")

    return router


def series_from(pairs: Sequence[str]) -> dict[str, str]:
    """The labels of a series in an address; ``total`` are no labels.

    >>> series_from(["country=DE", "shop=a=b"]), series_from(["total"])
    ({'country': 'DE', 'shop': 'a=b'}, {})
    """
    parts = [pair.partition("=") for pair in pairs if pair not in ("", "total")]
    return {name: value for name, _, value in parts}
