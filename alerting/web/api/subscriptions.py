"""Subscriptions: as they are written, and what each would do now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from alerting.app import answers_metrics, reading_subscriptions
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])

    @router.get("", responses=refusals())
    def subscriptions() -> answers_metrics.Subscriptions:
        """Every subscription, in the order of the files."""
        return answers_metrics.subscriptions_of(reading_subscriptions.subscriptions(desk.app, desk.clock()))

    @router.get("/{name}", responses=refusals(404))
    def subscription(
        name: Annotated[str, Path(description="name of the subscription", max_length=200)],
    ) -> answers_metrics.SubscriptionStory:
        """One subscription with its open messages and its last alerts."""
        found = reading_subscriptions.subscription_page(desk.app, name, desk.clock())
        return answers_metrics.subscription_of(found)

    return router
