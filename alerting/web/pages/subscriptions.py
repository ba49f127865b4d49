"""Subscriptions: as they are written, and what each would do today."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerting.app import reading_subscriptions
from alerting.web.desk import READ, Desk
from alerting.web.pages.rendering import page, web_address


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.api_route("/subscriptions", methods=READ)
    def subscriptions(request: Request) -> Response:
        now = desk.clock()
        found = reading_subscriptions.subscriptions(desk.app, now)
        return page(request, "subscriptions.html", subscriptions=found, now=now)

    @router.api_route("/subscriptions/{name}", methods=READ)
    def subscription(request: Request, name: str) -> Response:
        now = desk.clock()
        found = reading_subscriptions.subscription_page(desk.app, name, now)
        headlines = {line.incident.id: line.headline for line in found.alerts}
        runbook = web_address(found.line.runbook)
        return page(request, "subscription.html", found=found, line=found.line, headlines=headlines, runbook=runbook)

    return router
