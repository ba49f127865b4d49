"""New deliveries enter the outbox, in the transaction that decided them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from alerting.core.groups import Delivery
from alerting.store.encoding import notification_from, notification_text
from alerting.store.merging import Merged, Waiting, merge
from alerting.store.tables import outbox
from notifiers.contract import Notification


def enqueue(connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Rows that are unsent and surely never posted are merged into newer ones of their group.

    Raises LostRace where the sequence number of a group is taken.
    """
    for delivery in sorted(deliveries, key=lambda one: one.sequence):
        put(connection, delivery, now)


def put(connection: Connection, planned: Delivery, now: datetime) -> None:
    """One delivery. Raises LostRace as ``enqueue`` does."""
    waiting = () if planned.is_muted else _waiting(connection, planned)
    delivery = planned
    if planned.mute_untold and not _is_told(connection, planned):
        delivery = replace(planned, is_muted=True, reason=planned.mute_untold)
    if waiting:
        connection.execute(
            update(outbox)
            .where(outbox.c.delivery_id.in_([one.delivery_id for one in waiting]))
            .values(state="merged", reason=f"merged into {delivery.sequence}", settled=now)
        )
    connection.execute(insert(outbox), _row(delivery, merge(delivery, waiting), now))


def _waiting(connection: Connection, delivery: Delivery) -> tuple[Waiting, ...]:
    table = outbox.c
    rows = connection.execute(
        select(table.delivery_id, table.sequence, table.kind, table.payload, table.due, table.not_before, table.attempt)
        .where(table.receiver == delivery.receiver, table.group_id == delivery.group_id)
        .where(table.sequence < delivery.sequence, table.state.in_(("ready", "parked")))
        .where(~table.is_doubtful, ~table.is_closing)
        .order_by(table.sequence)
        # A courier may claim such a row at this moment: whoever comes first wins, the other one sees it.
        .with_for_update()
    )
    return tuple(
        Waiting(row.delivery_id, row.sequence, row.kind, _readable(row.payload), row.due, row.not_before, row.attempt)
        for row in rows
    )


def _is_told(connection: Connection, delivery: Delivery) -> bool:
    """True where something of the group was sent, or may have been."""
    table = outbox.c
    of_group = (table.receiver == delivery.receiver, table.group_id == delivery.group_id)
    is_out = table.state.in_(("sent", "leased")) | table.is_doubtful
    return connection.execute(select(table.delivery_id).where(*of_group, is_out).limit(1)).first() is not None


def _readable(payload: str) -> Notification | None:
    try:
        return notification_from(payload)
    except ValueError:
        return None


def _row(planned: Delivery, merged: Merged, now: datetime) -> dict[str, object]:
    delivery = merged.delivery
    return {
        "delivery_id": delivery.delivery_id,
        "receiver": delivery.receiver,
        "group_id": delivery.group_id,
        "sequence": int(delivery.sequence),
        "kind": delivery.kind,
        "payload": notification_text(delivery.payload),
        "why": delivery.reason,
        "state": "muted" if delivery.is_muted else "ready",
        "reason": delivery.reason if delivery.is_muted else "",
        "created": now,
        "due": merged.due,
        "not_before": delivery.not_before,
        "attempt": merged.attempt,
        "term": 0,
        "is_doubtful": False,
        "is_closing": False,
        "settled": now if delivery.is_muted else None,
    }
