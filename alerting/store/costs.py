"""What pulling costs: rows and seconds of each query by the hour, and those of its last pull."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from alerting.store.database import Database
from alerting.store.statements import upsert
from alerting.store.tables import pull_costs

KEPT = timedelta(days=62)
"""Longer than the longest bucket, so that the last pull of every query is known."""


@dataclass(frozen=True)
class Cost:
    """What answered pulls took. ``pulls`` counts statements: a long first pull is many."""

    pulls: int = 0
    rows: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.pulls + other.pulls, self.rows + other.rows, self.seconds + other.seconds)


@dataclass(frozen=True)
class LastPull:
    """The newest evaluation of a query whose warehouse answered, all its windows together."""

    at: datetime
    cost: Cost


class Costs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, since: datetime) -> dict[str, Cost]:
        """By query, of the whole hours from that of ``since`` on; a query that was not pulled is not in it."""
        table = pull_costs.c
        statement = (
            select(table.query, func.sum(table.pulls), func.sum(table.rows), func.sum(table.seconds))
            .where(table.hour >= _hour(since))
            .group_by(table.query)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return {query: Cost(int(pulls), int(count), float(seconds)) for query, pulls, count, seconds in rows}

    def last(self) -> dict[str, LastPull]:
        """By query."""
        table, other = pull_costs.c, pull_costs.alias()
        newest = select(func.max(other.c.hour)).where(other.c.query == table.query).scalar_subquery()
        with self._database.reading() as connection:
            rows = connection.execute(select(pull_costs).where(table.hour == newest)).all()
        return {row.query: LastPull(row.at, Cost(row.last_pulls, row.last_rows, row.last_seconds)) for row in rows}


def add(connection: Connection, query: str, at: datetime, cost: Cost) -> None:
    """Counted to the hour of ``at``, and to the last pull where that was at the same instant."""
    table = pull_costs.c
    found = connection.execute(select(pull_costs).where(table.query == query, table.hour == _hour(at))).one_or_none()
    hour = Cost(found.pulls, found.rows, found.seconds) + cost if found else cost
    is_same = found is not None and found.at == at
    last = Cost(found.last_pulls, found.last_rows, found.last_seconds) + cost if found and is_same else cost
    row = {
        "query": query,
        "hour": _hour(at),
        "pulls": hour.pulls,
        "rows": hour.rows,
        "seconds": hour.seconds,
        "at": at,
        "last_pulls": last.pulls,
        "last_rows": last.rows,
        "last_seconds": last.seconds,
    }
    upsert(connection, pull_costs, [row])


def expire(connection: Connection, now: datetime) -> None:
    connection.execute(delete(pull_costs).where(pull_costs.c.hour < now - KEPT))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
