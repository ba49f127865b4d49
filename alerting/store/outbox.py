"""The outbox: which delivery may be tried now, and what became of it.

A claim is a conditional UPDATE that names the term it saw, so that of two couriers one wins on both databases; an
outcome is written only while that term is still the row's. Per receiver and group strictly in sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, or_, select, update

from alerting.store import fallbacks, receivers, retrying, settling
from alerting.store.database import Database
from alerting.store.deliveries import UNSETTLED, Claim, OutboxRow, Outcome, ReceiverState, Retried, Trouble
from alerting.store.tables import groups, outbox


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self,
        receiver: str,
        now: datetime,
        *,
        lease: timedelta,
        grace: timedelta,
        ignore_waits: bool = False,
        but: Collection[str] = (),
    ) -> Claim | None:
        """The next delivery of a receiver that may be tried, leased to the caller; None where there is none.

        A lease of somebody else counts as broken ``grace`` after its end. ``ignore_waits``: no one else is alive, so
        waits, leases and grace count as passed; only closing resolves keep their time. ``but``: not these.
        """
        claim = None
        while claim is None:  # another courier was faster: it took that row, so this one looks for the next
            with self._database.reading() as connection:
                if not receivers.is_open(connection, receiver, now, ignore_waits=ignore_waits):
                    return None
                row = _head(connection, receiver, _is_due(now, grace, ignore_waits), but)
            if row is None:
                return None
            with self._database.writing() as connection:
                claim = _lease(connection, row, now, now + lease)
        return claim

    def settle(self, claim: Claim, outcome: Outcome, now: datetime, *, grace: timedelta) -> bool:
        """Writes what became of a claim. False, and nothing written, where somebody else holds the row by now."""
        with self._database.writing() as connection:
            return settling.settle(connection, claim, outcome, now, grace)

    def next_due(self, receiver: str, *, grace: timedelta) -> datetime | None:
        """When the receiver may have something to do next: a delivery, or a probe. None: nothing is waiting."""
        with self._database.reading() as connection:
            state = receivers.read(connection, receiver)
            if state.trouble is not None:
                return state.probe_at
            due = connection.execute(
                select(func.min(outbox.c.not_before)).where(*_first(receiver), outbox.c.state == "ready")
            ).scalar()
            broken = connection.execute(
                select(func.min(outbox.c.lease_until)).where(*_first(receiver), outbox.c.state == "leased")
            ).scalar()
        found = [*([due] if due else []), *([broken + grace] if broken else [])]
        earliest = min(found, default=None)
        return earliest if earliest is None or state.wait_until is None else max(earliest, state.wait_until)

    def receivers_waited_for(self) -> frozenset[str]:
        """Names of all receivers with deliveries that are not settled."""
        with self._database.reading() as connection:
            names = connection.execute(select(outbox.c.receiver).where(outbox.c.state.in_(UNSETTLED)).distinct())
            return frozenset(names.scalars())

    def bury_removed(self, configured: Collection[str], now: datetime, *, ignore_leases: bool = False) -> int:
        """Deliveries to receivers that are not configured any more are dead, and say so. Returns how many."""
        is_free = outbox.c.state.in_(("ready", "parked"))
        is_broken = outbox.c.state == "leased"
        if not ignore_leases:
            is_broken &= outbox.c.lease_until <= now
        with self._database.writing() as connection:
            buried = connection.execute(
                update(outbox)
                .where(or_(is_free, is_broken), outbox.c.receiver.not_in(list(configured)))
                .values(state="dead", reason="receiver removed", settled=now, lease_until=None)
            )
            return buried.rowcount

    def retry(self, now: datetime, *, delivery_id: str | None = None, receiver: str | None = None) -> Retried:
        """Dead deliveries are ready again: one, or all of a receiver. Works beside a running daemon."""
        with self._database.writing() as connection:
            return retrying.retry(connection, now, delivery_id=delivery_id, receiver=receiver)

    def receiver(self, name: str) -> ReceiverState:
        with self._database.reading() as connection:
            return receivers.read(connection, name)

    def receiver_works(self, name: str, now: datetime) -> None:
        """A probe came back: what was parked is ready, and what its fallback was not told yet is taken back."""
        with self._database.writing() as connection:
            receivers.held(connection, [name])
            receivers.clear(connection, name)
            fallbacks.take_back(connection, name, now)

    def set_fallbacks(self, fallback_by_receiver: Mapping[str, str], now: datetime) -> None:
        """From here on these receivers are told instead of those; receivers not named have no fallback.

        What waits for one that is out of order already goes to its new fallback.
        """
        with self._database.writing() as connection:
            receivers.set_fallbacks(connection, fallback_by_receiver)
            for state in receivers.in_trouble(connection):
                fallbacks.all_waiting(connection, state.name, now)

    def receiver_still_fails(self, name: str, trouble: Trouble, reason: str, probe_at: datetime, now: datetime) -> None:
        with self._database.writing() as connection:
            receivers.note_trouble(connection, name, trouble, reason, probe_at, now)

    def receivers_in_trouble(self) -> list[ReceiverState]:
        """Receivers that refuse everything, with the reason: somebody must be told elsewhere."""
        with self._database.reading() as connection:
            return receivers.in_trouble(connection)

    def rows(
        self,
        *,
        group_id: str | None = None,
        receiver: str | None = None,
        since: datetime | None = None,
        unsettled_only: bool = False,
        limit: int = 1000,
    ) -> list[OutboxRow]:
        """Deliveries, newest first; of one group in the order of their sequence."""
        statement = select(outbox).limit(limit)
        if group_id is None:
            statement = statement.order_by(
                outbox.c.created.desc(), outbox.c.sequence.desc(), outbox.c.delivery_id.desc()
            )
        else:
            statement = statement.where(outbox.c.group_id == group_id).order_by(outbox.c.sequence)
        if receiver is not None:
            statement = statement.where(outbox.c.receiver == receiver)
        if since is not None:
            statement = statement.where(outbox.c.created >= since)
        if unsettled_only:
            statement = statement.where(outbox.c.state.in_(UNSETTLED))
        with self._database.reading() as connection:
            return [_row_of(row) for row in connection.execute(statement).mappings()]

    def dead_since(self, since: datetime, receivers: Collection[str]) -> list[OutboxRow]:
        """Deliveries to these that were given up since then and not tried again, oldest first."""
        is_dead = (outbox.c.receiver.in_(list(receivers)), outbox.c.state == "dead", ~outbox.c.is_closing)
        statement = select(outbox).where(*is_dead, outbox.c.settled >= since)
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(outbox.c.settled, outbox.c.delivery_id)).mappings()
            return [_row_of(row) for row in rows]

    def receiver_of(self, delivery_id: str) -> str | None:
        """Whom a delivery is for; None: there is none of this id."""
        with self._database.reading() as connection:
            return connection.execute(
                select(outbox.c.receiver).where(outbox.c.delivery_id == delivery_id)
            ).scalar_one_or_none()

    def payload(self, delivery_id: str) -> str | None:
        """The notification of a delivery as recorded, JSON."""
        with self._database.reading() as connection:
            return connection.execute(
                select(outbox.c.payload).where(outbox.c.delivery_id == delivery_id)
            ).scalar_one_or_none()

    def unsettled(self) -> int:
        """How many deliveries are on their way."""
        with self._database.reading() as connection:
            statement = select(func.count()).select_from(outbox).where(outbox.c.state.in_(UNSETTLED))
            return int(connection.execute(statement).scalar_one())

    def oldest_due(self, now: datetime) -> datetime | None:
        """Since when the oldest delivery that is owed by now waits, back-off included; None: nothing does."""
        with self._database.reading() as connection:
            return connection.execute(
                select(func.min(outbox.c.due)).where(outbox.c.state.in_(UNSETTLED), outbox.c.due <= now)
            ).scalar()


def expire(connection: Connection, before: datetime) -> int:
    """Removes deliveries settled before; never one that is still owed."""
    old = delete(outbox).where(outbox.c.state.not_in(UNSETTLED), outbox.c.settled < before)
    return connection.execute(old).rowcount


def _is_due(now: datetime, grace: timedelta, ignore_waits: bool) -> ColumnElement[bool]:
    ready, leased = outbox.c.state == "ready", outbox.c.state == "leased"
    if ignore_waits:
        # A closing resolve waits for a trigger that may still be on its way: no process can wait that away.
        return or_(and_(ready, or_(~outbox.c.is_closing, outbox.c.not_before <= now)), leased)
    return or_(and_(ready, outbox.c.not_before <= now), and_(leased, outbox.c.lease_until <= now - grace))


def _first(receiver: str) -> tuple[ColumnElement[bool], ...]:
    """Rows of the receiver before which nothing of their group is waiting."""
    earlier = outbox.alias()
    is_blocked = (
        select(earlier.c.delivery_id)
        .where(earlier.c.receiver == outbox.c.receiver, earlier.c.group_id == outbox.c.group_id)
        .where(earlier.c.sequence < outbox.c.sequence, earlier.c.state.in_(UNSETTLED))
        .exists()
    )
    return (outbox.c.receiver == receiver, outbox.c.state.in_(UNSETTLED), ~is_blocked)


def _is_overtaken() -> ColumnElement[bool]:
    """True where a resolve of the group waits behind the row."""
    later = outbox.alias()
    return (
        select(later.c.delivery_id)
        .where(later.c.receiver == outbox.c.receiver, later.c.group_id == outbox.c.group_id)
        .where(later.c.sequence > outbox.c.sequence, later.c.kind == "resolve", ~later.c.is_closing)
        .where(later.c.state.in_(UNSETTLED), outbox.c.kind != "resolve")
        .exists()
    )


def _head(
    connection: Connection, receiver: str, is_due: ColumnElement[bool], but: Collection[str]
) -> RowMapping | None:
    charted = outbox.alias()
    of_group = (groups.c.remote_id.label("root"), groups.c.sent_version, charted.c.payload.label("charted"))
    statement = (
        select(outbox, *of_group, _is_overtaken().label("is_overtaken"))
        .outerjoin(groups, groups.c.id == outbox.c.group_id)
        .outerjoin(charted, charted.c.delivery_id == groups.c.charted)
        .where(*_first(receiver), is_due)
        .order_by(outbox.c.not_before, outbox.c.created, outbox.c.sequence, outbox.c.delivery_id)
    )
    rows = connection.execute(statement.limit(len(but) + 1)).mappings()
    return next((row for row in rows if row["delivery_id"] not in but), None)


def _lease(connection: Connection, row: RowMapping, now: datetime, until: datetime) -> Claim | None:
    # A row that is still leased was claimed by somebody who never came back: perhaps the message is out.
    is_doubtful = row["is_doubtful"] or row["state"] == "leased"
    first_attempt = row["first_attempt"] or now
    taken = connection.execute(
        update(outbox)
        .where(outbox.c.delivery_id == row["delivery_id"])
        .where(outbox.c.term == row["term"], outbox.c.state == row["state"])
        .values(
            state="leased",
            lease_until=until,
            term=row["term"] + 1,
            attempt=row["attempt"] + 1,
            first_attempt=first_attempt,
            is_doubtful=is_doubtful,
        )
    )
    if taken.rowcount != 1:
        return None
    # A receiver that was never told of the group is told of its beginning, whatever became of the first delivery.
    is_first = row["kind"] == "update" and not row["sent_version"]
    return Claim(
        delivery_id=row["delivery_id"],
        receiver=row["receiver"],
        group_id=row["group_id"],
        sequence=row["sequence"],
        kind="trigger" if is_first else row["kind"],
        payload=row["payload"],
        remote_id=row["root"],
        attempt=row["attempt"] + 1,
        first_attempt=first_attempt,
        lease_until=until,
        term=row["term"] + 1,
        is_doubtful=is_doubtful,
        is_closing=row["is_closing"],
        is_overtaken=row["is_overtaken"],
        charted=row["charted"],
    )


def _row_of(row: RowMapping) -> OutboxRow:
    return OutboxRow(
        delivery_id=row["delivery_id"],
        receiver=row["receiver"],
        group_id=row["group_id"],
        sequence=row["sequence"],
        kind=row["kind"],
        state=row["state"],
        why=row["why"],
        reason=row["reason"],
        created=row["created"],
        due=row["due"],
        not_before=row["not_before"],
        attempt=row["attempt"],
        is_doubtful=row["is_doubtful"],
        is_closing=row["is_closing"],
        remote_id=row["remote_id"],
        settled=row["settled"],
    )
