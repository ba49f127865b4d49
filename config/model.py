"""The configuration as the rest of the program sees it: resolved, frozen, with every default filled in.

``config.loader`` makes it from YAML; nothing here knows YAML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from config.secrets import Secret
from detectors import Detector
from detectors.buckets import Bucket
from detectors.hours import Hours

Severity = Literal["info", "warning", "critical"]
NoData = Literal["keep", "ok", "alert"]
Rollup = Literal["sum", "mean", "min", "max"]
CalendarEffect = Literal["model", "widen", "mute", "annotate"]
Require = Literal["any", "all"] | int
Mode = Literal["live", "shadow"]
PAGING = frozenset({"pagerduty"})
"""Kinds of receivers that wake people."""
CANARY = "metricwatch canary"
"""Names the source, query, metric and subscription of the canary: no name that people write holds a space."""


@dataclass(frozen=True)
class Source:
    """A warehouse. ``naive_time`` is the zone of timestamps that carry none; ``timeout`` bounds each query."""

    name: str
    url: Secret
    concurrency: int = 4
    timeout: timedelta = timedelta(seconds=60)
    naive_time: str = "UTC"


@dataclass(frozen=True)
class Receiver:
    """Where messages go: the name of a notifier and its parameters as written (secrets unresolved).

    ``fallback`` names the receiver that is told instead while this one is out of order.
    """

    name: str
    notifier: str
    parameters: Mapping[str, object]
    fallback: str | None = None


@dataclass(frozen=True)
class Restate:
    """Buckets of the last ``window`` are pulled again each ``every``."""

    window: timedelta
    every: timedelta


@dataclass(frozen=True)
class Late:
    """How long after a bucket was due (its end + delay) its absence is a health incident."""

    warning: timedelta | None
    critical: timedelta | None


@dataclass(frozen=True)
class OnError:
    """After ``after`` failed attempts the receivers ``notify`` are told."""

    after: int = 3
    notify: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """One SQL text over a source, pulled once however many metrics use it.

    ``row_cap`` bounds the rows of one chunk; ``max_series`` the dimension combinations of each of its metrics.
    """

    name: str
    source: str
    sql: str
    bucket: Bucket
    timezone: str
    delay: timedelta = timedelta(0)
    restate: Restate | None = None
    late: Late | None = None
    history: timedelta = timedelta(days=400)
    max_series: int = 1000
    row_cap: int = 1_000_000
    on_error: OnError = field(default_factory=OnError)

    @property
    def digest(self) -> str:
        """Names the stored points: the hash of normalised SQL, source, bucket and the zone of calendar buckets."""
        zone = self.timezone if self.bucket.is_calendar else ""
        parts = (" ".join(self.sql.split()).rstrip("; "), self.source, self.bucket.text, zone)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Metric:
    """One value column of a query, at the dimensions named (none: one total series), the others rolled up."""

    name: str
    query: str
    value: str
    dimensions: tuple[str, ...] = ()
    rollup: Rollup | None = None
    total: bool = False
    fill: Literal["zero"] | None = None
    better: Literal["higher", "lower"] | None = None
    unit: str | None = None
    tags: tuple[str, ...] = ()
    max_series: int = 1000


@dataclass(frozen=True)
class Guard:
    """All that are set must be met before an anomaly counts. ``min_change`` is a share (0.08 = 8 %)."""

    direction: Literal["worse", "up", "down", "both"] = "both"
    min_change: float | None = None
    min_difference: float | None = None


@dataclass(frozen=True)
class Detect:
    """One entry of ``detect``: a detector, narrowed to a metric and to series, and how severe its anomalies are.

    ``key`` names the entry's state in the store and survives reordering: ``seasonal``, ``threshold-2``.
    ``where`` None = all series of the metrics; ``"total"`` = the total series; else dimension values to match.
    ``critical`` None = never critical by score; ``severity`` fixes it.
    """

    key: str
    name: str
    detector: Detector
    metric: str | None = None
    where: Mapping[str, str] | Literal["total"] | None = None
    severity: Severity | None = None
    critical: float | None = 2.0


@dataclass(frozen=True)
class IncidentRules:
    """``open_after`` and ``resolve_after`` in buckets.

    An anomaly whose bucket ended more than ``max_age`` before it was judged is recorded and shown, never sent; None =
    the larger of 24 h and 3 buckets.
    """

    open_after: int = 2
    resolve_after: int = 3
    no_data: NoData = "keep"
    max_age: timedelta | None = None


def age_limit(max_age: timedelta | None, bucket: timedelta) -> timedelta:
    """How long after its bucket ended an anomaly is still worth telling: ``max_age``, else max(24 h, 3 buckets)."""
    return max_age or max(timedelta(days=1), 3 * bucket)


@dataclass(frozen=True)
class DeliveryRules:
    group_by: tuple[str, ...] = ("subscription",)
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)


@dataclass(frozen=True)
class MuteWindow:
    """Hours of the week, ``text`` as written, by the clock of the subscription's time zone."""

    text: str
    hours: Hours


@dataclass(frozen=True)
class MonthDay:
    """The same day of every month, or of one ``month`` a year; in a shorter month its last day (31 = month end).

    ``weekend`` moves a day on Saturday or Sunday to the Friday before or the Monday after.
    """

    name: str
    day: int
    month: int | None = None
    weekend: Literal["before", "after"] | None = None


@dataclass(frozen=True)
class NthWeekday:
    """The ``nth`` ``weekday`` (Monday 0) of every month, or of one ``month`` a year, and ``days_after`` days on.

    ``nth`` −1 = the last one; a fifth one is not in every month.
    """

    name: str
    weekday: int
    nth: int
    month: int | None = None
    days_after: int = 0


@dataclass(frozen=True)
class Calendar:
    """Days that differ, by name, and what they do to judging. ``before`` and ``after`` count days around each."""

    name: str
    country: str | None = None
    subdivision: str | None = None
    days: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    recurring: tuple[MonthDay | NthWeekday, ...] = ()
    before: int = 0
    after: int = 0
    effect: CalendarEffect = "model"


@dataclass(frozen=True)
class Subscription:
    """Who cares about which metrics, judged how, told where. ``metrics`` are names, patterns resolved.

    ``require``: how many of the detect entries that judge a series must call a bucket anomalous.
    """

    name: str
    metrics: tuple[str, ...]
    detect: tuple[Detect, ...]
    notify: Mapping[Severity, tuple[str, ...]]
    """Receivers by the least severity that reaches them."""
    timezone: str = "UTC"
    team: str | None = None
    slack_owner: str | None = None
    runbook: str | None = None
    guard: Guard = Guard()
    incident: IncidentRules = IncidentRules()
    delivery: DeliveryRules = DeliveryRules()
    calendars: tuple[Calendar, ...] = ()
    """Their days are those of ``timezone``."""
    require: Require = "any"
    mode: Mode = "live"
    """``shadow``: judged and shown, nobody is told."""
    mute: tuple[MuteWindow, ...] = ()
    """What opens in one of them is told once it is over."""

    def entries(self, metric: str) -> tuple[Detect, ...]:
        """The detect entries that judge this metric."""
        return tuple(entry for entry in self.detect if entry.metric in (None, metric))

    def receivers(self, severity: Severity) -> tuple[str, ...]:
        """Who is told of an incident of this severity: its own receivers and those of every lower one."""
        order: tuple[Severity, ...] = ("info", "warning", "critical")
        told = [name for level in order[: order.index(severity) + 1] for name in self.notify.get(level, ())]
        return tuple(dict.fromkeys(told))


@dataclass(frozen=True)
class Canary:
    """One made-up incident ``every`` so often (counted from midnight UTC of 1970-01-01), told to ``notify``."""

    notify: tuple[str, ...]
    every: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class Config:
    """``canary``: its source, query, metric and subscription are among the others."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    queries: Mapping[str, Query] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    canary: Canary | None = None

    def metrics_of(self, query: str) -> tuple[Metric, ...]:
        return tuple(metric for metric in self.metrics.values() if metric.query == query)

    def watched(self, query: str) -> tuple[tuple[Subscription, Metric], ...]:
        """Every (subscription, metric) pair that is fed by this query, in the order of the files."""
        return tuple(
            (subscription, self.metrics[name])
            for subscription in self.subscriptions.values()
            for name in subscription.metrics
            if self.metrics[name].query == query
        )
