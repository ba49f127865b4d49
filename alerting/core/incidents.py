"""Incidents as values: readings, states, transitions and the names of episodes. ``lifecycle`` moves them.

States: ok → pending (``open_after`` anomalous buckets in a row) → firing → recovering → resolved (``resolve_after``
clean buckets in a row), and from there as from ok.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from alerting.core.flapping import Changes

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
IncidentKind = Literal[
    "metric", "late", "failing", "empty", "schema", "judging", "config", "receiver", "undelivered", "canary"
]
NAN = float("nan")


class Status(StrEnum):
    """Where a series stands. ``no_data`` and ``error`` stand beside an open incident, they do not end it.

    Stored are ``no_data`` (a pending streak that began with an empty bucket, only with ``no_data: alert``) and all the
    others but ``error``, which ``lifecycle.condition`` derives from the query's health.
    """

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
    calendar: str = ""
    """The named days that the bucket is part of (``Thanksgiving Day``); empty for an ordinary one."""


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
    flapping: bool = False
    """True while it is held open because its series kept opening and ending."""

    @property
    def is_open(self) -> bool:
        return self.status in ("firing", "recovering")


@dataclass(frozen=True)
class SeriesState:
    """Where one (subject, series) stands after bucket ``last``; a series without a row is ``ok``.

    Nothing moves while a series is ok or resolved: ``last`` is then the last bucket that mattered, not the newest one.
    """

    subject: str
    fingerprint: str
    metric: str
    labels: Mapping[str, str]
    status: Status
    since: datetime
    """Start of the bucket in which this status began."""
    last: datetime
    streak: int = 0
    """Anomalous buckets in a row while pending, clean ones while recovering or flapping, empty ones while no_data."""
    episodes: int = 0
    """Incidents opened so far; makes the id of a reopened bucket unique."""
    incident: Incident | None = None
    """The open incident, if any."""
    first_pending: Reading | None = None
    """The reading that began the pending streak: where the incident will have opened."""
    worst_pending: Reading | None = None
    """The most severe, then highest, reading of the pending streak."""
    changes: Changes = ()
    """The newest buckets at which incidents opened or ended, for ``flapping``."""

    @property
    def is_quiet(self) -> bool:
        """True where clean and unknown buckets change nothing."""
        return self.status in (Status.OK, Status.RESOLVED)


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
    """The incident after the change, also the one that has just ended; None where there is none."""
    severity_rose: bool = False
    began_flapping: bool = False

    @property
    def opens(self) -> bool:
        return self.after is Status.FIRING and self.before not in (Status.FIRING, Status.RECOVERING)

    @property
    def ends(self) -> bool:
        return self.after is Status.RESOLVED


def more_severe(one: Severity, other: Severity) -> Severity:
    """The higher of the two."""
    return max(one, other, key=SEVERITIES.index)


def worse(one: Reading, other: Reading) -> Reading:
    """The more severe reading, then the higher score, then the first; a score of NaN is below all others."""
    return max(one, other, key=lambda reading: (SEVERITIES.index(reading.severity), _score(reading)))


def incident_id(subject: str, fingerprint: str, opened: datetime, n: int) -> str:
    """Names episode ``n`` (from 0) of a series: sortable by the opening bucket, the same whenever computed again."""
    canonical = json.dumps([subject, fingerprint, opened.isoformat(), n], separators=(",", ":"))
    return f"{opened:%Y%m%dT%H%M}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


def _score(reading: Reading) -> float:
    return reading.score if reading.score == reading.score else -float("inf")
