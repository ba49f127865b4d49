"""Fallbacks in the outbox: what a receiver cannot be told goes to another one, in the transaction that found it out.

A group that stands in for another one has the same members and sequence numbers. It is never planned for: each delivery
of its origin is put into it as well, until that one ends.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, update

from alerting.core.fallbacks import for_fallback, stand_in_id
from alerting.core.groups import Delivery
from alerting.store import receivers
from alerting.store.deliveries import Claim, ReceiverState
from alerting.store.encoding import notification_from
from alerting.store.enqueue import put
from alerting.store.statements import insert_missing, upsert
from alerting.store.tables import group_members, groups, outbox
from notifiers.contract import Kind, Notification

_WAITS = outbox.c.state.in_(("ready", "parked")) & ~outbox.c.is_closing
_KEPT = frozenset({"opened", "remote_id", "sent_version", "charted"})


def hold(connection: Connection, deliveries: Sequence[Delivery]) -> frozenset[str]:
    """The receivers of these that have a fallback; whether they are out of order stays as it is from here on."""
    held = receivers.held(connection, (one.receiver for one in deliveries))
    return frozenset(name for name, state in held.items() if state.fallback)


def follow(connection: Connection, deliveries: Sequence[Delivery], covered: Collection[str], now: datetime) -> None:
    """New deliveries also go where their group is told by a fallback, or must be. ``covered``: what ``hold`` said."""
    standing = select(groups.c.origin).where(groups.c.origin.is_not(None), groups.c.closed.is_(None))
    stood_for = frozenset(connection.execute(standing).scalars())
    for delivery in sorted(deliveries, key=lambda one: one.sequence):
        if not delivery.is_muted and (delivery.receiver in covered or delivery.group_id in stood_for):
            _pass_on(connection, delivery.payload, delivery.kind, delivery.not_before, now)


def all_waiting(connection: Connection, receiver: str, now: datetime) -> None:
    """The receiver is out of order: whatever waits for it goes to its fallback."""
    _pass_on_rows(connection, (outbox.c.receiver == receiver) & _WAITS, now)


def given_up(connection: Connection, claim: Claim, now: datetime) -> None:
    """A delivery is dead: it and what its group says after it goes to the fallback."""
    of_group = (outbox.c.receiver == claim.receiver) & (outbox.c.group_id == claim.group_id)
    itself = outbox.c.delivery_id == claim.delivery_id
    _pass_on_rows(connection, of_group & or_(itself, (outbox.c.sequence > claim.sequence) & _WAITS), now)


def take_back(connection: Connection, receiver: str, now: datetime) -> None:
    """The receiver works again and is told itself: what its fallback was not told yet, it need not be."""
    origin = groups.alias()
    unheard = (
        select(groups.c.id)
        .join(origin, origin.c.id == groups.c.origin)
        .where(origin.c.receiver == receiver, groups.c.closed.is_(None), groups.c.sent_version == 0)
        # What may be on its way, or out, is a message that has to be kept up to date.
        .where(~exists().where(outbox.c.group_id == groups.c.id, (outbox.c.state == "leased") | outbox.c.is_doubtful))
    )
    names = connection.execute(unheard).scalars().all()
    connection.execute(
        update(outbox)
        .where(outbox.c.group_id.in_(names), _WAITS)
        .values(state="merged", reason=f"{receiver} works again and is told itself", settled=now)
    )
    connection.execute(update(groups).where(groups.c.id.in_(names)).values(closed=now))


def _pass_on_rows(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    rows = connection.execute(
        select(outbox.c.payload, outbox.c.kind, outbox.c.not_before)
        .where(which)
        .order_by(outbox.c.group_id, outbox.c.sequence)
    ).all()
    for row in rows:
        try:
            told = notification_from(row.payload)
        except ValueError:
            continue  # written by a version that says other things: nobody can be told what it says
        _pass_on(connection, told, row.kind, max(row.not_before, now), now)


def _pass_on(connection: Connection, told: Notification, kind: Kind, not_before: datetime, now: datetime) -> None:
    """To every group that stands in for this one, and to one that has to from here on."""
    standing = connection.execute(
        select(groups.c.receiver, groups.c.id).where(groups.c.origin == told.group_id, groups.c.closed.is_(None))
    ).all()
    places = {row.receiver: (row.id, True) for row in standing}
    own = receivers.read(connection, told.receiver)
    trouble, fallback = _trouble(connection, own, told.group_id), own.fallback
    if trouble and fallback:
        places.setdefault(fallback, (stand_in_id(told.group_id, fallback), False))
    for receiver, (name, is_standing) in places.items():
        delivery = for_fallback(
            told,
            kind,
            receiver,
            group=name,
            trouble=trouble,
            not_before=not_before,
            is_out_of_order=own.trouble is not None,
        )
        if not is_standing and _hears_itself(connection, receiver, told.group_id):
            reason = f"{delivery.reason}; {receiver} is told of these incidents itself"
            delivery = replace(delivery, is_muted=True, reason=reason)
        if _is_new(connection, delivery):
            _write_group(connection, told.group_id, delivery, now)
            put(connection, delivery, now)
            if not delivery.is_muted:
                _pass_on(connection, delivery.payload, kind, not_before, now)


def _trouble(connection: Connection, state: ReceiverState, group_id: str) -> str:
    """Why the receiver cannot be told of the group now; empty where it can."""
    if state.trouble is not None:
        return state.reason
    newest = connection.execute(
        select(outbox.c.state, outbox.c.reason)
        .where(outbox.c.receiver == state.name, outbox.c.group_id == group_id)
        .where(outbox.c.state.in_(("sent", "dead")), ~outbox.c.is_closing)
        .order_by(outbox.c.sequence.desc())
        .limit(1)
    ).one_or_none()
    return str(newest.reason) if newest is not None and newest.state == "dead" else ""


def _hears_itself(connection: Connection, receiver: str, origin: str) -> bool:
    """True where groups of its own tell the receiver of every incident of ``origin``."""
    heard = (
        select(group_members.c.incident_id)
        .join(groups, groups.c.id == group_members.c.group_id)
        .where(groups.c.receiver == receiver, groups.c.origin.is_(None), ~groups.c.key.startswith('["muted"'))
    )
    unheard = select(func.count()).where(group_members.c.group_id == origin, group_members.c.incident_id.not_in(heard))
    return not connection.execute(unheard).scalar_one()


def _is_new(connection: Connection, delivery: Delivery) -> bool:
    same = select(outbox.c.delivery_id).where(
        outbox.c.receiver == delivery.receiver,
        outbox.c.group_id == delivery.group_id,
        outbox.c.sequence == delivery.sequence,
    )
    return connection.execute(same).first() is None


def _write_group(connection: Connection, origin: str, delivery: Delivery, now: datetime) -> None:
    """The group that stands in, with the members that its origin has by now."""
    stood_for = connection.execute(select(groups).where(groups.c.id == origin)).mappings().one()
    own = {
        "id": delivery.group_id,
        "receiver": delivery.receiver,
        "key": json.dumps(["fallback", origin]),
        "severity_told": delivery.payload.severity,
        "sequence": delivery.sequence,
        "flushed": delivery.not_before,
        "closed": now if delivery.kind == "resolve" or delivery.is_muted else None,
        "remote_id": None,
        "sent_version": 0,
        "charted": None,
        "origin": origin,
    }
    upsert(connection, groups, [{**stood_for, **own}], keep=_KEPT)
    members = connection.execute(select(group_members).where(group_members.c.group_id == origin)).mappings()
    insert_missing(connection, group_members, [{**row, "group_id": delivery.group_id} for row in members])
