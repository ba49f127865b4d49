"""What the API answers about metrics, sources and subscriptions, as values that become JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from alerting.app import reading_metric, reading_metrics, reading_parts, reading_sources, reading_subscriptions
from alerting.app.answers import Answer, Incident, Number, Silence, every, incident_of
from alerting.app.reading_freshness import Condition
from alerting.core.incidents import Severity
from detectors.contract import Instants


class Cost(Answer):
    """What answered pulls took."""

    pulls: int
    rows: int
    seconds: float


class LastPull(Answer):
    """The newest evaluation whose warehouse answered."""

    at: datetime
    cost: Cost


class Freshness(Answer):
    """Where a query stands; what never was is null."""

    query: str
    source: str
    bucket: str
    timezone: str
    condition: Condition
    reason: str
    """why it is not fresh; empty: it is"""
    metrics: tuple[str, ...]
    watermark: datetime | None
    """end of the newest bucket taken as final"""
    attempted: datetime | None
    """the last evaluation"""
    succeeded: datetime | None
    due: datetime | None
    """when it is pulled next; in the past: it is owed"""
    last: LastPull | None
    day: Cost
    """pulls of the last 24 hours"""
    week: Cost
    """pulls of the last 7 days"""


class Source(Answer):
    """One warehouse, without its address."""

    name: str
    dialect: str
    """empty where its URL cannot be read"""
    standing: reading_sources.Standing
    reason: str
    """why it does not work; empty: it does"""
    concurrency: int
    timeout_s: float
    queries: tuple[Freshness, ...]
    metrics: tuple[str, ...]
    day: Cost
    week: Cost


class Sources(Answer):
    """Those that do not work first."""

    sources: tuple[Source, ...]


class Origin(Answer):
    """Where an entry is written, and its text."""

    path: str
    line: int
    text: str


class Told(Answer):
    """One receiver of a subscription."""

    receiver: str
    kind: str
    severity: Severity
    """the least that reaches it"""
    note: str
    """why it hears nothing at the moment; empty: it is told"""


class Subscription(Answer):
    """One subscription as it is written, and what it would do now."""

    name: str
    origin: Origin
    mode: reading_subscriptions.Mode
    hushed: str
    """why whatever opens now is not sent; empty: it is"""
    team: str | None
    runbook: str | None
    timezone: str
    metrics: tuple[str, ...]
    detect: tuple[str, ...]
    """its detect entries in words"""
    told: tuple[Told, ...]
    pages_per_month: float | None
    """by its budgets; null where no entry has one"""
    open: int
    """how many of its incidents are open"""


class Subscriptions(Answer):
    """In the order of the files."""

    subscriptions: tuple[Subscription, ...]


class OpenGroup(Answer):
    """One message that stands."""

    id: str
    receiver: str
    severity: Severity
    opened: datetime
    incidents: tuple[str, ...]
    note: str
    """why nobody got it; empty: it was sent"""


class SubscriptionStory(Answer):
    """One subscription with its open messages and its last alerts."""

    subscription: Subscription
    alerts: tuple[Incident, ...]
    groups: tuple[OpenGroup, ...]


class Metric(Answer):
    """One metric as it stands."""

    name: str
    unit: str | None
    bucket: str
    timezone: str
    tags: tuple[str, ...]
    teams: tuple[str, ...]
    subscriptions: tuple[str, ...]
    query: str
    standing: reading_metrics.Standing
    reason: str
    """why it stands so; empty: it is normal"""
    series: int
    labels: Mapping[str, str]
    """the series of which newest is: the total, else the largest"""
    newest: Number
    """its last reading"""
    watermark: datetime | None


class Metrics(Answer):
    """The worst first."""

    metrics: tuple[Metric, ...]


class Series(Answer):
    """One series of a metric."""

    labels: Mapping[str, str]
    """empty: the total"""
    standing: reading_metrics.Standing
    size: Number
    """sum of its last readings"""


class Band(Answer):
    """A detector whose usual range can be drawn."""

    subscription: str
    entry: str
    words: str


class MetricStory(Answer):
    """Everything that is known of one metric; its readings are at its address with `/chart`."""

    metric: Metric
    sql: str
    better: Literal["higher", "lower"] | None
    freshness: Freshness
    series: tuple[Series, ...]
    """the total first, then the worst, then the largest"""
    bands: tuple[Band, ...]
    subscriptions: tuple[Subscription, ...]
    silences: tuple[Silence, ...]
    """those that run and match one of its series"""
    alerts: tuple[Incident, ...]
    """of the last 90 days, open ones first"""
    first: datetime | None
    """start of the first reading"""
    end: datetime | None
    """end of the newest reading"""
    problem: str
    """why there is no series; empty: there are"""


class Component(Answer):
    """One of the values that add up to the readings."""

    name: str
    values: list[Number]
    strength: float | None
    """of a season: the share of what is not level that it explains"""


class Parts(Answer):
    """A series taken apart; all lists are equally long."""

    title: str
    unit: str | None
    timezone: str
    times: list[int]
    """start of each bucket, seconds since 1970"""
    observed: list[Number]
    components: tuple[Component, ...]
    notes: tuple[str, ...]
    """what was left out, and why"""


def sources_of(found: Iterable[reading_sources.SourceLine]) -> Sources:
    return Sources(sources=every(Source, found))


def subscriptions_of(found: Iterable[reading_subscriptions.SubscriptionLine]) -> Subscriptions:
    return Subscriptions(subscriptions=every(Subscription, found))


def subscription_of(found: reading_subscriptions.SubscriptionPage) -> SubscriptionStory:
    return SubscriptionStory(
        subscription=Subscription.model_validate(found.line),
        alerts=tuple(map(incident_of, found.alerts)),
        groups=every(OpenGroup, found.groups),
    )


def metrics_of(found: Iterable[reading_metrics.MetricLine]) -> Metrics:
    return Metrics(metrics=every(Metric, found))


def metric_of(found: reading_metric.MetricPage) -> MetricStory:
    return MetricStory(
        metric=Metric.model_validate(found.line),
        sql=found.sql,
        better=found.metric.better,
        freshness=Freshness.model_validate(found.freshness),
        series=every(Series, found.series),
        bands=every(Band, found.bands),
        subscriptions=every(Subscription, found.subscriptions),
        silences=every(Silence, found.silences),
        alerts=tuple(map(incident_of, found.alerts)),
        first=found.first,
        end=found.end,
        problem=found.problem,
    )


def parts_of(found: reading_parts.Parts) -> Parts:
    return Parts(
        title=found.title,
        unit=found.unit,
        timezone=found.timezone,
        times=_epochs(found.times),
        observed=found.observed.tolist(),
        components=tuple(
            Component(name=one.name, values=one.values.tolist(), strength=one.strength) for one in found.components
        ),
        notes=found.notes,
    )


def _epochs(times: Instants) -> list[int]:
    return [int(time) for time in times.astype("datetime64[s]").astype(int)]
