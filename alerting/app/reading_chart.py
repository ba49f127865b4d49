"""One series as a chart draws it: readings and the band as judged, in as many points as the screen has room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from alerting.app.application import App
from alerting.app.reading_names import UnknownSeries, metric_named, pulled_range, series_of
from alerting.app.reading_points import audience_of_subject
from alerting.core import views
from alerting.core.blocks import fingerprint
from alerting.core.decisions import subject_of
from alerting.core.figures import series_name
from alerting.core.incidents import Incident
from alerting.core.panels import PanelError, Recipe, recipe_of
from alerting.hearing import shown_from
from alerting.store import StoredVerdicts
from alerting.store.binning import Bins
from config.model import Metric, Query
from detectors.contract import ANOMALY, Floats, Instants
from notifiers import wording

FEWEST_POINTS, USUAL_POINTS, MOST_POINTS = 10, 800, 4000
MOST_BUCKETS = 1_000_000
"""A longer span would not fit into memory: two years of minutes."""
_MOST_INCIDENTS = 200


class BadSpan(ValueError):
    """The span that was asked for cannot be drawn; the message says what can."""


@dataclass(frozen=True)
class Episode:
    """An incident as a chart marks it: ``opened`` and ``ended`` are edges of buckets; ``ended`` None = still open."""

    id: str
    opened: datetime
    ended: datetime | None
    severity: str
    headline: str


@dataclass(frozen=True)
class Chart:
    """One series over a span, ``[P]`` points each; NaN where there is no reading or no judgement.

    A point is a bucket, or where ``decimated`` several: ``times`` is the start of its first one, ``observed`` and
    ``expected`` their mean, ``low`` and ``high`` the least and greatest reading, ``lower`` and ``upper`` the widest
    band. ``anomalies`` are the places of points that hold an anomaly. ``subscription`` and ``entry`` say whose band it
    is (empty: nobody judged the series).
    """

    metric: str
    labels: Mapping[str, str]
    title: str
    unit: str | None
    timezone: str
    bucket: str
    bucket_s: float
    subscription: str
    entry: str
    times: Instants
    observed: Floats
    low: Floats
    high: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    anomalies: tuple[int, ...]
    incidents: tuple[Episode, ...]
    decimated: bool


def chart(
    app: App,
    name: str,
    *,
    series: Mapping[str, str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    points: int = USUAL_POINTS,
    subscription: str | None = None,
    entry: str | None = None,
) -> Chart:
    """The series (None: the total, else the first) from ``since`` (None: as much as a message shows) to ``until``.

    Bands are those of the named ``subscription`` and ``entry``; where neither is named, the band that covers the most.
    Raises NotFound, BadSpan, StoreError.
    """
    metric = metric_named(app, name)
    query = app.config.queries[metric.query]
    labels, recipe = _series(app, metric, query, series)
    begin, end = _span(app, query, since, until)
    grid = query.bucket.starts(begin, end, query.timezone)
    if len(grid) > MOST_BUCKETS:
        raise BadSpan(f"{len(grid):,} buckets are too many to draw, at most {MOST_BUCKETS:,}: ask for a shorter span")
    times, values = app.store.points.read_rolled_up(query.digest, begin, end, recipe.keys, recipe.rolled_up)
    judge, judged, anomalies = _judged(app, metric, labels, begin, end, subscription, entry)
    bins = Bins(grid, min(max(points, FEWEST_POINTS), MOST_POINTS))
    low, observed, high = bins.spread(times, recipe.filled(values))
    lower, expected, upper = bins.band(judged)
    return Chart(
        metric=name,
        labels=labels,
        title=series_name(name, labels),
        unit=metric.unit,
        timezone=query.timezone,
        bucket=query.bucket.text,
        bucket_s=query.bucket.nominal.total_seconds(),
        subscription=judge[0],
        entry=judge[1],
        times=bins.times,
        observed=observed,
        low=low,
        high=high,
        expected=expected,
        lower=lower,
        upper=upper,
        anomalies=tuple(bins.holding(anomalies)),
        incidents=_episodes(app, metric, labels, begin, end, query),
        decimated=bins.width > 1,
    )


def _series(
    app: App, metric: Metric, query: Query, wanted: Mapping[str, str] | None
) -> tuple[Mapping[str, str], Recipe]:
    keys = app.store.points.keys(query.digest)
    try:
        found = recipe_of(metric, query, keys, wanted) or recipe_of(
            metric, query, keys, series_of(app, metric, wanted or {})
        )
    except PanelError as exc:
        raise UnknownSeries(str(exc)) from exc
    assert found is not None  # series_of knows the same series, or raised
    return found


def _span(app: App, query: Query, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    first, last = pulled_range(app, query)
    if (since or first) >= last or (until or last) <= first or (since and until and since >= until):
        raise BadSpan(
            f"there is nothing to draw in this span: readings go from {first:%Y-%m-%d %H:%M} "
            f"until {last:%Y-%m-%d %H:%M} UTC"
        )
    end = last if until is None or until >= last else _ceiling(query, until)
    begin = shown_from(query, end) if since is None else query.bucket.start(max(since, first), query.timezone)
    return max(first, begin), end


def _ceiling(query: Query, at: datetime) -> datetime:
    """The end of the bucket that holds the last moment before ``at``."""
    return query.bucket.next(query.bucket.start(at - timedelta(microseconds=1), query.timezone), query.timezone)


def _judged(
    app: App,
    metric: Metric,
    labels: Mapping[str, str],
    since: datetime,
    until: datetime,
    subscription: str | None,
    entry: str | None,
) -> tuple[tuple[str, str], StoredVerdicts | None, Instants]:
    """The band to draw and whose it is, and when anybody asked for called a bucket anomalous."""
    found: list[tuple[int, tuple[str, str], StoredVerdicts]] = []
    for judge in _judges(app, metric, subscription, entry):
        said = app.store.verdicts_of_series(*judge, metric.name, labels, since, until)
        if said is not None and len(said.times):
            found.append((int(np.isfinite([said.expected, said.lower, said.upper]).sum()), judge, said))
    if not found:
        return ("", ""), None, np.empty(0, dtype="datetime64[us]")
    _, judge, said = max(found, key=lambda one: one[0])
    unusual = np.concatenate([one.times[one.status[:, 0] == ANOMALY] for _, _, one in found])
    return judge, said, np.unique(unusual)


def _judges(app: App, metric: Metric, subscription: str | None, entry: str | None) -> Sequence[tuple[str, str]]:
    return [
        (one.name, detect.key)
        for one in app.config.subscriptions.values()
        if metric.name in one.metrics and subscription in (None, one.name)
        for detect in one.entries(metric.name)
        if entry in (None, detect.key)
    ]


def _episodes(
    app: App, metric: Metric, labels: Mapping[str, str], since: datetime, until: datetime, query: Query
) -> tuple[Episode, ...]:
    mark = fingerprint(metric.name, labels)
    subjects = [subject_of(one.name) for one in app.config.subscriptions.values() if metric.name in one.metrics]
    found = app.store.incidents_of_series(subjects, mark, since, _MOST_INCIDENTS)
    return tuple(_episode(app, one, query) for one in found if one.opened < until)


def _episode(app: App, incident: Incident, query: Query) -> Episode:
    audience = audience_of_subject(app, incident.subject)
    event: Literal["opened", "resolved", "retracted"] = (
        "retracted" if incident.status == "retracted" else "opened" if incident.is_open else "resolved"
    )
    after = query.bucket.next(incident.last.bucket, query.timezone)
    return Episode(
        id=incident.id,
        opened=incident.opened,
        ended=None if incident.is_open else after,
        severity=incident.severity,
        headline=wording.happened(views.view(incident, audience), event),
    )
