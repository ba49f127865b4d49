"""Incidents and groups as messages show them: snapshots without NaN, worst first, bounded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from alerting.core.audiences import Audience, Measure
from alerting.core.figures import amount, count, series_name
from alerting.core.groups import Group
from alerting.core.incidents import SEVERITIES, Incident, Transition
from alerting.core.inhibition import KINDS
from notifiers.contract import IncidentView, Kind, Notification, TimelineEntry

MOST_INCIDENTS = 50
MOST_CHANGES = 50


def notification(
    group: Group,
    audience: Audience,
    kind: Kind,
    changes: Sequence[TimelineEntry],
    *,
    now: datetime,
    joined: bool,
    raises_severity: bool,
) -> Notification:
    """What the group's planned delivery ``group.sequence`` says."""
    members = worst_first(group.members)
    listed = tuple(view(incident, audience) for incident in members[:MOST_INCIDENTS])
    return Notification(
        delivery_id=f"{group.id}:{group.sequence}",
        group_id=group.id,
        receiver=group.receiver,
        sequence=group.sequence,
        kind=kind,
        severity=group.severity_told,
        subscription=audience.name,
        created=now,
        timezone=audience.timezone,
        incidents=listed,
        unlisted=len(members) - len(listed),
        changes=bounded(changes, now),
        raises_severity=raises_severity,
        owner=audience.owner,
        runbook=audience.runbook,
        links={title: url.replace("{incident}", members[0].id) for title, url in audience.links.items()},
        joined=joined,
        remote_id=group.remote_id,
    )


def view(incident: Incident, audience: Audience) -> IncidentView:
    """One incident as people read it; once it has ended, ``reason`` says why."""
    measure = audience.metrics.get(incident.metric, Measure())
    last, worst = incident.last, incident.worst
    return IncidentView(
        id=incident.id,
        metric=incident.metric,
        dimensions=dict(incident.labels),
        status=incident.status,
        severity=incident.severity,
        kind=incident.kind,
        unit=measure.unit,
        additive=measure.additive,
        better=measure.better,
        bucket=measure.bucket,
        opened=incident.opened,
        detected=incident.detected,
        latest=last.bucket,
        resolved=incident.resolved,
        observed=_known(last.observed),
        expected=_known(last.expected),
        lower=_known(last.lower),
        upper=_known(last.upper),
        score=_known(last.score),
        worst_observed=_known(worst.observed),
        worst_expected=_known(worst.expected),
        worst_score=_known(worst.score),
        direction=_sign(last.direction or worst.direction),
        detector=last.detector or worst.detector,
        reason=incident.cause or _reason(incident, audience),
        flapping=incident.flapping,
        calendar=", ".join(dict.fromkeys(one.calendar for one in (incident.first, worst, last) if one.calendar)),
    )


def _reason(incident: Incident, audience: Audience) -> str:
    said = incident.last.reason or incident.worst.reason
    adopts = audience.feeds and incident.kind in KINDS
    return f"{said}; {count(audience.feeds, 'metric')} affected" if adopts else said


def worst_first(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=place)


def place(incident: Incident) -> tuple[bool, int, float, datetime, str]:
    """Open ones before ended ones, then by severity, score, age and id."""
    score = incident.worst.score
    return (
        not incident.is_open,
        -SEVERITIES.index(incident.severity),
        -score if score == score else math.inf,
        incident.opened,
        incident.id,
    )


def entry(transition: Transition) -> TimelineEntry:
    """One change as a line of the thread."""
    incident, reading = transition.incident, transition.reading
    name = series_name(incident.metric, incident.labels) if incident else ""
    if transition.ends:
        return TimelineEntry(at=transition.at, text=f"{name} {incident.status if incident else ''}: {transition.cause}")
    numbers = [] if math.isnan(reading.observed) else [amount(reading.observed)]
    numbers += [] if math.isnan(reading.expected) else [f"expected {amount(reading.expected)}"]
    numbers += [reading.calendar] if reading.calendar else []
    said = f" ({', '.join(numbers)})" if numbers else ""
    opened = "opened: " if transition.opens else ""
    return TimelineEntry(at=transition.at, text=f"{name} {opened}{transition.cause}{said}")


def bounded(changes: Sequence[TimelineEntry], now: datetime) -> tuple[TimelineEntry, ...]:
    """The newest changes, and how many came before them."""
    left_out = len(changes) - MOST_CHANGES
    if left_out <= 0:
        return tuple(changes)
    # A summary made earlier is one line here: merging again then counts it as one change, which is near enough to read.
    summary = TimelineEntry(at=now, text=f"and {left_out + 1:,} more changes")
    return (*changes[left_out + 1 :], summary)


def superseding(older: Notification, newer: Notification) -> Notification:
    """``newer`` as it reads when ``older`` was never sent: it also says what ``older`` would have said first.

    Where something happened it is no reminder any more; an acknowledgement that was not told yet still is one.
    """
    is_reminder = newer.is_reminder and older.is_reminder
    return newer.model_copy(
        update={
            "kind": "trigger" if (older.kind, newer.kind) == ("trigger", "update") else newer.kind,
            "changes": bounded((*older.changes, *newer.changes), newer.created),
            "joined": older.joined or newer.joined,
            "is_reminder": is_reminder,
            "event": "reminder" if is_reminder else _event(older) or _event(newer),
            # Nobody was told a lower severity yet when the trigger itself is unsent.
            "raises_severity": older.kind != "trigger" and (older.raises_severity or newer.raises_severity),
        }
    )


def _event(notification: Notification) -> Literal["", "acknowledged"]:
    return "acknowledged" if notification.event == "acknowledged" else ""


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _sign(direction: int) -> int:
    return (direction > 0) - (direction < 0)
