"""Incidents: the list, and the page of one or of a group, where links from Slack and PagerDuty lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerting.app import reading, reading_incidents, reading_silences
from alerting.app.reading import IncidentLine, IncidentPage
from alerting.app.reading_incidents import GroupPage, Wanted
from alerting.app.reading_now import Sketch
from alerting.core.incidents import SEVERITIES
from alerting.web.desk import READ, Desk
from alerting.web.pages.now import chart_address
from alerting.web.pages.posted import LENGTHS, Trouble
from alerting.web.pages.rendering import page, web_address
from detectors.buckets import as_datetime

State = Literal["open", "ended", "all"]
LABELS = (
    ("expected", "Expected", "it was known to come; detectors never learn from it"),
    ("not_an_anomaly", "Not an anomaly", "this is usual; detectors learn from it"),
    ("new_normal", "New normal", "it stays like this; nothing opens for two days, while detectors learn it"),
)


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.api_route("/incidents", methods=READ)
    def incidents(request: Request) -> Response:
        now, wanted = desk.clock(), wanted_of(request)
        found = reading_incidents.search(desk.app, now, wanted, _number(request.query_params.get("page", "")))
        return page(
            request, "incidents.html", found=found, wanted=wanted, nothing_wanted=Wanted(), now=now, here=_here(wanted)
        )

    @router.api_route("/incidents/{name}", methods=READ)
    def incident(request: Request, name: str) -> Response:
        return incident_page(request, desk, name)

    @router.api_route("/incidents/{name}/chart.png", methods=READ)
    def chart(name: str) -> Response:
        picture = reading.incident_chart(desk.app, name)
        if picture is None:
            raise HTTPException(404, f"there is nothing to draw of incident {name!r}")
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=60"})

    return router


def wanted_of(request: Request) -> Wanted:
    """What the address asks for; what it says otherwise than a form would counts as not said."""
    asked = {name: value.strip()[:200] for name, value in request.query_params.items()}
    state, severity = asked.get("state", ""), asked.get("severity", "")
    return Wanted(
        state=cast(State, state) if state in get_args(State) else "all",
        severity=severity if severity in SEVERITIES else "",
        team=asked.get("team", ""),
        subscription=asked.get("subscription", ""),
        metric=asked.get("metric", ""),
        text=asked.get("text", ""),
    )


def incident_page(request: Request, desk: Desk, name: str, trouble: Trouble | None = None) -> Response:
    """The page of an incident or a group; ``trouble`` is said at its form. Raises UnknownIncident, StoreError."""
    status = 422 if trouble else 200
    group = reading_incidents.group_page(desk.app, name, desk.clock())
    if group is not None:
        return page(request, "group.html", status=status, **facts_of_group(desk, group, trouble))
    found = reading.incident_page(desk.app, name, desk.clock())
    if found.line.incident.id != name and trouble is None:
        return RedirectResponse(f"/incidents/{found.line.incident.id}", status_code=307)
    return page(request, "incident.html", status=status, **facts_of(desk, found, trouble))


def facts_of(desk: Desk, found: IncidentPage, trouble: Trouble | None = None) -> dict[str, Any]:
    """What the page of an incident shows."""
    incident = found.line.incident
    handling = reading_incidents.handling(desk.app, incident)
    is_taken = any(deed.what == "acknowledged" for deed in handling.deeds)
    can = _doable([found.line], is_taken=is_taken)
    facts = {"page": found, "line": found.line, "incident": incident, "handling": handling, "now": desk.clock()}
    facts["chart"] = _chart_of(desk, found)
    return {**facts, "runbook": web_address(found.runbook), **_form(desk, incident.id, can, trouble)}


def _chart_of(desk: Desk, found: IncidentPage) -> str | None:
    """Where the numbers of its chart are, over the span that the picture shows; None: there is nothing to draw."""
    incident, trace = found.line.incident, found.trace
    if trace is None or not len(trace.times):
        return None
    query = desk.app.config.queries[desk.app.config.metrics[incident.metric].query]
    sketch = Sketch(
        incident=incident.id,
        title=trace.title,
        metric=incident.metric,
        labels=incident.labels,
        subscription=incident.subject.partition(":")[2],
        entry=incident.last.detector or incident.worst.detector,
        since=as_datetime(trace.times[0]),
        until=query.bucket.next(as_datetime(trace.times[-1]), query.timezone),
    )
    return chart_address(sketch, False)


def facts_of_group(desk: Desk, group: GroupPage, trouble: Trouble | None = None) -> dict[str, Any]:
    """What the page of a group shows."""
    is_taken = all("acknowledged" in line.attention for line in group.open_lines)
    return {"group": group, **_form(desk, group.id, _doable(group.lines, is_taken=is_taken), trouble)}


def _doable(lines: Sequence[IncidentLine], *, is_taken: bool) -> frozenset[str]:
    """Health learns nothing from a label and ends when it is well; a label can be put on what has ended."""
    is_metric = all(line.incident.kind == "metric" for line in lines)
    is_open = any(line.incident.is_open for line in lines)
    possible = {
        "acknowledge": is_open and not is_taken,
        "silence": True,
        "label": is_metric,
        "resolve": is_metric and is_open,
    }
    return frozenset(name for name, is_possible in possible.items() if is_possible)


def _form(desk: Desk, target: str, can: frozenset[str], trouble: Trouble | None) -> dict[str, Any]:
    """What can be done about the target, and what a silence of it would match and keep quiet now."""
    matchers = desk.app.actions.matchers(target)
    mutes = reading_silences.muted_by(desk.app, matchers, desk.clock())
    choices = {"lengths": LENGTHS, "labels": LABELS}
    return {"target": target, "can": can, "trouble": trouble, "matchers": matchers, "mutes": mutes, **choices}


def _here(wanted: Wanted) -> str:
    """The address of this list, to which a page can be added."""
    said = {name: value for name, value in vars(wanted).items() if value and (name, value) != ("state", "all")}
    return f"/incidents?{urlencode(said)}&" if said else "/incidents?"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
