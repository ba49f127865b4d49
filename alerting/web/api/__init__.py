"""The JSON API under ``/api/v1``: each file has the routes of one subject, over the same functions as the pages."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from alerting.web.api import charts, deliveries, incidents, now, silences, why
from alerting.web.desk import Desk

PREFIX = "/api/v1"
API: tuple[Callable[[Desk], APIRouter], ...] = (
    now.routes,
    incidents.routes,
    silences.routes,
    charts.routes,
    why.routes,
    deliveries.routes,
)
"""The routes of each subject, without the prefix."""
