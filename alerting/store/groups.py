"""Groups of incidents as a receiver sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, or_, select

from alerting.core.groups import HIDDEN_KEYS, Group
from alerting.core.incidents import Incident
from alerting.store.incidents import OPEN, incident_of
from alerting.store.statements import Cells, insert_missing, upsert
from alerting.store.tables import action_incidents, group_members, groups, incidents, outbox
from alerting.store.values import SilentGroup

# Delivery alone knows them: an evaluation that read the group before a message went out must not undo that.
_DELIVERYS_OWN = frozenset({"remote_id", "sent_version"})


def write(connection: Connection, changed: Iterable[Group]) -> None:
    changed = tuple(changed)
    upsert(connection, groups, [_row(group) for group in changed], keep=_DELIVERYS_OWN)
    members: list[Cells] = [
        {"group_id": group.id, "incident_id": incident.id, "place": place}
        for group in changed
        for place, incident in enumerate(group.members)
    ]
    insert_missing(connection, group_members, members)


def open_ones(connection: Connection, now: datetime | None) -> list[Group]:
    """Without those that stand in for another group: they follow that one and are never planned for."""
    is_open = groups.c.closed.is_(None) if now is None else _is_open_at(now)
    return _where(connection, is_open & groups.c.origin.is_(None))


def _is_open_at(now: datetime) -> ColumnElement[bool]:
    return or_(groups.c.closed.is_(None), groups.c.closed > now)


def named(connection: Connection, group_id: str) -> Group | None:
    """One that stands in for another is that one: a button of its message is about the same incidents."""
    origin = select(func.coalesce(groups.c.origin, groups.c.id)).where(groups.c.id == group_id).scalar_subquery()
    return next(iter(_where(connection, groups.c.id == origin)), None)


def silent_since(connection: Connection, before: datetime) -> list[SilentGroup]:
    is_hidden = or_(*(groups.c.key.startswith(begin, autoescape=True) for begin in HIDDEN_KEYS))
    is_seen = ~is_hidden & groups.c.origin.is_(None)
    is_acknowledged = (
        select(action_incidents.c.incident_id)
        .where(action_incidents.c.incident_id == incidents.c.id, action_incidents.c.kind == "acknowledge")
        .exists()
    )
    is_waiting = (
        select(group_members.c.incident_id)
        .join(incidents, incidents.c.id == group_members.c.incident_id)
        .where(group_members.c.group_id == groups.c.id, incidents.c.status.in_(OPEN), ~is_acknowledged)
        .exists()
    )
    rows = connection.execute(
        select(groups.c.id, groups.c.subject, groups.c.sequence, groups.c.flushed)
        .where(groups.c.closed.is_(None), groups.c.flushed <= before, is_seen, is_waiting)
        .order_by(groups.c.id)
    )
    return [SilentGroup(*row) for row in rows]


def of_incident(connection: Connection, incident_id: str) -> list[Group]:
    joined = select(group_members.c.group_id).where(group_members.c.incident_id == incident_id)
    return _where(connection, groups.c.id.in_(joined))


def _where(connection: Connection, condition: ColumnElement[bool]) -> list[Group]:
    rows = connection.execute(select(groups).where(condition).order_by(groups.c.opened, groups.c.id)).mappings().all()
    members: defaultdict[str, list[Incident]] = defaultdict(list)
    joined = connection.execute(
        select(group_members.c.group_id, incidents)
        .join(incidents, incidents.c.id == group_members.c.incident_id)
        .join(groups, groups.c.id == group_members.c.group_id)
        .where(condition)
        .order_by(group_members.c.group_id, group_members.c.place)
    ).mappings()
    for row in joined:
        members[row["group_id"]].append(incident_of(row))
    return [_group_of(row, tuple(members[row["id"]])) for row in rows]


def expire(connection: Connection) -> int:
    """Removes closed groups whose incidents and deliveries are gone. Returns how many groups went."""
    known = select(incidents.c.id).where(incidents.c.id == group_members.c.incident_id).exists()
    connection.execute(delete(group_members).where(~known))
    has_members = select(group_members.c.group_id).where(group_members.c.group_id == groups.c.id).exists()
    has_deliveries = select(outbox.c.delivery_id).where(outbox.c.group_id == groups.c.id).exists()
    old = delete(groups).where(groups.c.closed.is_not(None), ~has_members, ~has_deliveries)
    return connection.execute(old).rowcount


def _row(group: Group) -> Cells:
    return {
        "id": group.id,
        "receiver": group.receiver,
        "key": group.key,
        "subject": group.subject,
        "opened": group.opened,
        "severity_told": group.severity_told,
        "sequence": int(group.sequence),
        "flushed": group.flushed,
        "closed": group.closed,
        "remote_id": group.remote_id,
        "sent_version": int(group.sent_version),
    }


def _group_of(row: RowMapping, members: tuple[Incident, ...]) -> Group:
    return Group(
        id=row["id"],
        receiver=row["receiver"],
        key=row["key"],
        subject=row["subject"],
        opened=row["opened"],
        members=members,
        severity_told=row["severity_told"],
        sequence=row["sequence"],
        flushed=row["flushed"],
        closed=row["closed"],
        remote_id=row["remote_id"],
        sent_version=row["sent_version"],
    )
