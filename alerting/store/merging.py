"""When a newer delivery of a group replaces older ones that were surely never posted: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from alerting.core.groups import Delivery
from alerting.core.views import superseding
from notifiers.contract import Kind, Notification


@dataclass(frozen=True)
class Waiting:
    """An unsent row of the same receiver and group; ``payload`` None = written by a version that says other things."""

    delivery_id: str
    sequence: int
    kind: Kind
    payload: Notification | None
    due: datetime
    not_before: datetime
    attempt: int


@dataclass(frozen=True)
class Merged:
    """What to write: the new delivery, when it was first due, and how often its predecessors were tried (their
    back-off goes on)."""

    delivery: Delivery
    due: datetime
    attempt: int = 0


def merge(new: Delivery, waiting: Sequence[Waiting]) -> Merged:
    """The new delivery says everything that those it replaces would have said.

    An ``update`` that replaces an unsent ``trigger`` becomes the trigger, due when that one was. A ``resolve`` stays a
    resolve: nothing was told, so nothing pages.
    """
    if not waiting:
        return Merged(new, new.not_before)
    said = [one.payload for one in waiting if one.payload is not None]
    payload = reduce(superseding, [*said, new.payload])
    attempt = max(one.attempt for one in waiting)
    trigger = next((one for one in waiting if one.kind == "trigger"), None)
    if trigger is None or new.kind != "update":
        return Merged(replace(new, payload=payload), new.not_before, attempt)
    heir = replace(new, payload=payload, kind="trigger", not_before=trigger.not_before)
    return Merged(heir, trigger.due, attempt)
