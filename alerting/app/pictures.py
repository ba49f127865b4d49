"""Charts of incidents: series, band as it was judged, anomalies marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from alerting.bench import Bench
from alerting.charts import MOST, ChartError, Curves, Small, curves, png, small_multiples, spark
from alerting.core.calendars import events
from alerting.core.figures import series_name
from alerting.hearing import read_panel, shown_from
from alerting.store import StoredVerdicts
from config.model import Subscription
from detectors.buckets import as_datetime
from detectors.contract import ANOMALY, Bools, Event, Floats, Instants, Panel
from notifiers.contract import IncidentView, Notification, Spark
from notifiers.standing import is_open

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
    """The PNG of the only open incident, or small charts of the worst; None for query health. Raises ChartError."""
    several = _open_traces(notification, bench)
    if len(several) > 1:
        return drawn_together(several, len(several) + _not_drawn(notification, several))
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


def drawn_together(traces: Sequence[Trace], among: int) -> bytes:
    """Small charts in one picture, worst first; ``among`` is how many series there are. Raises ChartError."""
    charts = [Small(one.title, one.unit, _curves(one)) for one in traces]
    shown = f"the {len(traces)} worst of {among:,} unusual series" if among > len(traces) else f"{among} unusual series"
    return small_multiples(charts, title=shown[:1].upper() + shown[1:], timezone=traces[0].timezone)


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
    known = _Known(bench, subscription, since, until)
    return known.trace(metric_name, labels, entry)


@dataclass(frozen=True)
class _Known:
    """Readings and verdicts of a span, read once for all series of a metric."""

    bench: Bench
    subscription: Subscription
    since: datetime
    until: datetime
    panels: dict[str, Panel] = field(default_factory=dict)
    judged: dict[tuple[str, str], StoredVerdicts] = field(default_factory=dict)

    def trace(self, metric_name: str, labels: Mapping[str, str], entry: str) -> Trace:
        metric, subscription = self.bench.config.metrics[metric_name], self.subscription
        if metric_name not in self.panels:
            query = self.bench.config.queries[metric.query]
            self.panels[metric_name] = read_panel(metric, query, self.since, self.until, self.bench)
        panel = self.panels[metric_name]
        place = _place(panel.labels, labels)
        if place is None or not len(panel.times):
            raise ChartError(f"no readings of {series_name(metric_name, labels)} between {self.since} and {self.until}")
        judged = self._judged(metric_name, entry)
        band = _band(panel, judged, _place(judged.labels, labels))
        title = series_name(metric_name, labels)
        days = events(subscription.calendars, panel.times, panel.bucket, subscription.timezone)
        return Trace(title, metric.unit, subscription.timezone, panel.times, panel.values[:, place], *band, days)

    def _judged(self, metric_name: str, entry: str) -> StoredVerdicts:
        if (metric_name, entry) not in self.judged:
            read = self.bench.store.verdicts(self.subscription.name, entry, metric_name, self.since, self.until)
            self.judged[metric_name, entry] = read
        return self.judged[metric_name, entry]


def _open_traces(notification: Notification, bench: Bench) -> list[Trace]:
    """The open incidents that can be drawn, worst first, at most nine; empty where there are not several."""
    subscription = bench.config.subscriptions.get(notification.subscription)
    views = [view for view in _open_series(notification) if view.metric in bench.config.metrics]
    if subscription is None or len(views) < 2:
        return []
    spans = [_span(view, bench) for view in views[:MOST]]
    # Each chart is a third as wide as one alone, so it shows a third of the time; nothing that is open is cut off.
    since, until = min(begin for begin, _ in spans), max(end for _, end in spans)
    known = _Known(bench, subscription, min(until - (until - since) / 3, *(view.opened for view in views)), until)
    found = []
    for view in views[:MOST]:
        # What cannot be drawn is left out: the words name it.
        with suppress(ChartError):
            found.append(known.trace(view.metric, view.dimensions, view.detector))
    return found


def _open_series(notification: Notification) -> list[IncidentView]:
    return [view for view in notification.incidents if view.kind == "metric" and is_open(view)]


def _not_drawn(notification: Notification, drawn_ones: Sequence[Trace]) -> int:
    """How many open series are not drawn; unlisted incidents are open only where all listed ones are."""
    listed = len(_open_series(notification))
    hidden = notification.unlisted if listed == len(notification.incidents) else 0
    return listed - len(drawn_ones) + hidden


def _curves(one: Trace) -> Curves:
    return curves(one.times, one.observed, one.expected, one.lower, one.upper, one.anomalies, one.events)


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
