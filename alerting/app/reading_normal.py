"""Series and queries without an incident: what is about to become one, what brings no reading, what fails, the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from alerting.app.application import App
from alerting.app.reading_points import audience_of_subject
from alerting.core import health, views
from alerting.core.blocks import Block
from alerting.core.figures import amount, count, series_name
from alerting.core.health import QueryState
from alerting.core.incidents import Incident, SeriesState
from alerting.pipeline import is_zero_filled
from config.model import Config, Metric, Query, Subscription
from detectors.buckets import as_datetime
from notifiers import wording

MOST_NAMES = 5
MOST_PENDING = 50
Match = Callable[[Subscription, Metric, Mapping[str, str]], bool]
Pairs = Sequence[tuple[Subscription, Metric]]


@dataclass(frozen=True)
class Pending:
    """A series that is unusual, but not for long enough. ``reason``: how many buckets of how many, and the numbers."""

    metric: str
    labels: Mapping[str, str]
    title: str
    subscription: str
    since: datetime
    reason: str
    timezone: str


@dataclass(frozen=True)
class NoReading:
    """The series of a metric that have no reading in the newest bucket; ``names`` are some of them, without the metric.

    A metric without any (``missing`` = ``series``) has no names.
    """

    metric: str
    bucket: datetime
    missing: int
    series: int
    names: tuple[str, ...]
    timezone: str


@dataclass(frozen=True)
class Trouble:
    """A query, a file or a receiver that is not well. ``incident``: its open incident, if there is one already."""

    query: str
    """Empty for a file or a receiver."""
    title: str
    reason: str
    severity: str
    since: datetime | None
    incident: str | None
    timezone: str


@dataclass(frozen=True)
class Calm:
    """``watched`` metrics, ``normal`` of them unremarkable, and the oldest of their last evaluations (None: never)."""

    watched: int
    normal: int
    oldest: datetime | None


def pending(app: App, match: Match) -> tuple[Pending, ...]:
    """In the order of the subscriptions. Raises StoreError."""
    config, found = app.config, []
    for state in app.store.overview.waiting():
        subscription = config.subscriptions.get(state.subject.partition(":")[2])
        metric = config.metrics.get(state.metric)
        if subscription and metric and match(subscription, metric, state.labels):
            found.append(_pending(state, subscription, metric))
    return tuple(found[:MOST_PENDING])


def silent(app: App, pairs: Pairs, states: Mapping[str, QueryState]) -> tuple[NoReading, ...]:
    """Metrics of which some series have no reading in the newest bucket that is final. Raises StoreError."""
    config = app.config
    metrics = {metric.name: metric for _, metric in pairs if metric.fill != "zero"}
    wanted: dict[str, datetime] = {}
    for name in {metric.query for metric in metrics.values()}:
        query, state = config.queries[name], states.get(name)
        if state is not None and state.watermark is not None and state.digest == query.digest and not state.failures:
            wanted[query.digest] = _before(query, state.watermark)
    newest = app.store.points.newest(wanted)
    found: list[NoReading] = []
    for metric in metrics.values():
        block = newest.get(config.queries[metric.query].digest)
        if block is not None and bool(np.isnan(block.values).any()):
            found += _without_reading(metric, config.queries[metric.query], block)
    return tuple(found)


def troubles(
    app: App,
    pairs: Pairs,
    states: Mapping[str, QueryState],
    incidents: Sequence[Incident],
    is_filtered: bool,
    now: datetime,
) -> tuple[Trouble, ...]:
    """Open incidents of health first, then queries that fail or are late without one yet.

    Files and receivers belong to nobody's filter.
    """
    queries = {metric.query for _, metric in pairs}
    told = [_told(app, one) for one in incidents if (one.metric in queries if _is_of_query(one) else not is_filtered)]
    known = {one.query for one in told}
    untold = [
        one
        for name in sorted(queries - known)
        if name in states
        for one in _untold(app.config, app.config.queries[name], states[name], now)
    ]
    return (*told, *untold)


def calm(pairs: Pairs, states: Mapping[str, QueryState], unusual: Collection[str], ailing: Collection[str]) -> Calm:
    metrics = {metric.name: metric.query for _, metric in pairs}
    normal = sum(name not in unusual and query not in ailing for name, query in metrics.items())
    evaluated = [states[query].attempted for query in set(metrics.values()) if query in states]
    return Calm(len(metrics), normal, min((at for at in evaluated if at is not None), default=None))


def _pending(state: SeriesState, subscription: Subscription, metric: Metric) -> Pending:
    reading, needed = state.first_pending, subscription.incident.open_after
    what = "without a reading" if state.status == "no_data" else "unusual"
    numbers = ""
    if reading is not None and reading.observed == reading.observed:
        usual = f", expected {amount(reading.expected)}" if reading.expected == reading.expected else ""
        numbers = f": {amount(reading.observed, metric.unit)}{usual}"
    return Pending(
        metric=metric.name,
        labels=state.labels,
        title=series_name(metric.name, state.labels),
        subscription=subscription.name,
        since=state.since,
        reason=f"{what} for {state.streak} of {count(needed, 'bucket')}{numbers}",
        timezone=subscription.timezone,
    )


def _without_reading(metric: Metric, query: Query, block: Block) -> Iterable[NoReading]:
    """At most one: a series misses its reading where none of the columns that it is made of has one."""
    has_reading: dict[tuple[str, ...], bool] = {}
    for key, value in zip(block.keys, block.values[0].tolist(), strict=True):
        if key.value == metric.value:
            dimensions = dict(key.dimensions)
            series = tuple(dimensions.get(name, "") for name in metric.dimensions)
            has_reading[series] = has_reading.get(series, False) or value == value
    missing = sorted(series for series, is_there in has_reading.items() if not is_there)
    if missing:
        names = tuple(", ".join(one) for one in missing[:MOST_NAMES]) if len(missing) < len(has_reading) else ()
        bucket = as_datetime(block.times[0])
        yield NoReading(metric.name, bucket, len(missing), len(has_reading), names, query.timezone)


def _is_of_query(incident: Incident) -> bool:
    return incident.subject.startswith("query:")


def _told(app: App, incident: Incident) -> Trouble:
    audience = audience_of_subject(app, incident.subject)
    view = views.view(incident, audience)
    return Trouble(
        query=incident.metric if _is_of_query(incident) else "",
        title=wording.title(view),
        reason=wording.happened(view, "opened").removeprefix(f"{wording.title(view)}: "),
        severity=incident.severity,
        since=incident.opened,
        incident=incident.id,
        timezone=audience.timezone,
    )


def _untold(config: Config, query: Query, state: QueryState, now: datetime) -> Iterable[Trouble]:
    found = health.readings(query, state, now, zero_filled=is_zero_filled(config, query))
    for kind, reading in found.items():
        if reading.status == "anomaly" or (kind == "failing" and state.failures):
            yield Trouble(query.name, query.name, reading.reason, reading.severity, None, None, query.timezone)


def _before(query: Query, end: datetime) -> datetime:
    """The start of the bucket that ends at ``end``."""
    return query.bucket.start(end - query.bucket.nominal / 2, query.timezone)
