"""Whether people want to hear of an incident: silences, acknowledgements, inhibition; and when they are reminded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from alerting.core.actions import Action
from alerting.core.audiences import Audience
from alerting.core.groups import Group
from alerting.core.incidents import Incident
from alerting.core.silences import Silence, silenced_by
from notifiers.contract import Notification

Event = Literal["", "acknowledged", "reminder"]


@dataclass(frozen=True)
class Remark:
    """Something to say to these groups (ids) beside what happened to their incidents.

    ``calls_again``: whoever closed the page of an incident that still fires is called again (a silence has ended).
    """

    groups: frozenset[str]
    text: str
    event: Event = ""
    calls_again: bool = False


@dataclass(frozen=True)
class Attention:
    """What keeps people quiet. ``silences`` those that hold · ``acknowledged`` by incident id · ``ailing`` by metric:
    what is wrong with the queries it is made of (``orders_hourly is late``)."""

    silences: tuple[Silence, ...] = ()
    acknowledged: Mapping[str, Action] = field(default_factory=dict)
    ailing: Mapping[str, str] = field(default_factory=dict)

    def hush(self, incident: Incident, now: datetime) -> str:
        """Why an incident that opens now is recorded and not sent; empty = it is sent."""
        found = silenced_by(incident, self.silences, now)
        if found is not None:
            return found.text()
        cause = self.ailing.get(incident.metric, "") if incident.kind == "metric" else ""
        return f"inhibited: {cause}" if cause else ""

    def silence_of(self, incidents: Iterable[Incident], now: datetime) -> Silence | None:
        """The silence that ends first; None unless every incident is silenced."""
        found = [silenced_by(incident, self.silences, now) for incident in incidents]
        held = [one for one in found if one is not None]
        return min(held, key=lambda one: (one.ends, one.id)) if held and len(held) == len(found) else None

    def acknowledgement(self, incidents: Sequence[Incident]) -> Action | None:
        """The newest one; None unless every incident is acknowledged."""
        found = [self.acknowledged[one.id] for one in incidents if one.id in self.acknowledged]
        return max(found, key=lambda action: action.at) if found and len(found) == len(incidents) else None


NO_ATTENTION = Attention()


def groups_with(incidents: Iterable[Incident], groups: Iterable[Group]) -> frozenset[str]:
    """Ids of the groups that people see and that hold one of the incidents while it is open."""
    names = {incident.id for incident in incidents}
    return frozenset(
        group.id
        for group in groups
        if group.is_open and not group.is_muted and any(one.id in names and one.is_open for one in group.members)
    )


def marked(
    payload: Notification,
    concerned: Sequence[Incident],
    remarks: Sequence[Remark],
    attention: Attention,
    now: datetime,
) -> Notification:
    """The notification with who works on its incidents, until when they are silenced, and what it is about."""
    taken, silence = attention.acknowledgement(concerned), attention.silence_of(concerned, now)
    event = next((remark.event for remark in remarks if remark.event), "")
    return payload.model_copy(
        update={
            "acknowledged_by": taken.by if taken else "",
            "acknowledged_at": taken.at if taken else None,
            **(_held(silence) if silence and not payload.is_resolved else {}),
            "quiet": silence is not None,
            "event": event,
            "is_reminder": event == "reminder",
            "joined": payload.joined or any(remark.calls_again for remark in remarks),
        }
    )


def _held(silence: Silence) -> dict[str, object]:
    return {
        "silenced_until": silence.ends,
        "silenced_by": silence.author,
        "silence_comment": silence.comment,
    }


def reminder_due(group: Group, audience: Audience, attention: Attention, now: datetime) -> datetime | None:
    """When the group is told again that it is still open; None: nobody is reminded of it."""
    still_open = [member for member in group.members if member.is_open]
    if group.is_muted or not group.is_open or not still_open or group.flushed is None:
        return None
    if all(member.flapping for member in still_open):  # it stays quiet until it is calm
        return None
    if audience.hushed(now) or attention.acknowledgement(still_open) or attention.silence_of(still_open, now):
        return None
    return group.flushed + audience.delivery.repeat_interval


def reminders(
    groups: Iterable[Group], audiences: Mapping[str, Audience], attention: Attention, now: datetime
) -> Iterator[Remark]:
    """One for each group whose reminder is due."""
    for group in groups:
        audience = audiences.get(group.subject)
        due = reminder_due(group, audience, attention, now) if audience else None
        if due is not None and due <= now:
            yield Remark(frozenset({group.id}), f"still open since {_oldest(group):%Y-%m-%d %H:%M} UTC", "reminder")


def _oldest(group: Group) -> datetime:
    return min(member.opened for member in group.members if member.is_open)
