"""A few numbers about metricwatch itself, for whoever watches the watcher."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from alerting.app.application import App
from alerting.core.incidents import SEVERITIES

_ALL = 1_000_000


@dataclass(frozen=True)
class Gauge:
    """A number as it is now, with what it means; ``labels`` tell several of one name apart."""

    name: str
    meaning: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def gauges(app: App, now: datetime) -> tuple[Gauge, ...]:
    """Those of one name follow each other; what cannot be known yet is left out. Raises StoreError."""
    open_ones = Counter(one.severity for one in app.store.incidents(open_only=True, limit=_ALL))
    meaning = "Open incidents by severity."
    found = [Gauge("open_incidents", meaning, open_ones[one], (("severity", one),)) for one in SEVERITIES]
    beat_s = app.pulse.age_s()
    found.append(Gauge("scheduler_beat_age_seconds", "How long ago the scheduler last beat.", beat_s))
    found += _evaluations(app, now)
    outbox = app.store.outbox
    found.append(Gauge("deliveries_unsettled", "Deliveries that are on their way.", outbox.unsettled()))
    oldest = outbox.oldest_due(now)
    waits_s = (now - oldest).total_seconds() if oldest else 0.0
    found.append(Gauge("delivery_overdue_seconds", "How long the oldest delivery that is due has waited.", waits_s))
    troubled = len(outbox.receivers_in_trouble())
    return (*found, Gauge("receivers_in_trouble", "Receivers that get nothing at the moment.", troubled))


def _evaluations(app: App, now: datetime) -> list[Gauge]:
    states = app.store.query_states()
    watched = [states.get(name) for name in app.config.queries if app.config.watched(name)]
    attempts = [state.attempted for state in watched if state is not None and state.attempted is not None]
    failing = sum(state is not None and state.failures > 0 for state in watched)
    found = [
        Gauge("queries_watched", "Queries whose metrics somebody watches.", len(watched)),
        Gauge("queries_failing", "Of these, queries whose last pull failed.", failing),
    ]
    if attempts:
        age_s = (now - min(attempts)).total_seconds()
        found.append(Gauge("evaluation_age_seconds", "How long ago the oldest last evaluation was.", age_s))
    return found
