"""What every notifier speaks: a notification in, a receipt out.

A notification is a snapshot of one group of incidents, worded for people by ``notifiers.wording``; it is stored in
the outbox as JSON and rendered by the notifier when it is sent.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Severity = Literal["info", "warning", "critical"]
IncidentStatus = Literal["firing", "recovering", "resolved", "retracted"]
Kind = Literal["trigger", "update", "resolve"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Owner(_Value):
    team: str | None = None
    slack: str | None = None
    """A Slack user (``U…``/``W…``) or user-group (``S…``) id: the only mention ever sent."""


def _known(value: object) -> object:
    """JSON has no NaN and no infinity, and services refuse them: they are numbers that are not known."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Figure = Annotated[float | None, BeforeValidator(_known)]


class IncidentView(_Value):
    """One incident as people read it. Numbers are in the metric's unit; None = not known. Times are aware UTC."""

    id: str
    metric: str
    """The metric's name; for a health incident the name of the query, the file or the receiver."""
    dimensions: dict[str, str] = {}
    """The series; empty = the total."""
    status: IncidentStatus
    severity: Severity
    kind: Literal[
        "metric",
        "late",
        "failing",
        "empty",
        "schema",
        "judging",
        "config",
        "receiver",
        "undelivered",
        "canary",
        "state",
    ] = "metric"
    unit: str | None = None
    additive: bool = False
    """True where the value counts what happened in the bucket (a sum), so that it reads as a rate: ``612 orders/h``."""
    better: Literal["higher", "lower"] | None = None
    bucket: str | None = None
    """Width of a bucket as written (``1h``)."""
    opened: datetime
    """Start of the first anomalous bucket."""
    detected: datetime
    """When the incident opened."""
    latest: datetime
    """Start of the newest bucket judged."""
    resolved: datetime | None = None
    observed: Figure = None
    expected: Figure = None
    lower: Figure = None
    upper: Figure = None
    score: Figure = None
    worst_observed: Figure = None
    worst_expected: Figure = None
    worst_score: Figure = None
    direction: Literal[-1, 0, 1] = 0
    detector: str = ""
    reason: str = ""
    """What the detector, or the query's health, said; one phrase."""
    calendar: str = ""
    """The named days that its first, worst or newest bucket is part of: ``Thanksgiving Day``."""
    flapping: bool = False
    """True while it is held open because its series kept opening and ending."""


class TimelineEntry(_Value):
    at: datetime
    text: str


class Spark(_Value):
    """The last buckets of the worst series, oldest first, for charts made of text; None = no reading, no bound.

    All four are equally long (at most 120); ``anomalies`` are True where the point was judged unusual.
    """

    observed: tuple[Figure, ...] = Field(max_length=120)
    lower: tuple[Figure, ...] = Field(default=(), max_length=120)
    upper: tuple[Figure, ...] = Field(default=(), max_length=120)
    anomalies: tuple[bool, ...] = Field(default=(), max_length=120)

    @model_validator(mode="after")
    def _equally_long(self) -> Self:
        lengths = {len(part) for part in (self.lower, self.upper, self.anomalies) if part}
        if lengths - {len(self.observed)}:
            raise ValueError(f"{len(self.observed)} readings beside parts of {sorted(lengths)}")
        return self


class Notification(_Value):
    """Everything that one message to one receiver says.

    ``delivery_id`` is unique for ever and travels in the message, so that an uncertain send can be looked up.
    ``group_id`` is the id of the group occurrence and PagerDuty's ``dedup_key`` (ASCII, ≤ 255).
    ``incidents`` are worst first. ``changes`` is what is new since the receiver's last version (the thread post);
    ``remote_id`` the receipt of the group's first message (None: there is none yet).
    """

    delivery_id: str
    group_id: str
    receiver: str
    sequence: int
    kind: Kind
    severity: Severity
    subscription: str
    """Name of the subscription, or of the query for health incidents."""
    created: datetime
    timezone: str = "UTC"
    incidents: tuple[IncidentView, ...]
    unlisted: int = 0
    """How many more incidents the group has: ``incidents`` is bounded."""
    pending: int = 0
    """How many series of the subscription had bad readings when this was made, and not enough of them to open."""
    changes: tuple[TimelineEntry, ...] = ()
    raises_severity: bool = False
    """True where this version is more severe than the last one told."""
    owner: Owner = Owner()
    runbook: str | None = None
    links: dict[str, str] = {}
    """Title → URL: Dashboard, Why."""
    joined: bool = False
    """True where an incident joined that this receiver was not told of yet."""
    remote_id: str | None = None
    possible_repeat: bool = False
    """True where an earlier attempt may have arrived and the service cannot tell: the message says so."""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    """When somebody took care of the group; None = nobody did."""
    silenced_until: datetime | None = None
    """End of the silence that holds all open incidents of the group; None = none does."""
    silenced_by: str = ""
    silence_comment: str = ""
    """Why, as its author wrote it."""
    fallback_for: str = ""
    """The receiver in whose place this one is told; empty = it is told itself."""
    fallback_reason: str = ""
    """What keeps that receiver from being told (``is out of order (…)``); empty = nothing does any more."""
    quiet: bool = False
    """True for a silent edit: no thread post, no broadcast, nothing for PagerDuty; a resolve is sent all the same."""
    is_reminder: bool = False
    """True where nothing changed but the time: the group is still open."""
    event: Literal["", "acknowledged", "reminder"] = ""
    """What this version is about beside incidents: its first acknowledgement, or a reminder."""
    spark: Spark | None = None
    chart: bytes | None = Field(default=None, exclude=True, repr=False)
    """PNG of series, band and marked anomaly; best effort. None also where the one that is shown is good enough."""

    @property
    def is_resolved(self) -> bool:
        return self.kind == "resolve"


class Receipt(_Value):
    """Proof of a delivery: ``remote_id`` is what later edits need (Slack: ``channel:ts`` of the root)."""

    remote_id: str | None = None
    chart: Literal["", "new", "kept"] = ""
    """What the message shows: no chart, the one that came with this notification, or an earlier one."""
    note: str = ""
    """What was left out (``without chart: …``); empty when all was said."""


class Pace(_Value):
    """At most ``burst`` at once and ``per_second`` after that, counted per ``scope`` (a channel, a routing key)."""

    scope: str
    per_second: float
    burst: int = 1


class Notifier(BaseModel, ABC):
    """One receiver of one service. Parameters are pydantic fields with descriptions, as for detectors.

    ``send`` makes one attempt (the ladder for refused content included) and never retries by itself: pace, order and
    retries belong to delivery. It raises one of ``notifiers.errors``.
    """

    # Inputs are hidden in errors: a routing key or an address that fails its check is a secret all the same.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    is_idempotent: ClassVar[bool] = False
    """True where sending the same notification twice has the effect of once (PagerDuty's dedup_key)."""
    wants_chart: ClassVar[bool] = False
    wants_spark: ClassVar[bool] = False
    closes_again: ClassVar[bool] = False
    """True where a resolve is repeated at 60 s and 10 min after an unknown outcome (PagerDuty)."""

    @abstractmethod
    def send(self, notification: Notification) -> Receipt:
        """Delivers once and returns the receipt. Raises notifiers.errors.DeliveryError."""

    def find(self, notification: Notification) -> Receipt | None:
        """The receipt of a delivery whose outcome is unknown; None = surely not there. Default: cannot look.

        Raises notifiers.errors.CannotLook where the service has no way to look (missing scope, no history).
        """
        from notifiers.errors import CannotLook

        raise CannotLook(f"{type(self).__name__.lower()} keeps no history")

    def probe(self) -> None:
        """Returns when the receiver can be reached with its credentials. Raises DeliveryError."""

    @property
    def pace(self) -> Pace | None:
        return None

    def close(self) -> None:
        """Releases connections."""
