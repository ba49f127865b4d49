"""What people did to incidents, and what planning a notice must know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from alerting.core.groups import Group
from alerting.core.incidents import Incident
from alerting.core.silences import Silence, silenced_by

Event = Literal["", "acknowledged", "reminder"]
Label = Literal["expected", "not_an_anomaly", "new_normal"]
LABELS: tuple[Label, ...] = ("expected", "not_an_anomaly", "new_normal")
ActionKind = Literal[
    "acknowledge", "silence", "expire", "extend", "expected", "not_an_anomaly", "new_normal", "resolve"
]
ONCE: tuple[ActionKind, ...] = ("acknowledge", *LABELS, "resolve")
"""Done to an incident they change nothing when they are done again, by whomever."""


@dataclass(frozen=True)
class Action:
    """One row of the audit log. ``via``: ``cli``, ``slack``, ``dashboard`` or ``api``; ``target`` as it was named."""

    at: datetime
    by: str
    via: str
    kind: ActionKind
    target: str
    comment: str
    incidents: tuple[str, ...]
    """Ids of the incidents that it changed."""


@dataclass(frozen=True)
class Remark:
    """Something to say to these groups beside what happened to their incidents: an acknowledgement, a reminder."""

    groups: frozenset[str]
    text: str
    event: Event = ""


@dataclass(frozen=True)
class Attention:
    """What keeps people quiet about incidents: silences, acknowledgements by incident id, and by metric the queries
    that are late or failing (``orders_hourly is late``)."""

    silences: tuple[Silence, ...] = ()
    acknowledged: Mapping[str, Action] = field(default_factory=dict)
    ailing: Mapping[str, str] = field(default_factory=dict)

    def silence(self, incident: Incident, now: datetime) -> Silence | None:
        return silenced_by(incident, self.silences, now)

    def hush(self, incident: Incident, now: datetime) -> str:
        """Why an incident that opens now is recorded and not told; empty = it is told."""
        found = self.silence(incident, now)
        if found is not None:
            return f"not sent: {found.text()}"
        cause = self.ailing.get(incident.metric, "") if incident.kind == "metric" else ""
        return f"not sent: inhibited: {cause}" if cause else ""

    def silenced_until(self, incidents: Iterable[Incident], now: datetime) -> datetime | None:
        """When the first of them is heard again; None unless all of them are silenced."""
        found = [self.silence(incident, now) for incident in incidents]
        ends = [one.ends for one in found if one is not None]
        return min(ends) if found and len(ends) == len(found) else None

    def acknowledgement(self, incidents: Sequence[Incident]) -> Action | None:
        """The newest one; None unless all of them are acknowledged."""
        found = [self.acknowledged[one.id] for one in incidents if one.id in self.acknowledged]
        return max(found, key=lambda action: action.at) if found and len(found) == len(incidents) else None


def concerned(group: Group) -> tuple[Incident, ...]:
    """The open incidents of a group; all of them where it has ended."""
    return tuple(member for member in group.members if member.is_open) or group.members


def groups_with(incidents: Iterable[Incident], groups: Iterable[Group]) -> frozenset[str]:
    """Ids of the groups people see that hold one of the incidents, and it is open."""
    names = {incident.id for incident in incidents}
    return frozenset(
        group.id
        for group in groups
        if group.is_open and not group.is_muted and any(one.id in names and one.is_open for one in group.members)
    )
