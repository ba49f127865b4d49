"""What the page of now asks of all series at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from sqlalchemy import func, select

from alerting.core.groups import Reach
from alerting.core.incidents import SeriesState, Status
from alerting.store.database import Database
from alerting.store.incidents import OPEN, state_of
from alerting.store.tables import (
    actions,
    config_files,
    group_members,
    groups,
    incidents,
    query_states,
    series_states,
    silences,
    transitions,
    watches,
)


@dataclass(frozen=True)
class Membership:
    """How a receiver is told of an open incident: with the group ``id``, or not at all."""

    id: str
    receiver: str
    reach: Reach


class Overview:
    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self) -> list[SeriesState]:
        """The series in which something began that is no incident yet: pending, or without readings."""
        wanted = select(series_states).where(series_states.c.status.in_((Status.PENDING, Status.NO_DATA)))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(series_states.c.subject, series_states.c.labels)).mappings()
            return [state_of(row, None) for row in rows]

    def memberships(self) -> dict[str, tuple[Membership, ...]]:
        """Of each open incident, the open groups that hold it."""
        joined = (
            select(group_members.c.incident_id, groups.c.id, groups.c.receiver, groups.c.key)
            .join(groups, groups.c.id == group_members.c.group_id)
            .join(incidents, incidents.c.id == group_members.c.incident_id)
            .where(groups.c.closed.is_(None), groups.c.origin.is_(None), incidents.c.status.in_(OPEN))
            .order_by(groups.c.opened, groups.c.id)
        )
        found: dict[str, tuple[Membership, ...]] = {}
        with self._database.reading() as connection:
            for incident, name, receiver, key in connection.execute(joined):
                found[incident] = (*found.get(incident, ()), Membership(name, receiver, _reach(key)))
        return found

    def stamp(self) -> str:
        """Another text whenever anything that the page shows may have changed; cheap enough to ask every second."""
        parts = (
            select(func.max(transitions.c.id)),
            select(func.count()).select_from(actions),
            select(func.count()).select_from(silences),
            select(func.max(silences.c.ends)),
            select(func.max(silences.c.told_end)),
            select(func.max(query_states.c.attempted)),
            select(func.max(query_states.c.watermark)),
            select(func.max(watches.c.judged_until)),
            select(func.max(config_files.c.loaded_at)),
        )
        with self._database.reading() as connection:
            row = connection.execute(select(*(part.scalar_subquery() for part in parts))).one()
        return json.dumps([str(part) for part in row])


def _reach(key: str) -> Reach:
    reach = json.loads(key)[0]
    return cast(Reach, reach) if reach in ("muted", "shadow") else "told"
