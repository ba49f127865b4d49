"""Sources: whether each warehouse answers, how fresh its queries are, and what they cost."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerting.app import reading_sources
from alerting.web.desk import READ, Desk
from alerting.web.pages.rendering import page


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.api_route("/sources", methods=READ)
    def sources(request: Request) -> Response:
        now = desk.clock()
        return page(request, "sources.html", sources=reading_sources.sources(desk.app, now), now=now)

    return router
