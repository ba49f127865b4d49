"""What the fallback of a receiver is told: the same story, in a group of its own that stands in for the first one.

While the receiver is out of order its fallback hears everything. Once it works again it is told itself, so the
fallback's message is only kept up to date: no thread post, no page, but its end all the same.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from alerting.core.groups import Delivery
from notifiers.contract import Kind, Notification


def stand_in_id(origin: str, receiver: str) -> str:
    """Names the group that tells ``receiver`` of the group ``origin``: sortable, the same whenever computed again."""
    opened = origin.partition("-")[0]
    return f"{opened}-{hashlib.sha256(json.dumps(['fallback', origin, receiver]).encode()).hexdigest()[:16]}"


def for_fallback(
    told: Notification,
    kind: Kind,
    receiver: str,
    *,
    group: str,
    trouble: str,
    not_before: datetime,
    is_out_of_order: bool = True,
) -> Delivery:
    """The delivery to ``receiver``, in the stand-in ``group``, that says what ``told`` says.

    ``trouble``: what keeps its own receiver from being told; empty = it works again, and the fallback only keeps up.
    ``is_out_of_order`` False: the receiver works, and only this group cannot be told.
    """
    changed: dict[str, object] = {
        "delivery_id": f"{group}:{told.sequence}",
        "group_id": group,
        "receiver": receiver,
        "kind": kind,
        "remote_id": None,
        "fallback_for": told.receiver,
        "fallback_reason": "",
    }
    if trouble:
        changed["fallback_reason"] = f"{'is out of order' if is_out_of_order else 'could not be told'} ({trouble})"
    else:
        changed |= {"changes": (), "joined": False, "raises_severity": False}
    payload = told.model_copy(update=changed)
    why = f"fallback for {told.receiver}: {trouble}" if trouble else f"keeps up: {told.receiver} is told itself again"
    return Delivery(payload.delivery_id, receiver, group, told.sequence, kind, payload, not_before, why)
