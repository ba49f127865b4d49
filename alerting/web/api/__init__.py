"""The JSON API under ``/api/v1``: each file has the routes of one subject, over the same functions as the pages."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from alerting.web.api import (
    charts,
    deliveries,
    incidents,
    metrics,
    now,
    silences,
    sources,
    subscriptions,
    why,
)
from alerting.web.desk import Desk

PREFIX = "/api/v1"
API: tuple[Callable[[Desk], APIRouter], ...] = (
    now.routes,
    incidents.routes,
    silences.routes,
    metrics.routes,
    charts.routes,
    why.routes,
    deliveries.routes,
    sources.routes,
    subscriptions.routes,
)
"""The routes of each subject, without the prefix."""
