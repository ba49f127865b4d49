"""Pages: each file has the routes of one, and how its answer becomes text."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from alerting.web.desk import Desk
from alerting.web.pages import incident_actions, incidents, metrics, now, silences, sources, subscriptions

PAGES: tuple[Callable[[Desk], APIRouter], ...] = (
    now.routes,
    incidents.routes,
    incident_actions.routes,
    silences.routes,
    metrics.routes,
    sources.routes,
    subscriptions.routes,
)
"""The routes of each page; a page is added here and in the navigation of ``page.html``."""
