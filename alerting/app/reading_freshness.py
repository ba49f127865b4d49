"""How fresh the readings of each query are, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from alerting.app.application import App
from alerting.core import health
from alerting.core.health import QueryState
from alerting.core.incidents import IncidentKind
from alerting.pipeline import is_zero_filled
from alerting.store import Cost, LastPull
from config.model import Query

Condition = Literal["fresh", "late", "failing", "retrying", "empty", "schema", "waiting", "unwatched"]
_NOTHING = Cost()
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_WRONG: tuple[tuple[IncidentKind, Condition], ...] = (
    ("failing", "failing"),
    ("schema", "schema"),
    ("empty", "empty"),
    ("late", "late"),
)
"""What is told first where several things are wrong."""


@dataclass(frozen=True)
class Freshness:
    """Where a query stands. Instants are UTC, None = never; ``reason`` is empty where it is fresh.

    ``watermark`` end of the newest bucket taken as final · ``due`` when it is pulled next, in the past: it is owed ·
    ``last`` what its newest answered pull took · ``day``, ``week`` what its pulls of the last 24 hours and 7 days took
    (from the full hour on).
    """

    query: str
    source: str
    bucket: str
    timezone: str
    condition: Condition
    reason: str
    metrics: tuple[str, ...]
    watermark: datetime | None = None
    attempted: datetime | None = None
    succeeded: datetime | None = None
    due: datetime | None = None
    last: LastPull | None = None
    day: Cost = _NOTHING
    week: Cost = _NOTHING

    @property
    def is_well(self) -> bool:
        return self.condition in ("fresh", "waiting", "unwatched")


def freshness(app: App, now: datetime) -> dict[str, Freshness]:
    """Of every query of the configuration, by name. Raises StoreError."""
    costs = app.store.costs
    states, last, day, week = app.store.query_states(), costs.last(), costs.since(now - _DAY), costs.since(now - _WEEK)
    return {
        name: _freshness(app, query, _present(query, states), last.get(name), day.get(name), week.get(name), now)
        for name, query in app.config.queries.items()
    }


def _present(query: Query, states: Mapping[str, QueryState]) -> QueryState | None:
    """What is known of the query under its present SQL text."""
    state = states.get(query.name)
    return state if state is not None and state.digest == query.digest else None


def _freshness(
    app: App,
    query: Query,
    state: QueryState | None,
    last: LastPull | None,
    day: Cost | None,
    week: Cost | None,
    now: datetime,
) -> Freshness:
    condition, reason = _condition(app, query, state, now)
    return Freshness(
        query=query.name,
        source=query.source,
        bucket=query.bucket.text,
        timezone=query.timezone,
        condition=condition,
        reason=reason,
        metrics=tuple(metric.name for metric in app.config.metrics_of(query.name)),
        watermark=state.watermark if state else None,
        attempted=state.attempted if state else None,
        succeeded=state.succeeded if state else None,
        due=health.due(query, state, now) if state else None,
        last=last,
        day=day or _NOTHING,
        week=week or _NOTHING,
    )


def _condition(app: App, query: Query, state: QueryState | None, now: datetime) -> tuple[Condition, str]:
    if not app.config.watched(query.name):
        return "unwatched", "no subscription watches a metric of it, so it is not pulled"
    if state is None or state.attempted is None:
        return "waiting", "it has not been pulled yet"
    found = health.readings(query, state, now, zero_filled=is_zero_filled(app.config, query))
    for kind, condition in _WRONG:
        if found[kind].status == "anomaly":
            return condition, found[kind].reason
    if state.failures:
        return "retrying", found["failing"].reason
    if state.watermark is None:
        return "waiting", "its first pull has not ended"
    return "fresh", ""
