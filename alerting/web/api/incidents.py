"""Incidents: what is open, what was, everything that is known of one, and what people do to it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from alerting.app import answers, reading, reading_incidents
from alerting.core.incidents import Severity
from alerting.web.api.asked import Doing, Labelling, Resolving, Silencing, TargetName, author, length
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk

VIA = "api"
Name = Annotated[str, Path(description="id of the incident, or the beginning of it", max_length=200)]
Words = Annotated[str, Query(max_length=200)]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/incidents", tags=["incidents"])
    _reading(router, desk)
    _acting(router, desk)
    return router


def _reading(router: APIRouter, desk: Desk) -> None:
    @router.get("", responses=refusals())
    def incidents(
        state: Annotated[Literal["open", "ended", "all"], Query(description="which: open, ended, all")] = "open",
        severity: Annotated[Severity | None, Query(description="only of this severity")] = None,
        team: Annotated[Words, Query(description="only of rules that this team owns")] = "",
        subscription: Annotated[Words, Query(description="only of this subscription")] = "",
        metric: Annotated[Words, Query(description="only of this metric")] = "",
        text: Annotated[Words, Query(description="stands in id, rule, metric or dimensions")] = "",
        page: Annotated[int, Query(ge=1, le=100_000, description="which page, from 1")] = 1,
        limit: Annotated[int, Query(ge=1, le=1000, description="how many on a page")] = 200,
    ) -> answers.IncidentList:
        """Incidents, open ones first, then the newest."""
        wanted = reading_incidents.Wanted(state, severity or "", team, subscription, metric, text)
        return answers.page_of(reading_incidents.search(desk.app, desk.clock(), wanted, page, size=limit))

    @router.get("/{name}", responses=refusals(404))
    def incident(name: Name) -> answers.IncidentStory:
        """One incident with its timeline, its gates and what each receiver got."""
        return answers.story_of(reading.incident_page(desk.app, name, desk.clock()))

    @router.get("/{name}/why", responses=refusals(404))
    def why(name: Name) -> answers.Whys:
        """The story of an incident, then every gate of the bucket that opened it."""
        return answers.whys_of(reading.why_incident(desk.app, name, desk.clock()))


def _acting(router: APIRouter, desk: Desk) -> None:
    actions = desk.app.actions
    failures = refusals(400, 404, 413, 415)

    @router.post("/{name}/acknowledge", responses=failures)
    def acknowledge(request: Request, name: TargetName, asked: Doing) -> answers.Done:
        """Somebody works on it: no reminders; what gets worse or ends is told all the same."""
        by = author(request, asked.by)
        return answers.done_of(actions.acknowledge(name, by=by, via=VIA, now=desk.clock()))

    @router.post("/{name}/silence", responses=failures)
    def silence(request: Request, name: TargetName, asked: Silencing) -> answers.Done:
        """The series of the incident, or what belongs to the group, is quiet for this long."""
        by, span = author(request, asked.by), length(asked.length)
        done = actions.silence(name, span, by=by, comment=asked.comment, via=VIA, now=desk.clock())
        return answers.done_of(done)

    @router.post("/{name}/label", responses=failures)
    def label(request: Request, name: TargetName, asked: Labelling) -> answers.Done:
        """Says what it was, and ends it: detectors learn from the answer."""
        by = author(request, asked.by)
        done = actions.label(name, asked.kind, by=by, comment=asked.comment, via=VIA, now=desk.clock())
        return answers.done_of(done)

    @router.post("/{name}/resolve", responses=failures)
    def resolve(request: Request, name: TargetName, asked: Resolving) -> answers.Done:
        """Ends it by hand; it opens again where new buckets are anomalous."""
        by = author(request, asked.by)
        return answers.done_of(actions.resolve(name, by=by, comment=asked.comment, via=VIA, now=desk.clock()))
