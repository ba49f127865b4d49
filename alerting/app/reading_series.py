"""The series of a metric with their bands: what one looks at while writing YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from alerting.app.application import App
from alerting.app.pictures import Trace, trace
from alerting.app.reading_names import OutsideReadings, UnknownSeries, metric_named, pulled_range
from alerting.core.explain import instant
from alerting.core.figures import series_name
from alerting.core.panels import PanelError
from alerting.hearing import read_panel
from alerting.judging import columns_of
from config.model import Detect, Metric, Subscription
from detectors.buckets import as_datetime
from detectors.contract import Panel

MOST_SERIES = 12


@dataclass(frozen=True)
class ShownSeries:
    """One series; ``subscription`` and ``entry`` say whose band it is (empty: nobody judged it)."""

    labels: Mapping[str, str]
    subscription: str
    entry: str
    trace: Trace


@dataclass(frozen=True)
class Shown:
    """A metric's series, the total first, then by size; ``unlisted`` more are not shown."""

    metric: str
    bucket: str
    series: tuple[ShownSeries, ...]
    unlisted: int = 0


def show(app: App, name: str, since: timedelta, *, most: int = MOST_SERIES) -> Shown:
    """The last ``since`` of a metric before the end of what was pulled. Raises NotFound, StoreError."""
    metric = metric_named(app, name)
    query = app.config.queries[metric.query]
    first, until = pulled_range(app, query)
    begin = max(first, query.bucket.start(until - since, query.timezone))
    try:
        panel = read_panel(metric, query, begin, until, app.bench())
    except PanelError as exc:
        raise UnknownSeries(str(exc)) from exc
    order = _by_size(panel)
    if not order:
        raise OutsideReadings(f"{name} has no reading since {instant(begin, query.timezone)}")
    panel = _from_first_reading(panel)
    begin = as_datetime(panel.times[0])
    shown = tuple(_shown(app, metric, panel, s, begin, until) for s in order[:most])
    return Shown(name, query.bucket.text, shown, max(len(order) - most, 0))


def _by_size(panel: Panel) -> list[int]:
    """The places of the series that have readings: the total first, then the largest."""
    known = np.isfinite(panel.values)
    size = np.where(known, np.abs(panel.values), 0).sum(axis=0)
    places = [int(s) for s in np.flatnonzero(known.any(axis=0))]
    return sorted(places, key=lambda s: (bool(panel.labels[s]), -float(size[s]), s))


def _from_first_reading(panel: Panel) -> Panel:
    first = int(np.isfinite(panel.values).any(axis=1).argmax())
    return Panel(panel.times[first:], panel.values[first:], panel.labels, panel.bucket, panel.timezone)


def _shown(app: App, metric: Metric, panel: Panel, s: int, since: datetime, until: datetime) -> ShownSeries:
    """The series with the band that covers the most of it."""
    labels = panel.labels[s]
    found = [_plain(metric, panel, s)]
    for subscription, entry in _judges(app, metric, panel, s):
        drawable = trace(app.bench(), subscription, metric.name, labels, entry=entry.key, since=since, until=until)
        found.append(ShownSeries(labels, subscription.name, entry.key, drawable))
    return max(found, key=lambda one: _judged_buckets(one.trace))


def _judges(app: App, metric: Metric, panel: Panel, s: int) -> Sequence[tuple[Subscription, Detect]]:
    return [
        (subscription, entry)
        for subscription in app.config.subscriptions.values()
        if metric.name in subscription.metrics
        for entry in subscription.detect
        if entry.metric in (None, metric.name) and s in columns_of(entry, panel)
    ]


def _judged_buckets(found: Trace) -> int:
    bounds = np.stack([found.expected, found.lower, found.upper])
    return int(np.isfinite(bounds).sum())


def _plain(metric: Metric, panel: Panel, s: int) -> ShownSeries:
    nothing = np.full(len(panel.times), np.nan)
    unjudged = Trace(
        title=series_name(metric.name, panel.labels[s]),
        unit=metric.unit,
        timezone=panel.timezone,
        times=panel.times,
        observed=panel.values[:, s],
        expected=nothing,
        lower=nothing,
        upper=nothing,
        anomalies=np.zeros(len(panel.times), dtype=np.bool_),
    )
    return ShownSeries(panel.labels[s], "", "", unjudged)
