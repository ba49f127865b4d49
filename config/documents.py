"""The keys of the YAML files: what is written, before names are looked up. The descriptions are the reference manual.

Every field is optional here because ``defaults`` and ``templates`` may bring it; ``config.assembly`` asks for what an
entry cannot do without. Keys of later releases are fields of type ``Later``: known, refused, never ignored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.durations import Duration, PositiveDuration
from config.model import CalendarEffect, Mode, NoData, Rollup
from config.scalars import (
    BucketText,
    DayName,
    Days,
    FolderPath,
    Share,
    SlackOwner,
    TimeZone,
    WebAddress,
    WeekHours,
    WholeDays,
)

NOT_YET = "not_available_yet"
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
RecurringName = Literal["month_end", "month_start", "black_friday", "cyber_monday"]


def not_yet(what: str) -> PydanticCustomError:
    return PydanticCustomError(NOT_YET, "not available yet: {what} with a later release", {"what": what})


def _later(what: str) -> BeforeValidator:
    def refuse(value: object) -> object:
        raise not_yet(what)

    return BeforeValidator(refuse)


def _schema_of_later(what: str) -> WithJsonSchema:
    return WithJsonSchema({"not": {}, "description": f"not available yet: {what} with a later release"})


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceDocument(Document):
    """A warehouse."""

    url: str | None = Field(
        None, description="SQLAlchemy URL; secrets as ${env:NAME} or ${file:PATH}; relative files: working directory"
    )
    concurrency: int = Field(4, ge=1, le=100, description="how many queries run at the same time")
    timeout: PositiveDuration | None = Field(None, description="each query is cancelled after this (default 60s)")
    naive_time: TimeZone = Field("UTC", description="time zone of timestamps that carry none")
    limits: Annotated[object, _later("limits come"), _schema_of_later("limits come")] = None


class RecurringDocument(Document):
    """``{day: 25}`` or ``{weekday: friday, nth: 2}``: a day of every month, with ``month`` of every year."""

    day: int | None = Field(None, ge=1, le=31, description="day of the month; in shorter months the last one")
    weekday: Weekday | None = Field(None, description="a weekday, with nth")
    nth: Literal[1, 2, 3, 4, 5, "last"] | None = Field(None, description="which one of the month: 1 to 5, or last")
    month: int | None = Field(None, ge=1, le=12, description="only in this month (1 to 12)")
    weekend: Literal["before", "after"] | None = Field(
        None, description="a day on a weekend moves to the Friday before or the Monday after"
    )
    name: DayName | None = Field(None, description="what people read: Pay day")


class CalendarDocument(Document):
    """Days that differ: public holidays, own dates, recurring ones; and what they do to judging."""

    country: str | None = Field(None, description="public holidays of this country: ISO 3166 code, such as US")
    subdivision: str | None = Field(None, description="also those of this state or region, such as CA")
    days: dict[DayName, Days] = Field({}, description="own days by name: 2026-11-27, a list, or first/last")
    recurring: list[RecurringName | RecurringDocument] = Field(
        [], description="month_end, month_start, black_friday, cyber_monday, {day: 25}, {weekday: friday, nth: 2}"
    )
    before: WholeDays = Field(0, description="this many days before each day count too (default 0d)")
    after: WholeDays = Field(0, description="this many days after each day count too (default 0d)")
    effect: CalendarEffect = Field(
        "model",
        description="model: learned by name; widen: the band is wider; mute: opens nothing; annotate: only shown",
    )


class RestateDocument(Document):
    window: PositiveDuration | None = Field(None, description="how far back the warehouse may still change points")
    every: PositiveDuration | None = Field(None, description="how often that window is pulled again")


class LateDocument(Document):
    warning: PositiveDuration | None = Field(None, description="late by this after it was due: a warning")
    critical: PositiveDuration | None = Field(None, description="late by this after it was due: critical")


class OnErrorDocument(Document):
    after: int = Field(3, ge=1, le=1000, description="failed attempts in a row before people are told")
    notify: list[str] = Field([], description="receivers of health incidents: late, failing, empty, schema changed")


class QueryDocument(Document):
    """One SQL text over a source, pulled once however many metrics use it."""

    template: str | None = Field(None, description="name of a template that this entry is laid over")
    source: str | None = Field(None, description="name of the source")
    bucket: BucketText | None = Field(None, description="width of a point: 1m to 12h (a divisor of a day), 1d, 1w, 1mo")
    timezone: TimeZone | None = Field(None, description="zone of calendar buckets and seasons (default: defaults, UTC)")
    delay: Duration | None = Field(None, description="a bucket is pulled this long after it closes (default 0s)")
    restate: RestateDocument | None = Field(None, description="pull again what the warehouse may still change")
    late: LateDocument | None = Field(None, description="how long after it was due missing data is an incident")
    history: PositiveDuration | None = Field(
        None, description="first pull, and how long points are kept (default 400d)"
    )
    max_series: int | None = Field(None, ge=1, le=1_000_000, description="most dimension combinations (default 1000)")
    sql: str | None = Field(None, min_length=1, description="SELECT of time, values and dimensions; :start and :end")
    sql_file: FolderPath | None = Field(None, description="path of a file with the SQL, inside this folder")
    on_error: OnErrorDocument | None = Field(None, description="who is told when the query is late or failing")


class MetricDocument(QueryDocument):
    """One value column of a query, or with ``source`` and ``sql`` a query of its own."""

    query: str | None = Field(None, description="name of the query that brings the value column")
    value: str | None = Field(None, description="name of the value column")
    dimensions: list[str] | None = Field(None, description="columns that split the metric into series")
    rollup: Rollup | None = Field(None, description="how the other dimensions (and the total) are added up")
    total: bool | None = Field(None, description="true: also a series over all dimension values")
    fill: Literal["zero"] | None = Field(None, description="zero: a bucket without a row counts as 0")
    better: Literal["higher", "lower"] | None = Field(None, description="which direction is good news")
    unit: str | None = Field(None, max_length=40, description="unit of the values, as people read it")
    tags: list[str] | None = Field(None, description="words by which subscriptions select (tag:NAME)")
    ratio: Annotated[object, _later("ratios come"), _schema_of_later("ratios come")] = None
    min_denominator: Annotated[object, _later("ratios come"), _schema_of_later("ratios come")] = None


class OwnerDocument(Document):
    team: str | None = Field(None, max_length=100, description="name of the team")
    slack: SlackOwner | None = Field(
        None, description="user (U…, W…) or user-group (S…) id: the only mention ever sent"
    )


class GuardDocument(Document):
    direction: Literal["worse", "up", "down", "both"] = Field("both", description="worse: against `better`")
    min_change: Share | None = Field(None, description="smallest distance from the expectation, as a share of it: 8%")
    min_difference: float | None = Field(None, gt=0, description="smallest distance, in the metric's unit")


class IncidentDocument(Document):
    open_after: int = Field(2, ge=1, le=1000, description="anomalous buckets in a row before an incident opens")
    resolve_after: int = Field(3, ge=1, le=1000, description="clean buckets in a row before it resolves")
    no_data: NoData = Field("keep", description="buckets without reading: keep, ok (count as clean) or alert")
    max_age: PositiveDuration | None = Field(
        None,
        description="an anomaly whose bucket ended longer ago is shown, not sent (default 24h, or 3 buckets if longer)",
    )


class DeliveryDocument(Document):
    """How notices are gathered into messages; each means what it means in Alertmanager."""

    group_by: list[str] | None = Field(
        None, description="one message for each: subscription (default), metric, names of dimensions"
    )
    group_wait: Duration | None = Field(None, description="a new group waits this long for others (default 30s)")
    group_interval: PositiveDuration | None = Field(
        None, description="least time between two messages of a group, unless it is more severe (default 5m)"
    )
    repeat_interval: PositiveDuration | None = Field(
        None, description="what is still open is told again after this (default 4h)"
    )


class NotifyDocument(Document):
    info: list[str] = Field([], description="receivers told from info on")
    warning: list[str] = Field([], description="receivers told from warning on")
    critical: list[str] = Field([], description="receivers told of critical incidents")


class DetectDocument(Document):
    """What every entry of ``detect`` may say beside the parameters of its detector."""

    metric: str | None = Field(None, description="judge only this metric of the subscription")
    where: dict[str, str] | Literal["total"] | None = Field(
        None, description="judge only series with these dimension values; total: the total series"
    )
    severity: Literal["info", "warning", "critical"] | None = Field(None, description="fixes the severity")
    critical: Annotated[float, Field(gt=1)] | Literal["never"] = Field(
        2.0, description="critical from this score on (above 1); never"
    )


class SubscriptionDocument(Document):
    """Who cares about which metrics, judged how, told where."""

    template: str | None = Field(None, description="name of a template that this entry is laid over")
    metrics: list[str] | None = Field(None, min_length=1, description="names, patterns (checkout.*) or tag:NAME")
    owner: OwnerDocument | None = Field(None, description="who is asked")
    runbook: WebAddress | None = Field(None, description="what to do then")
    mode: Mode = Field("live", description="live: judge and tell; shadow: judge and show, tell nobody")
    detect: list[dict[str, object]] | None = Field(
        None, min_length=1, description="detectors; require says how many of them open an incident (any)"
    )
    guard: GuardDocument | None = Field(None, description="all of these must be met before an anomaly counts")
    notify: NotifyDocument | None = Field(None, description="receivers by the least severity that reaches them")
    incident: IncidentDocument | None = Field(None, description="when incidents open and resolve, in buckets")
    delivery: DeliveryDocument | None = Field(None, description="how notices are gathered")
    timezone: TimeZone | None = Field(None, description="zone of `during` and of the times people read")
    calendars: list[str] | None = Field(None, description="names of calendars, by the days of the time zone")
    mute: list[WeekHours] = Field(
        [], description="what opens then is told once it is over: Sun 02:00-04:00, by the clock of the time zone"
    )
    require: Literal["any", "all"] | Annotated[int, Field(ge=1, le=100)] = Field(
        "any", description="how many of the detect entries that judge a series must agree: any, all, or a number"
    )
    tests: Annotated[object, _later("tests come"), _schema_of_later("tests come")] = None
    digest: Annotated[object, _later("digests come"), _schema_of_later("digests come")] = None


class DefaultsDocument(Document):
    """Laid under every query and every subscription, under its template."""

    timezone: TimeZone | None = Field(None, description="of queries and subscriptions")
    source: str | None = Field(None, description="of queries")
    bucket: BucketText | None = Field(None, description="of queries")
    delay: Duration | None = Field(None, description="of queries")
    restate: RestateDocument | None = Field(None, description="of queries")
    late: LateDocument | None = Field(None, description="of queries")
    history: PositiveDuration | None = Field(None, description="of queries")
    max_series: int | None = Field(None, ge=1, le=1_000_000, description="of queries and metrics")
    on_error: OnErrorDocument | None = Field(None, description="of queries")
    owner: OwnerDocument | None = Field(None, description="of subscriptions")
    runbook: WebAddress | None = Field(None, description="of subscriptions")
    detect: list[dict[str, object]] | None = Field(None, min_length=1, description="of subscriptions")
    guard: GuardDocument | None = Field(None, description="of subscriptions")
    notify: NotifyDocument | None = Field(None, description="of subscriptions")
    incident: IncidentDocument | None = Field(None, description="of subscriptions")
    delivery: DeliveryDocument | None = Field(None, description="of subscriptions")
    calendars: list[str] | None = Field(None, description="of subscriptions")


class CanaryDocument(Document):
    """A built-in metric whose made-up incident must come out of every receiver named, or the heartbeat stops."""

    notify: list[str] = Field([], description="receivers that get it; none that wakes people, such as pagerduty")
    every: PositiveDuration = Field(timedelta(days=1), description="how often, 2h or longer (default 1d)")


RECEIVER_KEYS = {"fallback": "name of the receiver that is told instead while this one is out of order"}
