"""What commands and the API answer about incidents, as values that become JSON: the one description of its fields.

Instants are ISO 8601 in UTC; numbers are in the metric's unit, and what is not known is null.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from alerting.app import actions, reading, reading_incidents
from alerting.app.reading_silences import SilenceBoard, SilenceLine
from alerting.core.incidents import IncidentKind, Severity
from alerting.store.deliveries import State
from notifiers.contract import Kind
from notifiers.standing import State as Standing


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]


class Answer(BaseModel):
    """One object of an answer, made from the value of the same fields."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class Reading(Answer):
    """What all detectors together said of one bucket of one series."""

    bucket: datetime
    """start of the bucket"""
    status: Literal["ok", "anomaly", "unknown", "no_data"]
    severity: Severity
    observed: Number
    """what was observed"""
    expected: Number
    """what is usual"""
    lower: Number
    """least usual value"""
    upper: Number
    """greatest usual value"""
    score: Number
    """1 on the bound, above 1 an anomaly"""
    direction: int
    """-1 below, 1 above what is usual, 0 neither"""
    detector: str
    """which detect entry said so"""
    reason: str
    calendar: str
    """named days that the bucket is part of; empty for an ordinary one"""


class Incident(Answer):
    """One episode of one series, or of the health of a query, a file or a receiver."""

    id: str
    kind: IncidentKind
    metric: str
    """the metric; of a health incident the query, file or receiver"""
    labels: Mapping[str, str]
    """the dimensions of the series; empty: the total"""
    status: Literal["firing", "recovering", "resolved", "retracted"]
    severity: Severity
    """the highest so far"""
    opened: datetime
    """start of the first anomalous bucket"""
    detected: datetime
    """when that bucket was judged"""
    resolved: datetime | None
    """when it ended; null while it is open"""
    cause: str
    """why it ended; empty while it is open"""
    subscription: str
    """the rule that it belongs to"""
    headline: str
    """what its messages say first"""
    since: str
    """since when and against what, as its messages say it"""
    attention: str
    """who works on it, until when it is silenced; empty while nobody did anything"""
    state: Standing
    """how it stands, as the sign before its headline shows it"""
    first: Reading
    """the reading that opened it"""
    last: Reading
    worst: Reading


class Incidents(Answer):
    """Open ones first, then the newest."""

    incidents: tuple[Incident, ...]


class IncidentList(Incidents):
    """One page of the incidents that are wanted."""

    total: int
    """how many there are on all pages"""
    page: int
    """this one, counted from 1"""
    pages: int


class Gate(Answer):
    """One question on the way from a value to a message."""

    name: str
    passed: bool | None
    """null: nobody could tell, or it was never reached"""
    detail: str


class Why(Answer):
    """What was asked about, the verdict in a sentence, and every gate in order."""

    title: str
    verdict: str
    gates: tuple[Gate, ...]


class Whys(Answer):
    """For an incident its story, then the bucket that opened it; for a point one for each subscription."""

    why: tuple[Why, ...]


class TimelineEntry(Answer):
    """One change, as a line of the thread."""

    at: datetime
    text: str


class Outcome(Answer):
    """What became of one delivery about the incident."""

    receiver: str
    kind: Kind
    sequence: int
    """its place among the deliveries of its group"""
    state: State
    owed: str
    """why it was planned"""
    reason: str
    """what happened to it since"""
    at: datetime | None
    """when it was settled, else when it is due"""


class IncidentStory(Answer):
    """Everything that is known of one incident."""

    incident: Incident
    timeline: tuple[TimelineEntry, ...]
    """every change, oldest first"""
    why: Why
    """the gates of the bucket that opened it"""
    deliveries: tuple[Outcome, ...]
    """what each receiver got"""
    team: str | None
    runbook: str | None


class Done(Answer):
    """What an action did."""

    changed: bool
    """false: it had been done before"""
    text: str
    """one sentence for people"""
    incidents: tuple[str, ...]
    """ids of the incidents concerned"""


class Silence(Answer):
    """Incidents that every matcher matches are kept quiet from ``starts`` until ``ends``."""

    id: str
    matchers: Mapping[str, str]
    """``metric`` (may be a pattern), ``subscription``, ``query``, else dimensions"""
    starts: datetime
    ends: datetime
    author: str
    comment: str
    created: datetime
    expired_by: str
    """who ended it early; empty: nobody"""
    told_end: datetime | None
    """when whoever was owed something heard that it ended"""


class ListedSilence(Silence):
    """A silence among others."""

    matched: int
    """how many open incidents it matches now"""


class Silences(Answer):
    """The newest first; of those that are over the last fifty."""

    silences: tuple[ListedSilence, ...]


def incidents_of(lines: Iterable[reading.IncidentLine]) -> Incidents:
    return Incidents(incidents=tuple(map(incident_of, lines)))


def page_of(found: reading_incidents.IncidentList) -> IncidentList:
    listed = incidents_of(found.lines).incidents
    return IncidentList(incidents=listed, total=found.total, page=found.page, pages=found.pages)


def incident_of(line: reading.IncidentLine) -> Incident:
    said = {"subscription": line.rule, "headline": line.headline, "since": line.since}
    stands = {"attention": line.attention, "state": line.state}
    return Incident.model_validate({**asdict(line.incident), **said, **stands})


def story_of(found: reading.IncidentPage) -> IncidentStory:
    return IncidentStory(
        incident=incident_of(found.line),
        timeline=every(TimelineEntry, found.timeline),
        why=Why.model_validate(found.why),
        deliveries=every(Outcome, found.outcomes),
        team=found.team,
        runbook=found.runbook,
    )


def whys_of(found: Iterable[reading.Why]) -> Whys:
    return Whys(why=every(Why, found))


def done_of(done: actions.Done) -> Done:
    return Done.model_validate(done)


def silences_of(board: SilenceBoard) -> Silences:
    found = sorted((*board.running, *board.coming, *board.over), key=_newest, reverse=True)
    return Silences(silences=tuple(ListedSilence(**vars(one.silence), matched=one.matched) for one in found))


def _newest(line: SilenceLine) -> tuple[datetime, str]:
    return line.silence.created, line.silence.id


Kindred = TypeVar("Kindred", bound=Answer)


def every(kind: type[Kindred], values: Iterable[object]) -> tuple[Kindred, ...]:
    """An answer for each value."""
    return tuple(map(kind.model_validate, values))
