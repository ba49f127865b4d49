"""The life of an incident: pure functions over values, ``now`` a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Severity = Literal["info", "warning", "critical"]
IncidentKind = Literal["metric", "late", "failing", "empty", "schema", "config"]
NAN = float("nan")


class Status(StrEnum):
    """Where a series stands. ``no_data`` and ``error`` stand beside an open incident, they do not end it."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    ERROR = "error"


@dataclass(frozen=True)
class Reading:
    """What all detect entries together say of one bucket of one series (the most severe, then the highest score).

    ``bucket`` is its start; numbers are in the metric's unit, NaN = not known; ``detector`` is the key of the entry.
    """

    bucket: datetime
    status: Literal["ok", "anomaly", "unknown", "no_data"]
    severity: Severity = "warning"
    observed: float = NAN
    expected: float = NAN
    lower: float = NAN
    upper: float = NAN
    score: float = NAN
    direction: int = 0
    detector: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Incident:
    """One episode. ``opened`` is the start of its first anomalous bucket, ``detected`` when that was evaluated."""

    id: str
    subject: str
    """``subscription:NAME`` or ``query:NAME``."""
    fingerprint: str
    kind: IncidentKind
    metric: str
    """For a health incident: the query's name."""
    labels: Mapping[str, str]
    status: Literal["firing", "recovering", "resolved", "retracted"]
    severity: Severity
    """The highest so far."""
    opened: datetime
    detected: datetime
    first: Reading
    last: Reading
    worst: Reading
    resolved: datetime | None = None
    cause: str = ""
    """Why it ended; empty while open."""

    @property
    def is_open(self) -> bool:
        return self.status in ("firing", "recovering")


@dataclass(frozen=True)
class SeriesState:
    """Where one (subject, series) stands after bucket ``last``; a series without a row is ``ok``."""

    subject: str
    fingerprint: str
    metric: str
    labels: Mapping[str, str]
    status: Status
    since: datetime
    """Start of the bucket in which this status began."""
    last: datetime
    streak: int = 0
    """Anomalous buckets in a row while pending, clean ones while recovering, empty ones while no_data."""
    episodes: int = 0
    """Incidents opened so far; makes the id of a reopened bucket unique."""
    incident: Incident | None = None
    """The open incident, if any."""
    first_pending: Reading | None = None
    """The reading that began the pending streak: where the incident will have opened."""


@dataclass(frozen=True)
class Transition:
    """One change of status, as it is stored and told: cause, numbers and evaluation time."""

    subject: str
    fingerprint: str
    before: Status
    after: Status
    at: datetime
    """Evaluation time."""
    reading: Reading
    cause: str
    incident: Incident | None = None
    """The incident after the change (None while none is open)."""
    severity_rose: bool = False
