"""Incidents as people look for them, the groups that messages are about, and what people did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerting.app.application import App
from alerting.app.reading import IncidentLine, line_of
from alerting.app.reading_points import audience_of_subject
from alerting.core.actions import Action
from alerting.core.groups import Group
from alerting.core.incidents import SEVERITIES, Incident, Severity
from alerting.core.labels import NAMES
from alerting.core.silences import Silence, concerning
from alerting.pipeline import attention_of
from alerting.store import Sought

PAGE = 50
_DEEDS = {"acknowledge": "acknowledged", "resolve": "resolved by hand"}


@dataclass(frozen=True)
class Wanted:
    """Which incidents; empty: any. ``text`` stands somewhere in id, rule, metric or dimensions."""

    state: Literal["open", "ended", "all"] = "all"
    severity: Severity | Literal[""] = ""
    team: str = ""
    subscription: str = ""
    metric: str = ""
    text: str = ""


@dataclass(frozen=True)
class IncidentList:
    """A page of incidents, open ones first, then the newest; ``total`` on all ``pages``, counted from 1. ``teams``,
    ``subscriptions`` and ``metrics`` are what one may ask for."""

    lines: tuple[IncidentLine, ...]
    total: int
    page: int
    pages: int
    teams: tuple[str, ...]
    subscriptions: tuple[str, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class GroupPage:
    """The incidents that one message of a receiver is about, open ones first."""

    id: str
    receiver: str
    rule: str
    timezone: str
    opened: datetime
    closed: datetime | None
    lines: tuple[IncidentLine, ...]

    @property
    def open_lines(self) -> tuple[IncidentLine, ...]:
        return tuple(line for line in self.lines if line.incident.is_open)


@dataclass(frozen=True)
class Deed:
    """What somebody did to an incident: ``what`` in words, ``via`` where they did it."""

    at: datetime
    what: str
    by: str
    via: str
    comment: str


@dataclass(frozen=True)
class Handling:
    """What people did to an incident, which silences kept it quiet, and the groups that people were told of."""

    deeds: tuple[Deed, ...]
    silences: tuple[Silence, ...]
    groups: tuple[Group, ...]


def search(app: App, now: datetime, wanted: Wanted, page: int = 1, *, size: int = PAGE) -> IncidentList:
    """The page nearest to ``page`` of the incidents that are wanted, ``size`` on each. Raises StoreError."""
    sought = Sought(wanted.state, wanted.severity or None, _subjects(app, wanted), wanted.metric, wanted.text)
    page = max(page, 1)
    found, total = app.store.search(sought, limit=size, offset=(page - 1) * size)
    pages = max(-(-total // size), 1)
    if page > pages:
        found, total = app.store.search(sought, limit=size, offset=(pages - 1) * size)
    rules = app.config.subscriptions
    return IncidentList(
        lines=lines_of(app, found, now),
        total=total,
        page=min(page, pages),
        pages=pages,
        teams=tuple(sorted({one.team for one in rules.values() if one.team})),
        subscriptions=tuple(sorted(rules)),
        metrics=tuple(sorted({name for one in rules.values() for name in one.metrics})),
    )


def group_page(app: App, name: str, now: datetime) -> GroupPage | None:
    """The group of this id; None: there is none. Raises StoreError."""
    group = app.store.group(name)
    if group is None:
        return None
    audience = audience_of_subject(app, group.subject)
    order = sorted(group.members, key=lambda one: (not one.is_open, -SEVERITIES.index(one.severity), one.opened))
    return GroupPage(
        id=group.id,
        receiver=group.receiver,
        rule=audience.name,
        timezone=audience.timezone,
        opened=group.opened,
        closed=group.closed,
        lines=lines_of(app, order, now),
    )


def handling(app: App, incident: Incident) -> Handling:
    """Everything that people did to it, oldest first. Raises StoreError."""
    done = app.store.actions.of_incidents([incident.id]).get(incident.id, ())
    return Handling(
        deeds=tuple(_deed(action) for action in done),
        silences=concerning(incident, app.store.silences.all()),
        groups=tuple(group for group in app.store.groups_of(incident.id) if not group.is_muted),
    )


def lines_of(app: App, found: Iterable[Incident], now: datetime) -> tuple[IncidentLine, ...]:
    """The incidents in words, in this order."""
    attention = attention_of(app.store, now)
    return tuple(line_of(app, incident, now, attention) for incident in found)


def _deed(action: Action) -> Deed:
    what = _DEEDS.get(action.kind) or f"labelled {NAMES[action.kind]}"
    return Deed(action.at, what, action.by, action.via, action.comment)


def _subjects(app: App, wanted: Wanted) -> frozenset[str] | None:
    if not wanted.team and not wanted.subscription:
        return None
    named = {f"subscription:{wanted.subscription}"} if wanted.subscription else None
    if not wanted.team:
        return frozenset(named or ())
    owned = {subject for subject, audience in app.audiences.items() if audience.owner.team == wanted.team}
    return frozenset(owned if named is None else owned & named)
