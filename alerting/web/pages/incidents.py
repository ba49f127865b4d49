"""Incidents: the list, and the page that links from Slack and PagerDuty lead to."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerting.app import reading
from alerting.app.reading import IncidentPage
from alerting.web.desk import READ, Desk
from alerting.web.pages.rendering import page, web_address


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.api_route("/incidents", methods=READ)
    def incidents(request: Request) -> Response:
        now = desk.clock()
        lines = reading.incidents(desk.app, now, limit=100)
        open_ones = [line for line in lines if line.incident.is_open]
        ended = [line for line in lines if not line.incident.is_open]
        return page(request, "incidents.html", open_ones=open_ones, ended=ended, now=now)

    @router.api_route("/incidents/{name}", methods=READ)
    def incident(request: Request, name: str) -> Response:
        try:
            found = reading.incident_page(desk.app, name, desk.clock())
        except reading.UnknownIncident as exc:
            raise HTTPException(404, str(exc)) from exc
        if found.line.incident.id != name:
            return RedirectResponse(f"/incidents/{found.line.incident.id}", status_code=307)
        return page(request, "incident.html", **facts_of(found))

    @router.api_route("/incidents/{name}/chart.png", methods=READ)
    def chart(name: str) -> Response:
        try:
            picture = reading.incident_chart(desk.app, name)
        except reading.UnknownIncident as exc:
            raise HTTPException(404, str(exc)) from exc
        if picture is None:
            raise HTTPException(404, f"there is nothing to draw of incident {name!r}")
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=60"})

    return router


def facts_of(found: IncidentPage) -> dict[str, object]:
    """What the page of an incident shows."""
    line = found.line
    return {"page": found, "line": line, "incident": line.incident, "runbook": web_address(found.runbook)}
