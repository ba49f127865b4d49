"""Why a point of a metric became a message, or did not."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from alerting.app import answers, reading
from alerting.web.api.charts import Name, series_from
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/metrics", tags=["metrics"])

    @router.get("/{name}/why", responses=refusals(400, 404))
    def why(
        name: Name,
        at: Annotated[datetime, Query(description="ISO 8601; without an offset in the time zone of the query")],
        series: Annotated[
            list[str] | None, Query(description="`dimension=value`, once for each dimension; none: the only series")
        ] = None,
        subscription: Annotated[
            str | None, Query(description="only what this subscription says of it", max_length=200)
        ] = None,
    ) -> answers.Whys:
        """Every gate of the bucket that holds the instant, for each subscription that watches the metric."""
        zone = ZoneInfo(reading.timezone_of(desk.app, name))
        moment = at if at.tzinfo else at.replace(tzinfo=zone)
        return answers.whys_of(reading.why_point(desk.app, name, series_from(series or ()), moment, subscription))

    return router
