"""Incidents: what is open, what was, and everything that is known of one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from alerting.app import answers, reading
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk

Name = Annotated[str, Path(description="id of the incident, or the beginning of it", max_length=200)]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/incidents", tags=["incidents"])

    @router.get("", responses=refusals())
    def incidents(
        state: Annotated[
            Literal["open", "all"], Query(description="open ones only, or also those that ended")
        ] = "open",
        limit: Annotated[int, Query(ge=1, le=1000, description="at most this many")] = 200,
    ) -> answers.Incidents:
        """Incidents, open ones first, then the newest."""
        found = reading.incidents(desk.app, desk.clock(), open_only=state == "open", limit=limit)
        return answers.incidents_of(found)

    @router.get("/{name}", responses=refusals(404))
    def incident(name: Name) -> answers.IncidentStory:
        """One incident with its timeline, its gates and what each receiver got."""
        return answers.story_of(reading.incident_page(desk.app, name, desk.clock()))

    return router
