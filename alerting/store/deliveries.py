"""What the outbox and delivery say to each other: a claim goes out, an outcome comes back.

A row is ``ready`` → ``leased`` → ``sent``; or back to ``ready`` to be tried again, ``parked`` until its receiver works
again, ``dead`` and visible. ``merged`` rows were replaced by a newer one before they were sent, ``muted`` ones are only
recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from notifiers.contract import Kind, Receipt

State = Literal["ready", "leased", "sent", "dead", "merged", "muted", "parked"]
Trouble = Literal["credential", "destination"]
UNSETTLED: tuple[State, ...] = ("ready", "leased", "parked")


@dataclass(frozen=True)
class Claim:
    """The right to try one delivery until ``lease_until``; ``term`` proves it when the outcome comes back.

    ``payload`` is the notification as recorded; ``kind`` and ``remote_id`` are newer than what it says.
    ``is_doubtful``: an earlier attempt ended without a known outcome. ``is_closing``: a resolve said again.
    ``is_overtaken``: the end of its group waits behind it. ``charted``: the notification, as recorded, whose chart the
    group's message shows; None = it shows none.
    """

    delivery_id: str
    receiver: str
    group_id: str
    sequence: int
    kind: Kind
    payload: str
    remote_id: str | None
    attempt: int
    first_attempt: datetime
    lease_until: datetime
    term: int
    is_doubtful: bool
    is_closing: bool
    is_overtaken: bool = False
    charted: str | None = None


@dataclass(frozen=True)
class Sent:
    """Delivered. ``closings`` are when a resolve is said again, if any attempt of the group had no known outcome."""

    receipt: Receipt
    reason: str
    closings: tuple[timedelta, ...] = ()


@dataclass(frozen=True)
class Again:
    """To be tried again. ``receiver_waits_until``: the receiver asked for silence, so all its rows wait."""

    not_before: datetime
    reason: str
    is_doubtful: bool = False
    receiver_waits_until: datetime | None = None


@dataclass(frozen=True)
class Parked:
    """Waits until the receiver works again; it is asked at ``probe_at``."""

    trouble: Trouble
    probe_at: datetime
    reason: str


@dataclass(frozen=True)
class Dead:
    """Given up; visible in ``deliveries`` and ``why``."""

    reason: str


@dataclass(frozen=True)
class Released:
    """Not tried at all: the process ends."""

    reason: str = "released before sending"


@dataclass(frozen=True)
class Overtaken:
    """Not worth sending any more: the end of its group says it all."""

    reason: str = "its group ended before it could be told: only the end is"


Outcome = Sent | Overtaken | Again | Parked | Dead | Released


@dataclass(frozen=True)
class ReceiverState:
    """Why a receiver gets nothing at the moment; all None when it does. ``fallback`` is told instead meanwhile."""

    name: str
    wait_until: datetime | None = None
    trouble: Trouble | None = None
    since: datetime | None = None
    probe_at: datetime | None = None
    reason: str = ""
    fallback: str | None = None


@dataclass(frozen=True)
class Retried:
    """Ids of the deliveries that are ready again, and why others are not."""

    ready: tuple[str, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True)
class OutboxRow:
    """One delivery as people see it: ``why`` it is owed and when it is ``due``, ``reason`` what became of it and
    ``not_before`` when it is tried next."""

    delivery_id: str
    receiver: str
    group_id: str
    sequence: int
    kind: Kind
    state: State
    why: str
    reason: str
    created: datetime
    due: datetime
    not_before: datetime
    attempt: int
    is_doubtful: bool
    is_closing: bool
    remote_id: str | None
    settled: datetime | None
