"""Groups: the open incidents of one receiver with equal ``group_by``; one Slack root, one PagerDuty alert."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerting.core.incidents import Incident, Severity
from notifiers.contract import Kind, Notification

Reach = Literal["told", "muted", "shadow"]
HIDDEN_KEYS = ('["muted",', '["shadow",')
"""How the keys begin of groups that nobody is told of."""


@dataclass(frozen=True)
class Group:
    """One occurrence of a group, from its first incident until the last one resolved.

    ``members`` are all incidents that ever joined, open and resolved. ``sequence`` is the number of the last planned
    delivery, ``flushed`` the instant before which that one is not sent, ``closed`` when its resolve is due. ``key`` is
    canonical JSON of how the group stands (told, muted, shadow), its subject and its ``group_by`` values: a muted group
    stands beside the one that people see.
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

    @property
    def is_muted(self) -> bool:
        """True where its trigger was recorded but not sent; then nothing of it is."""
        return self.key.startswith(HIDDEN_KEYS)

    @property
    def is_shadow(self) -> bool:
        """True where it opened in shadow mode: nobody is ever told of its members."""
        return self.key.startswith(HIDDEN_KEYS[1])

    @property
    def is_open(self) -> bool:
        return self.closed is None

    def is_open_at(self, now: datetime) -> bool:
        """True also while its resolve waits for the group interval: what opens meanwhile joins."""
        return self.closed is None or self.closed > now


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
    mute_untold: str = ""
    """Where nothing of the group was sent yet, nothing is, for this reason: what still waits is withdrawn."""


def group_key(incident: Incident, group_by: Sequence[str], reach: Reach = "told") -> str:
    """Names the group an incident belongs to. Groups never span subjects; a dimension it lacks is empty text."""
    values = [[name, _value(incident, name)] for name in group_by if name != "subscription"]
    return json.dumps([reach, incident.subject, *values], ensure_ascii=True)


def group_matchers(group: Group) -> dict[str, str]:
    """What its incidents have in common: the subject by its kind, and the values of ``group_by``."""
    _, subject, *values = json.loads(group.key)
    kind, _, name = subject.partition(":")
    return {kind: name, **{str(label): str(value) for label, value in values}}


def group_id(receiver: str, key: str, opened: datetime, first: Incident) -> str:
    """Names one occurrence: ASCII, sortable by when it opened, the same whenever computed again."""
    canonical = json.dumps([receiver, key, opened.isoformat(), first.id])
    return f"{opened:%Y%m%dT%H%M%S}-{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


def all_ended(group: Group) -> str:
    """Why a group has ended, in words."""
    retracted = sum(member.status == "retracted" for member in group.members)
    how = "retracted" if retracted == len(group.members) else "resolved"
    everyone = "its only incident is" if len(group.members) == 1 else f"all {len(group.members):,} incidents are"
    return f"{everyone} {how}"


def _value(incident: Incident, name: str) -> str:
    return incident.metric if name == "metric" else incident.labels.get(name, "")
