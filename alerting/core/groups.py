"""Groups: the open incidents of one receiver with equal ``group_by``; one Slack root, one PagerDuty alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerting.core.incidents import Incident, Severity
from notifiers.contract import Kind, Notification


@dataclass(frozen=True)
class Group:
    """One occurrence of a group, from its first incident until the last one resolved.

    ``members`` are all incidents that ever joined, open and resolved. ``sequence`` is the number of the last planned
    delivery, ``flushed`` the instant before which that one is not sent.
    """

    id: str
    receiver: str
    key: str
    subject: str
    opened: datetime
    members: tuple[Incident, ...]
    severity_told: Severity = "info"
    sequence: int = 0
    flushed: datetime | None = None
    closed: datetime | None = None
    remote_id: str | None = None
    sent_version: int = 0


@dataclass(frozen=True)
class Delivery:
    """A row for the outbox: one notice to one receiver about one group, and why it is owed (or not)."""

    delivery_id: str
    receiver: str
    group_id: str
    sequence: int
    kind: Kind
    payload: Notification
    not_before: datetime
    reason: str
    is_muted: bool = False
    """True: recorded and shown by ``why``, never sent."""
