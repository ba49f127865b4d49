"""Writing what became of a claim, with everything that follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, insert, literal, select, update

from alerting.store import fallbacks, receivers
from alerting.store.deliveries import Again, Claim, Dead, Outcome, Overtaken, Parked, Released, Sent
from alerting.store.tables import groups, outbox
from alerting.store.types import Utc

# Closing resolves come after whatever the group itself still says, and never take one of its numbers.
CLOSING_SEQUENCE = 1_000_000


def settle(connection: Connection, claim: Claim, outcome: Outcome, now: datetime, grace: timedelta) -> bool:
    """False, and nothing written, where the term of the claim is over."""
    held = connection.execute(
        update(outbox)
        .where(outbox.c.delivery_id == claim.delivery_id)
        .where(outbox.c.term == claim.term, outbox.c.state == "leased")
        .values(lease_until=None, **_cells(claim, outcome, now))
    )
    if held.rowcount != 1:
        return False
    match outcome:
        case Sent():
            _told(connection, claim, outcome)
            _hurry(connection, claim.receiver, now, grace)
            _close_again(connection, claim, outcome, now)
        case Again(receiver_waits_until=datetime() as until):
            receivers.ask_to_wait(connection, claim.receiver, until, outcome.reason)
        case Parked():
            receivers.held(connection, [claim.receiver])
            receivers.note_trouble(connection, claim.receiver, outcome.trouble, outcome.reason, outcome.probe_at, now)
            fallbacks.all_waiting(connection, claim.receiver, now)
        case Dead():
            receivers.held(connection, [claim.receiver])
            fallbacks.given_up(connection, claim, now)
        case _:
            pass
    return True


def _cells(claim: Claim, outcome: Outcome, now: datetime) -> dict[str, object]:
    match outcome:
        case Sent():
            return {
                "state": "sent",
                "reason": outcome.reason,
                "remote_id": outcome.receipt.remote_id,
                "kind": claim.kind,
                "settled": now,
            }
        case Again():
            return {
                "state": "ready",
                "reason": outcome.reason,
                "not_before": outcome.not_before,
                "is_doubtful": claim.is_doubtful or outcome.is_doubtful,
            }
        case Parked():
            return {"state": "parked", "reason": outcome.reason}
        case Overtaken():
            return {"state": "merged", "reason": outcome.reason, "settled": now}
        case Dead():
            return {"state": "dead", "reason": outcome.reason, "settled": now}
        case Released():
            return {"state": "ready", "reason": outcome.reason, "attempt": claim.attempt - 1}


def _told(connection: Connection, claim: Claim, sent: Sent) -> None:
    """The group knows its first message, for later edits, and the newest version told."""
    told: dict[str, object] = {} if claim.is_closing else {"sent_version": claim.sequence}
    if sent.receipt.remote_id is not None:
        told["remote_id"] = sent.receipt.remote_id
    if sent.receipt.chart != "kept" and not claim.is_closing:
        told["charted"] = claim.delivery_id if sent.receipt.chart == "new" else None
    if told:
        connection.execute(update(groups).where(groups.c.id == claim.group_id).values(**told))


def _hurry(connection: Connection, receiver: str, now: datetime, grace: timedelta) -> None:
    """The receiver takes messages: deliveries that failed while it did not need not sit out their back-off.

    Those with an unknown outcome still wait until nothing can be on its way any more.
    """
    failed = (outbox.c.receiver == receiver, outbox.c.state == "ready", outbox.c.attempt > 0, ~outbox.c.is_closing)
    soonest = case((outbox.c.due > now, outbox.c.due), else_=literal(now, Utc()))
    connection.execute(
        update(outbox).where(*failed, ~outbox.c.is_doubtful, outbox.c.not_before > now).values(not_before=soonest)
    )
    connection.execute(
        update(outbox)
        .where(*failed, outbox.c.is_doubtful, outbox.c.not_before > now + grace)
        .values(not_before=now + grace)
    )


def _close_again(connection: Connection, claim: Claim, sent: Sent, now: datetime) -> None:
    """A trigger whose outcome nobody knows may land after the resolve: the resolve is said again, later, twice."""
    if claim.kind != "resolve" or claim.is_closing or not sent.closings:
        return
    of_group = (outbox.c.receiver == claim.receiver, outbox.c.group_id == claim.group_id)
    if not connection.execute(select(func.count()).where(*of_group, outbox.c.is_doubtful)).scalar_one():
        return
    last = connection.execute(select(func.max(outbox.c.sequence)).where(*of_group)).scalar_one()
    rows: list[dict[str, object]] = [
        {
            "delivery_id": f"{claim.delivery_id}.closing-{number}",
            "receiver": claim.receiver,
            "group_id": claim.group_id,
            "sequence": max(last, CLOSING_SEQUENCE) + number,
            "kind": "resolve",
            "payload": claim.payload,
            "why": "a trigger of this group had no known outcome and may still arrive",
            "state": "ready",
            "reason": "",
            "created": now,
            "due": now + after,
            "not_before": now + after,
            "attempt": 0,
            "term": 0,
            "is_doubtful": False,
            "is_closing": True,
        }
        for number, after in enumerate(sent.closings, start=1)
    ]
    connection.execute(insert(outbox), rows)
