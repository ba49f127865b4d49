"""The audit log: what people did to incidents, and what that means for them since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select

from alerting.core.actions import LABELS, ONCE, Action, Label
from alerting.core.incidents import Incident
from alerting.store.database import Database
from alerting.store.encoding import dumps
from alerting.store.incidents import OPEN, incident_of
from alerting.store.tables import action_incidents, actions, incidents


class ActionLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *, limit: int = 1000) -> tuple[Action, ...]:
        """The newest first."""
        statement = select(actions).order_by(actions.c.at.desc(), actions.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(_action_of(row) for row in connection.execute(statement).mappings())

    def of_incidents(self, names: Sequence[str]) -> dict[str, tuple[Action, ...]]:
        """What happened to each of these incidents that happens once, oldest first."""
        statement = (
            select(action_incidents.c.incident_id, actions)
            .join(actions, actions.c.id == action_incidents.c.action_id)
            .where(action_incidents.c.incident_id.in_(list(names)))
            .order_by(actions.c.at, actions.c.id)
        )
        found: dict[str, tuple[Action, ...]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(statement).mappings():
                found[row["incident_id"]] = (*found.get(row["incident_id"], ()), _action_of(row))
        return found

    def acknowledged(self) -> dict[str, Action]:
        """The acknowledgement of each open incident that has one, by incident id."""
        statement = (
            select(action_incidents.c.incident_id, actions)
            .join(actions, actions.c.id == action_incidents.c.action_id)
            .join(incidents, incidents.c.id == action_incidents.c.incident_id)
            .where(action_incidents.c.kind == "acknowledge", incidents.c.status.in_(OPEN))
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).mappings()
            return {row["incident_id"]: _action_of(row) for row in rows}

    def labelled(self, label: Label, subject: str, metric: str) -> tuple[Incident, ...]:
        """The incidents of a metric that carry the label, oldest first."""
        statement = (
            select(incidents)
            .join(action_incidents, action_incidents.c.incident_id == incidents.c.id)
            .where(action_incidents.c.kind == label, incidents.c.subject == subject, incidents.c.metric == metric)
            .order_by(incidents.c.detected, incidents.c.id)
        )
        with self._database.reading() as connection:
            return tuple(incident_of(row) for row in connection.execute(statement).mappings())


def write(connection: Connection, done: Iterable[Action]) -> None:
    """Raises an IntegrityError where something that happens once has happened to one of the incidents."""
    for action in done:
        name = _name(action)
        connection.execute(insert(actions), _row(name, action))
        rows = [{"incident_id": one, "kind": action.kind, "action_id": name} for one in action.incidents]
        if action.kind in LABELS:  # the newest label is the one that counts
            others = action_incidents.c.incident_id.in_(action.incidents) & action_incidents.c.kind.in_(LABELS)
            connection.execute(delete(action_incidents).where(others))
        if rows and action.kind in ONCE:
            connection.execute(insert(action_incidents), rows)


def expire(connection: Connection, before: datetime) -> None:
    """Removes what was done before, and what was done to incidents that are gone."""
    known = select(incidents.c.id).where(incidents.c.id == action_incidents.c.incident_id).exists()
    connection.execute(delete(action_incidents).where(~known))
    is_needed = select(action_incidents.c.action_id).where(action_incidents.c.action_id == actions.c.id).exists()
    connection.execute(delete(actions).where(actions.c.at < before, ~is_needed))


def _name(action: Action) -> str:
    told = [action.kind, action.target, action.by, action.via, action.at.isoformat(), *action.incidents]
    return f"{action.at:%Y%m%dT%H%M%S}-{hashlib.sha256(dumps(list(told)).encode()).hexdigest()[:12]}"


def _row(name: str, action: Action) -> dict[str, object]:
    return {
        "id": name,
        "at": action.at,
        "by": action.by,
        "via": action.via,
        "kind": action.kind,
        "target": action.target,
        "comment": action.comment,
        "incidents": dumps(list(action.incidents)),
    }


def _action_of(row: RowMapping) -> Action:
    return Action(
        at=row["at"],
        by=row["by"],
        via=row["via"],
        kind=row["kind"],
        target=row["target"],
        comment=row["comment"],
        incidents=tuple(json.loads(row["incidents"])),
    )
