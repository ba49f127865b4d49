"""Sources: whether each warehouse answers, how fresh its queries are, and what they cost."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from alerting.app import answers_metrics, reading_sources
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/sources", tags=["sources"])

    @router.get("", responses=refusals())
    def sources() -> answers_metrics.Sources:
        """Every warehouse with its queries; never its address."""
        return answers_metrics.sources_of(reading_sources.sources(desk.app, desk.clock()))

    @router.get("/{name}", responses=refusals(404))
    def source(name: Annotated[str, Path(description="name of the source", max_length=200)]) -> answers_metrics.Source:
        """One warehouse."""
        found = reading_sources.source(desk.app, name, desk.clock())
        return answers_metrics.Source.model_validate(found)

    return router
