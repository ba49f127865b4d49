"""How a group stands: the state that its sign shows, and who did what about it, in a phrase.

Everything here is plain text on one line, cleaned and bounded; escaping for a service is that service's business.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from notifiers.clean import bounded, clean
from notifiers.contract import IncidentView, Notification
from notifiers.quantities import in_utc, instant, zone

State = Literal[
    "info", "warning", "critical", "acknowledged", "silenced", "recovering", "flapping", "resolved", "retracted"
]
PHRASE, PLACE, NAME, WHY = 240, 300, 60, 60


def state(notification: Notification) -> State:
    """What a person does about the group counts before how it behaves, and that before its severity."""
    if notification.is_resolved:
        ends = {incident.status for incident in notification.incidents}
        return "retracted" if ends == {"retracted"} else "resolved"
    if is_silenced(notification):
        return "silenced"
    if is_acknowledged(notification):
        return "acknowledged"
    unresolved = [incident for incident in notification.incidents if is_open(incident)]
    if unresolved and all(incident.flapping for incident in unresolved):
        return "flapping"
    if unresolved and all(incident.status == "recovering" for incident in unresolved):
        return "recovering"
    return notification.severity


def phrase(notification: Notification) -> str:
    """``critical · acknowledged 16:30 by ann · silenced until Tue 16:31 by bob (deploy)``; empty once it ended."""
    if notification.is_resolved:
        return ""
    parts: list[str] = [notification.severity, _acknowledged(notification), _silenced(notification)]
    if state(notification) == "flapping":
        parts.append("quiet until it calms down")
    return bounded(" · ".join(part for part in parts if part), PHRASE)


def in_place_of(notification: Notification) -> str:
    """``this is the fallback of growth-slack, which is out of order (…)``; empty where the receiver is told itself."""
    receiver = clean(notification.fallback_for, NAME)
    if not receiver:
        return ""
    if not notification.fallback_reason:
        return f"this was told as the fallback of {receiver}, which is told itself again"
    return bounded(f"this is the fallback of {receiver}, which {clean(notification.fallback_reason, PLACE)}", PLACE)


def is_acknowledged(notification: Notification) -> bool:
    return notification.acknowledged_at is not None


def is_silenced(notification: Notification) -> bool:
    """True until the end of the silence, as of the moment that the notification was made."""
    return notification.silenced_until is not None and notification.silenced_until > notification.created


def needs_somebody(notification: Notification) -> bool:
    """True where it is open and nobody has said that they see to it, or that they need no telling."""
    return not (notification.is_resolved or is_acknowledged(notification) or is_silenced(notification))


def is_open(incident: IncidentView) -> bool:
    return incident.status in ("firing", "recovering")


def _acknowledged(notification: Notification) -> str:
    at = notification.acknowledged_at
    if at is None:
        return ""
    who = clean(notification.acknowledged_by, NAME)
    return f"acknowledged {_moment(notification, at)}" + (f" by {who}" if who else "")


def _silenced(notification: Notification) -> str:
    until = notification.silenced_until
    if until is None or not is_silenced(notification):
        return ""
    who, why = clean(notification.silenced_by, NAME), clean(notification.silence_comment, WHY)
    said = f"silenced until {_moment(notification, until)}" + (f" by {who}" if who else "")
    return f"{said} ({why})" if why else said


def _moment(notification: Notification, at: datetime) -> str:
    """``16:30`` on the day of the message, ``Tue 16:30`` near it, else with its date."""
    where, now = zone(notification.timezone), notification.created
    is_today = at.astimezone(where).date() == now.astimezone(where).date()
    local = f"{at.astimezone(where):%H:%M}" if is_today else instant(at, where, now)
    return local if in_utc(at, where) else f"{local} UTC"
