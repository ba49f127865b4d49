"""What delivery knows of a receiver as a whole: it asked us to wait, or it is out of order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from alerting.store.deliveries import ReceiverState, Trouble
from alerting.store.statements import insert_missing, upsert
from alerting.store.tables import outbox, receivers

_NOBODY = " nobody"  # no receiver can have this name
_ROOM_BYTES = 1 << 20


def read(connection: Connection, name: str) -> ReceiverState:
    row = connection.execute(select(receivers).where(receivers.c.name == name)).mappings().one_or_none()
    return ReceiverState(name) if row is None else ReceiverState(**row)


def in_trouble(connection: Connection) -> list[ReceiverState]:
    rows = connection.execute(
        select(receivers).where(receivers.c.trouble.is_not(None)).order_by(receivers.c.name)
    ).mappings()
    return [ReceiverState(**row) for row in rows]


def set_fallbacks(connection: Connection, fallbacks: Mapping[str, str]) -> None:
    """These receivers have these fallbacks from here on, all others none."""
    connection.execute(update(receivers).where(receivers.c.name.not_in(list(fallbacks))).values(fallback=None))
    for name, fallback in fallbacks.items():
        insert_missing(connection, receivers, [{"name": name, "reason": ""}])
        connection.execute(update(receivers).where(receivers.c.name == name).values(fallback=fallback))


def held(connection: Connection, names: Iterable[str]) -> dict[str, ReceiverState]:
    """The receivers that have a row, which nobody else changes until this transaction ends."""
    rows = connection.execute(
        select(receivers).where(receivers.c.name.in_(sorted(set(names)))).order_by(receivers.c.name).with_for_update()
    ).mappings()
    return {row["name"]: ReceiverState(**row) for row in rows}


def write_room(connection: Connection) -> None:
    """A row as large as what an evaluation writes: on a full disk a small one may still find a place."""
    remove_room(connection)  # of a process that died in between
    connection.execute(insert(receivers).values(name=_NOBODY, reason="." * _ROOM_BYTES))


def remove_room(connection: Connection) -> None:
    connection.execute(delete(receivers).where(receivers.c.name == _NOBODY))


def is_open(connection: Connection, name: str, now: datetime, *, ignore_waits: bool) -> bool:
    state = read(connection, name)
    return state.trouble is None and (ignore_waits or state.wait_until is None or state.wait_until <= now)


def ask_to_wait(connection: Connection, name: str, until: datetime, reason: str) -> None:
    before = read(connection, name)
    later = until if before.wait_until is None else max(until, before.wait_until)
    _write(connection, ReceiverState(name, later, before.trouble, before.since, before.probe_at, reason))


def note_trouble(
    connection: Connection, name: str, trouble: Trouble, reason: str, probe_at: datetime, now: datetime
) -> None:
    before = read(connection, name)
    _write(connection, ReceiverState(name, None, trouble, before.since or now, probe_at, reason))


def clear(connection: Connection, name: str) -> None:
    """The receiver works: its parked deliveries are ready and nothing waits for it."""
    connection.execute(
        update(outbox)
        .where(outbox.c.receiver == name, outbox.c.state == "parked")
        .values(state="ready", reason="the receiver works again")
    )
    _write(connection, ReceiverState(name))


def _write(connection: Connection, state: ReceiverState) -> None:
    row = {
        "name": state.name,
        "wait_until": state.wait_until,
        "trouble": state.trouble,
        "since": state.since,
        "probe_at": state.probe_at,
        "reason": state.reason,
    }
    upsert(connection, receivers, [row])  # the fallback, which is no matter of delivery, stays
