"""What the API answers about now, as a value that becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alerting.app.answers import Answer, every
from alerting.app.reading_now import Board, Card
from alerting.core.incidents import Severity
from notifiers.standing import State


class Named(Answer):
    """An incident and what its messages say first."""

    id: str
    headline: str


class Group(Answer):
    """Open incidents that belong to one message."""

    incident: str
    """id of the worst one"""
    metric: str
    labels: Mapping[str, str]
    """the dimensions of its series; empty: the total"""
    severity: Severity
    subscription: str
    state: State
    headline: str
    """what the message says first"""
    since: str
    """since when and against what"""
    attention: str
    """who has acknowledged it, until when it is silenced"""
    hushed: str
    """why nobody is told; empty: people are"""
    told: tuple[str, ...]
    """its receivers"""
    owner: str
    runbook: str | None
    count: int
    """how many incidents it has"""
    others: tuple[Named, ...]
    """some more of them, worst first"""


class Pending(Answer):
    """A series that is unusual, but not for long enough to be an incident."""

    metric: str
    labels: Mapping[str, str]
    title: str
    subscription: str
    since: datetime
    reason: str


class NoReading(Answer):
    """A metric with series that have no reading in the newest bucket."""

    metric: str
    bucket: datetime
    missing: int
    """how many series have none"""
    series: int
    """of how many"""
    names: tuple[str, ...]
    """some of them"""


class Trouble(Answer):
    """A query, a file or a receiver that is not well."""

    query: str
    """empty for a file or a receiver"""
    title: str
    reason: str
    severity: str
    since: datetime | None
    incident: str | None
    """id of its open incident, if there is one already"""


class Now(Answer):
    """What is unusual now, worst first, and what else is not normal."""

    groups: tuple[Group, ...]
    unlisted: int
    """how many more groups there are"""
    pending: tuple[Pending, ...]
    silent: tuple[NoReading, ...]
    """metrics without a reading"""
    troubles: tuple[Trouble, ...]
    watched: int
    """how many metrics pass the filters"""
    normal: int
    """how many of them have nothing to say"""
    oldest: datetime | None
    """the oldest of their last evaluations; null: there was none yet"""


def now_of(board: Board) -> Now:
    return Now(
        groups=tuple(map(_group, board.cards)),
        unlisted=board.unlisted,
        pending=every(Pending, board.pending),
        silent=every(NoReading, board.silent),
        troubles=every(Trouble, board.troubles),
        watched=board.watched,
        normal=board.normal,
        oldest=board.oldest,
    )


def _group(card: Card) -> Group:
    lead = {name: getattr(card.lead, name) for name in ("metric", "labels", "severity")}
    others = tuple(Named(id=name, headline=headline) for name, headline in card.others)
    return Group.model_validate({**vars(card), **lead, "incident": card.lead.id, "others": others})
