"""Charts of incidents: series, band as it was judged, anomalies marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from alerting.bench import Bench
from alerting.charts import ChartError, png, spark
from alerting.core.calendars import events
from alerting.core.figures import series_name
from alerting.hearing import read_panel, shown_from
from alerting.store import StoredVerdicts
from config.model import Subscription
from detectors.buckets import as_datetime
from detectors.contract import ANOMALY, Bools, Event, Floats, Instants, Panel
from notifiers.contract import IncidentView, Notification, Spark

BUCKETS_AFTER = 12


@dataclass(frozen=True)
class Trace:
    """One series with its band: arrays ``[T]``, NaN where there is no reading or no judgement."""

    title: str
    unit: str | None
    timezone: str
    times: Instants
    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    anomalies: Bools
    events: tuple[Event, ...] = ()
    """The named days of the subscription whose band it is."""


def chart_of(notification: Notification, bench: Bench) -> bytes | None:
    """The PNG of the worst incident; None for query health. Raises ChartError."""
    found = _trace_of(notification, bench)
    return None if found is None else drawn(found)


def spark_of(notification: Notification, bench: Bench) -> Spark | None:
    """The last buckets of the worst incident for charts made of text. Raises ChartError."""
    found = _trace_of(notification, bench)
    return None if found is None else spark(found.observed, found.lower, found.upper, found.anomalies)


def drawn(trace: Trace) -> bytes:
    return png(
        trace.times,
        trace.observed,
        trace.expected,
        trace.lower,
        trace.upper,
        trace.anomalies,
        title=trace.title,
        unit=trace.unit,
        timezone=trace.timezone,
        events=trace.events,
    )


def trace(
    bench: Bench,
    subscription: Subscription,
    metric_name: str,
    labels: Mapping[str, str],
    *,
    entry: str,
    since: datetime,
    until: datetime,
) -> Trace:
    """The series and the band of one detect entry over ``since`` ≤ bucket < ``until``. Raises ChartError."""
    metric = bench.config.metrics[metric_name]
    panel = read_panel(metric, bench.config.queries[metric.query], since, until, bench)
    place = _place(panel.labels, labels)
    if place is None or not len(panel.times):
        raise ChartError(f"no readings of {series_name(metric_name, labels)} between {since} and {until}")
    judged = bench.store.verdicts(subscription.name, entry, metric_name, since, until)
    band = _band(panel, judged, _place(judged.labels, labels))
    title = series_name(metric_name, labels)
    days = events(subscription.calendars, panel.times, panel.bucket, subscription.timezone)
    return Trace(title, metric.unit, subscription.timezone, panel.times, panel.values[:, place], *band, days)


def _trace_of(notification: Notification, bench: Bench) -> Trace | None:
    view = notification.incidents[0]
    subscription = bench.config.subscriptions.get(notification.subscription)
    if view.kind != "metric" or subscription is None or view.metric not in bench.config.metrics:
        return None
    since, until = _span(view, bench)
    return trace(bench, subscription, view.metric, view.dimensions, entry=view.detector, since=since, until=until)


def _span(view: IncidentView, bench: Bench) -> tuple[datetime, datetime]:
    query = bench.config.queries[bench.config.metrics[view.metric].query]
    until = query.bucket.next(view.latest, query.timezone)
    return min(shown_from(query, until), view.opened), until


def _place(all_labels: tuple[Mapping[str, str], ...], labels: Mapping[str, str]) -> int | None:
    return next((s for s, one in enumerate(all_labels) if dict(one) == dict(labels)), None)


def _band(panel: Panel, judged: StoredVerdicts, place: int | None) -> tuple[Floats, Floats, Floats, Bools]:
    """Expected, lower, upper and anomalies on the panel's grid."""
    size = len(panel.times)
    expected, lower, upper = (np.full(size, np.nan) for _ in range(3))
    anomalies = np.zeros(size, dtype=np.bool_)
    if place is None or not len(judged.times):
        return expected, lower, upper, anomalies
    rows = np.searchsorted(panel.times, judged.times)
    known = (rows < size) & (panel.times[np.minimum(rows, size - 1)] == judged.times)
    at = rows[known]
    expected[at], lower[at], upper[at] = (grid[known, place] for grid in (judged.expected, judged.lower, judged.upper))
    anomalies[at] = judged.status[known, place] == ANOMALY
    return expected, lower, upper, anomalies


def newest(trace_: Trace) -> datetime:
    """The start of the newest bucket of a trace."""
    return as_datetime(trace_.times[-1])
