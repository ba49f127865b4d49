"""Metrics: all of them as they stand, one with everything that is known of it, and what a series is made of."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from alerting.app import answers_metrics
from alerting.app.reading_metric import metric_page
from alerting.app.reading_metrics import metrics as all_metrics
from alerting.app.reading_parts import parts as taken_apart
from alerting.web.api.charts import Edge, Name, Series, series_from
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk


def routes(desk: Desk) -> APIRouter:
    router, app = APIRouter(prefix="/metrics", tags=["metrics"]), desk.app

    @router.get("", responses=refusals())
    def metrics(
        text: Annotated[
            str, Query(max_length=200, description="words that name, tag, unit, team or subscription must hold")
        ] = "",
    ) -> answers_metrics.Metrics:
        """Every metric and how it stands now, the worst first."""
        return answers_metrics.metrics_of(all_metrics(app, desk.clock(), text))

    @router.get("/{name}", responses=refusals(404))
    def metric(name: Name) -> answers_metrics.MetricStory:
        """One metric: its series, who watches it and how, its alerts, and how fresh it is."""
        return answers_metrics.metric_of(metric_page(app, name, desk.clock()))

    @router.get("/{name}/parts", responses=refusals(400, 404))
    def parts(name: Name, series: Series = None, since: Edge = None, until: Edge = None) -> answers_metrics.Parts:
        """One series as a sum of level, seasons, effects of named days and what is left."""
        labels = None if series is None else series_from(series)
        return answers_metrics.parts_of(taken_apart(app, name, labels, since, until))

    return router
