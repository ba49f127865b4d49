"""One metric: its series, who watches it and how, what silences it, its alerts, and how fresh it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from alerting.app.application import App
from alerting.app.reading import IncidentLine, lines_of
from alerting.app.reading_freshness import Freshness, freshness
from alerting.app.reading_metrics import STANDINGS, MetricLine, Standing, lines_of_metrics, watchers
from alerting.app.reading_names import OutsideReadings, metric_named, pulled_range, series_of
from alerting.app.reading_subscriptions import SubscriptionLine, in_words, lines_of_subscriptions
from alerting.core.blocks import fingerprint
from alerting.core.decisions import subject_of
from alerting.core.incidents import Incident, SeriesState, Severity, Status
from alerting.core.panels import PanelError
from alerting.core.silences import Silence, matches
from alerting.hearing import read_panel
from config.model import Metric, Query

ALERTS_SINCE = timedelta(days=90)
MOST_ALERTS = 50
_SIZED_BY = 48
"""Buckets by which series are sorted: the largest sum first."""
_RESTING: Mapping[Status, Standing] = {Status.PENDING: "pending", Status.NO_DATA: "no_data"}


@dataclass(frozen=True)
class SeriesLine:
    """One series of the metric: how it stands, and the sum of its last readings (NaN: none)."""

    labels: Mapping[str, str]
    standing: Standing
    size: float


@dataclass(frozen=True)
class Band:
    """A detector whose band can be drawn, and what it looks for in words."""

    subscription: str
    entry: str
    words: str


@dataclass(frozen=True)
class MetricPage:
    """Everything that is known of one metric.

    ``series`` the total first, then the worst, then the largest · ``chosen`` the labels of the one drawn large, None
    where there is none yet · ``alerts`` of the last 90 days, open ones first · ``silences`` those that run and match
    one of its series in one of its subscriptions · ``width`` of a bucket, usually · ``first``, ``end`` the readings
    there are, None where nothing was pulled · ``problem`` why the metric cannot be shown (empty: it can).
    """

    line: MetricLine
    metric: Metric
    sql: str
    width: timedelta
    freshness: Freshness
    series: tuple[SeriesLine, ...]
    chosen: Mapping[str, str] | None
    bands: tuple[Band, ...]
    subscriptions: tuple[SubscriptionLine, ...]
    silences: tuple[Silence, ...]
    alerts: tuple[IncidentLine, ...]
    first: datetime | None
    end: datetime | None
    problem: str


def metric_page(app: App, name: str, now: datetime, series: Mapping[str, str] | None = None) -> MetricPage:
    """``series``: the labels of the one to draw large, None: the first.

    Raises UnknownMetric, UnknownSeries, StoreError.
    """
    metric = metric_named(app, name)
    query = app.config.queries[metric.query]
    wanted = None if series is None else series_of(app, metric, series)
    (line,) = lines_of_metrics(app, [metric], now)
    first, end, found, problem = _series(app, metric, query)
    watching = watchers(app, name)
    chosen = wanted if wanted is not None else found[0].labels if found else None
    return MetricPage(
        line=line,
        metric=metric,
        sql=query.sql,
        width=query.bucket.nominal,
        freshness=freshness(app, now)[query.name],
        series=tuple(found),
        chosen=chosen,
        bands=tuple(Band(one.name, entry.key, in_words(entry)) for one in watching for entry in one.entries(name)),
        subscriptions=lines_of_subscriptions(app, watching, now),
        silences=_silences(app, metric, [one.labels for one in found], now),
        alerts=lines_of(app, _alerts(app, metric, now), now),
        first=first,
        end=end,
        problem=problem,
    )


def _series(
    app: App, metric: Metric, query: Query
) -> tuple[datetime | None, datetime | None, Sequence[SeriesLine], str]:
    """Start and end of the readings, every series in order, and why there are none."""
    try:
        first, end = pulled_range(app, query)
        since = max(first, query.bucket.start(end - _SIZED_BY * query.bucket.nominal, query.timezone))
        recent = read_panel(metric, query, since, end, app.bench())
    except OutsideReadings as exc:
        return None, None, (), str(exc)
    except PanelError as exc:
        return first, end, (), str(exc)
    standing = _standings(app, metric)
    known = np.isfinite(recent.values)
    sizes = np.where(known.any(axis=0), np.where(known, np.abs(recent.values), 0).sum(axis=0), np.nan)
    found = [
        SeriesLine(labels, standing.get(fingerprint(metric.name, labels), "normal"), float(size))
        for labels, size in zip(recent.labels, sizes, strict=True)
    ]
    return first, end, sorted(found, key=_place), ""


def _place(one: SeriesLine) -> tuple[bool, int, float, str]:
    """The total first, then what is unusual, then the largest; those without a reading last."""
    size = -one.size if math.isfinite(one.size) else math.inf
    return bool(one.labels), STANDINGS.index(one.standing), size, str(one.labels)


def _standings(app: App, metric: Metric) -> dict[str, Standing]:
    """By fingerprint, the worst that any subscription says; series that are well are not in it."""
    found: dict[str, Standing] = {}
    for subscription in watchers(app, metric.name):
        states: Mapping[str, SeriesState] = app.store.series_states(subject_of(subscription.name))
        for mark, state in states.items():
            if state.metric == metric.name and (standing := _standing(state)) is not None:
                found[mark] = min(found.get(mark, standing), standing, key=STANDINGS.index)
    return found


def _standing(state: SeriesState) -> Standing | None:
    if state.incident is not None:
        severity: Severity = state.incident.severity
        return severity
    return _RESTING.get(state.status)


def _silences(app: App, metric: Metric, labels: Sequence[Mapping[str, str]], now: datetime) -> tuple[Silence, ...]:
    subjects = [subject_of(one.name) for one in watchers(app, metric.name)]
    return tuple(
        silence
        for silence in app.store.silences.holding()
        if silence.is_running(now)
        and any(matches(silence.matchers, subject, metric.name, one) for subject in subjects for one in labels)
    )


def _alerts(app: App, metric: Metric, now: datetime) -> list[Incident]:
    found = app.store.incidents(since=now - ALERTS_SINCE, metric=metric.name, limit=MOST_ALERTS)
    return sorted(found, key=lambda one: not one.is_open)
