"""Every metric with how it stands now and its last readings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from alerting.app.application import App
from alerting.app.reading_freshness import Freshness, freshness
from alerting.core.blocks import Block
from alerting.core.decisions import subject_of
from alerting.core.figures import count
from alerting.core.incidents import SEVERITIES, Incident, SeriesState, Severity, Status
from alerting.core.panels import PanelError, panel
from config.model import Metric, Query, Subscription
from detectors.contract import Floats, Panel

Standing = Literal[
    "critical", "warning", "info", "error", "late", "pending", "no_data", "waiting", "unwatched", "normal"
]
STANDINGS: tuple[Standing, ...] = (
    "critical",
    "warning",
    "info",
    "error",
    "late",
    "pending",
    "no_data",
    "waiting",
    "unwatched",
    "normal",
)
"""The worst first."""
SPARK_BUCKETS = 48
_ILL: Mapping[str, Standing] = {
    "failing": "error",
    "retrying": "error",
    "empty": "error",
    "schema": "error",
    "late": "late",
}
Recent = tuple[Block, datetime, datetime]
"""Columns of a query over its last buckets, from when until when."""
_RESTLESS = (Status.PENDING, Status.NO_DATA)


@dataclass(frozen=True)
class MetricLine:
    """One metric. ``reason`` says why it stands so (empty: normal).

    ``spark`` its last readings ``[48]``, of the total, else of its largest series (``labels``); NaN = no reading, empty
    where nothing was pulled or the metric cannot be made.
    """

    name: str
    unit: str | None
    bucket: str
    timezone: str
    tags: tuple[str, ...]
    teams: tuple[str, ...]
    subscriptions: tuple[str, ...]
    query: str
    standing: Standing
    reason: str
    series: int
    labels: Mapping[str, str]
    spark: Floats
    watermark: datetime | None

    @property
    def newest(self) -> float:
        """The last reading; NaN where there is none."""
        known = self.spark[np.isfinite(self.spark)]
        return float(known[-1]) if len(known) else float("nan")


def metrics(app: App, now: datetime, text: str = "") -> tuple[MetricLine, ...]:
    """Those whose name, tag, unit, team or subscription holds every word of ``text``; the worst first, then by name.

    Raises StoreError.
    """
    wanted = [metric for metric in app.config.metrics.values() if _holds(app, metric, text)]
    found = lines_of_metrics(app, wanted, now)
    return tuple(sorted(found, key=lambda line: (STANDINGS.index(line.standing), line.name)))


def lines_of_metrics(app: App, wanted: Sequence[Metric], now: datetime) -> list[MetricLine]:
    """These metrics as they stand, in their order. Raises StoreError."""
    known = freshness(app, now)
    read: dict[str, dict[str, Recent]] = {}
    opened: dict[str, list[Incident]] = {}
    for one in app.store.incidents(open_only=True, limit=1_000_000):
        opened.setdefault(one.metric if one.kind == "metric" else "", []).append(one)
    restless = _restless(app, {metric.name for metric in wanted})
    found = []
    for metric in wanted:
        query = app.config.queries[metric.query]
        if query.name not in read:
            read[query.name] = _last_readings(app, query)
        recent = _panel(metric, query, read[query.name].get(metric.value))
        found.append(_line(app, metric, known[query.name], opened.get(metric.name, []), restless[metric.name], recent))
    return found


def watchers(app: App, metric: str) -> list[Subscription]:
    """The subscriptions that watch the metric; none where nobody does."""
    return [one for one in app.config.subscriptions.values() if metric in one.metrics]


def _holds(app: App, metric: Metric, text: str) -> bool:
    watching = watchers(app, metric.name)
    words = [metric.name, *metric.tags, metric.unit or "", *(f"{one.name} {one.team or ''}" for one in watching)]
    place = "\n".join(words).casefold()
    return all(word in place for word in text.casefold().split())


def _restless(app: App, wanted: Collection[str]) -> Mapping[str, Counter[Status]]:
    """By metric, how many series wait for more anomalous buckets, or for any reading."""
    found: dict[str, Counter[Status]] = {name: Counter() for name in wanted}
    for subscription in app.config.subscriptions.values():
        if found.keys().isdisjoint(subscription.metrics):
            continue
        states: Collection[SeriesState] = app.store.series_states(subject_of(subscription.name)).values()
        for state in states:
            if state.status in _RESTLESS and state.metric in found:
                found[state.metric][state.status] += 1
    return found


def _last_readings(app: App, query: Query) -> dict[str, Recent]:
    """By value column, so that each of many metrics looks at its own columns only; empty where nothing was pulled."""
    reach = app.store.points.first_and_last(query.digest)
    if reach is None:
        return {}
    since = query.bucket.start(reach[1] - (SPARK_BUCKETS - 1) * query.bucket.nominal, query.timezone)
    until = query.bucket.next(reach[1], query.timezone)
    block = app.store.points.read(query.digest, since, until)
    places: dict[str, list[int]] = {}
    for place, key in enumerate(block.keys):
        places.setdefault(key.value, []).append(place)
    return {
        value: (Block(block.times, tuple(block.keys[s] for s in own), block.values[:, own]), since, until)
        for value, own in places.items()
    }


def _panel(metric: Metric, query: Query, read: Recent | None) -> Panel | None:
    if read is None:
        return None
    block, since, until = read
    try:
        return panel(metric, query, block, since=since, until=until)
    except PanelError:
        return None


def _line(
    app: App,
    metric: Metric,
    fresh: Freshness,
    opened: Sequence[Incident],
    restless: Counter[Status],
    recent: Panel | None,
) -> MetricLine:
    watching = watchers(app, metric.name)
    series = len(recent.labels) if recent is not None else 0
    standing, reason = _standing(fresh, opened, restless, series, is_watched=bool(watching))
    place = _leading(recent)
    return MetricLine(
        name=metric.name,
        unit=metric.unit,
        bucket=fresh.bucket,
        timezone=fresh.timezone,
        tags=metric.tags,
        teams=tuple(dict.fromkeys(one.team for one in watching if one.team)),
        subscriptions=tuple(one.name for one in watching),
        query=metric.query,
        standing=standing,
        reason=reason,
        series=series,
        labels=recent.labels[place] if recent is not None and place is not None else {},
        spark=recent.values[:, place] if recent is not None and place is not None else np.empty(0),
        watermark=fresh.watermark,
    )


def _leading(recent: Panel | None) -> int | None:
    """The total, else the series with the largest readings."""
    if recent is None or not recent.labels:
        return None
    if not recent.labels[0]:
        return 0
    return int(np.nansum(np.abs(recent.values), axis=0).argmax())


def _standing(
    fresh: Freshness, opened: Sequence[Incident], restless: Counter[Status], series: int, *, is_watched: bool
) -> tuple[Standing, str]:
    if opened:
        worst: Severity = max((one.severity for one in opened), key=SEVERITIES.index)
        unusual = len({one.fingerprint for one in opened})
        return worst, f"{unusual:,} of {series:,} series unusual" if series > 1 else "unusual"
    if not is_watched:
        return "unwatched", "no subscription watches it"
    if fresh.condition in _ILL:
        return _ILL[fresh.condition], fresh.reason
    if restless[Status.PENDING]:
        return "pending", f"{count(restless[Status.PENDING], 'series')} may be unusual: one more bucket decides"
    if restless[Status.NO_DATA]:
        return "no_data", f"{count(restless[Status.NO_DATA], 'series')} without a reading"
    return ("waiting", fresh.reason) if fresh.condition != "fresh" else ("normal", "")
