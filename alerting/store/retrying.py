"""Dead deliveries that somebody wants tried again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from alerting.store.deliveries import UNSETTLED, Retried
from alerting.store.tables import outbox

REASON = "tried again by hand"


def retry(connection: Connection, now: datetime, *, delivery_id: str | None, receiver: str | None) -> Retried:
    """The dead deliveries of this id, or of this receiver, are ready; but none whose group was told newer."""
    wanted = select(outbox).order_by(outbox.c.group_id, outbox.c.sequence)
    if delivery_id is not None:
        wanted = wanted.where(outbox.c.delivery_id == delivery_id)
    if receiver is not None:
        wanted = wanted.where(outbox.c.receiver == receiver, outbox.c.state == "dead")
    ready: list[str] = []
    refused: dict[str, str] = {}
    for row in connection.execute(wanted.with_for_update()).mappings().all():
        reason = _objection(connection, row)
        if reason:
            refused[row["delivery_id"]] = reason
        else:
            _revive(connection, row["delivery_id"], now)
            ready.append(row["delivery_id"])
    return Retried(tuple(ready), refused)


def _objection(connection: Connection, row: RowMapping) -> str:
    if row["state"] != "dead":
        return f"it is {row['state']}, not dead"
    newer = connection.execute(
        select(outbox.c.sequence, outbox.c.state)
        .where(outbox.c.receiver == row["receiver"], outbox.c.group_id == row["group_id"])
        .where(outbox.c.sequence > row["sequence"], outbox.c.state.in_(("sent", *UNSETTLED)), ~outbox.c.is_closing)
        .order_by(outbox.c.sequence.desc())
    ).first()
    return f"its group says newer: number {newer.sequence} is {newer.state}" if newer is not None else ""


def _revive(connection: Connection, delivery_id: str, now: datetime) -> None:
    # A first attempt of long ago would count as given up at once; doubt stays, so it is looked for before it is sent.
    anew = {"state": "ready", "reason": REASON, "not_before": now, "attempt": 0, "first_attempt": None, "settled": None}
    connection.execute(
        update(outbox).where(outbox.c.delivery_id == delivery_id, outbox.c.state == "dead").values(**anew)
    )
