"""What people did to an incident, and when they are reminded of it, as gates of ``why``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from alerting.core.actions import Action
from alerting.core.attention import Attention, reminder_due
from alerting.core.audiences import Audience
from alerting.core.explain import Gate, Why, instant
from alerting.core.groups import Group
from alerting.core.incidents import Incident
from alerting.core.labels import NAMES, SETTLES
from alerting.core.silences import Silence, concerning


def with_actions(why: Why, gates: Sequence[Gate]) -> Why:
    """The story with what people did before what each receiver got."""
    before = [gate for gate in why.gates if not gate.name.startswith("receiver")]
    after = [gate for gate in why.gates if gate.name.startswith("receiver")]
    return replace(why, gates=(*before, *gates, *after))


def done(actions: Iterable[Action], timezone: str) -> list[Gate]:
    """Acknowledgements, labels and resolves, oldest first."""
    return [_done(action, timezone) for action in actions]


def silenced(incident: Incident, silences: Iterable[Silence], timezone: str) -> list[Gate]:
    """The silences that kept it quiet; the gate of one that still does is not passed."""
    return [_silenced(one, timezone) for one in concerning(incident, silences)]


def reminded(groups: Iterable[Group], audience: Audience, attention: Attention, now: datetime) -> list[Gate]:
    """When each receiver is told again that it is still open."""
    due = [(group.receiver, reminder_due(group, audience, attention, now)) for group in groups]
    return [
        Gate(f"reminder {receiver}", None, f"due {instant(at, audience.timezone)} if it is still open")
        for receiver, at in due
        if at is not None
    ]


def with_settling(why: Why, bucket: datetime, labelled: Iterable[Action], timezone: str) -> Why:
    """The gates of a point, with one more where its series was labelled ``new_normal`` less than two days before."""
    held = [one for one in labelled if one.kind == "new_normal" and bucket <= one.at + SETTLES]
    if not held:
        return why
    detail = f"opens nothing until {instant(held[-1].at + SETTLES, timezone)}: labelled by {held[-1].by}"
    place = next((n for n, gate in enumerate(why.gates) if gate.name == "incident"), len(why.gates))
    gates = (*why.gates[:place], Gate("new normal", False, detail), *why.gates[place:])
    return replace(why, verdict=f"no incident: new normal: {detail}", gates=gates)


def standing(incident: Incident, attention: Attention, now: datetime) -> str:
    """``acknowledged by ann; silenced until …``; empty while nobody did anything."""
    taken, silence = attention.acknowledged.get(incident.id), attention.silence_of([incident], now)
    parts = [f"acknowledged by {taken.by}"] if taken else []
    parts += [silence.text()] if silence else []
    return "; ".join(parts) if incident.is_open else ""


def _done(action: Action, timezone: str) -> Gate:
    name = {"acknowledge": "acknowledged", "resolve": "resolved by hand"}.get(action.kind, "labelled")
    said = f"{NAMES[action.kind]}, " if name == "labelled" else ""
    why = f": {action.comment}" if action.comment else ""
    return Gate(name, True, f"{said}{instant(action.at, timezone)} by {action.by} ({action.via}){why}")


def _silenced(one: Silence, timezone: str) -> Gate:
    holds = one.told_end is None
    until = f"{'until' if holds else 'ended'} {instant(one.ends, timezone)}"
    expired = f", expired by {one.expired_by}" if one.expired_by else ""
    since = f"from {instant(one.starts, timezone)} {until}{expired}"
    return Gate("silence", False if holds else None, f"{one.id}, {since}, by {one.author}: {one.comment}")
