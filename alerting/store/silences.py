"""Silences as they are stored."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, RowMapping, select

from alerting.core.silences import Silence
from alerting.store import encoding
from alerting.store.database import Database
from alerting.store.errors import LostRace
from alerting.store.statements import Cells, upsert
from alerting.store.tables import silences


class Silences:
    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *, limit: int = 1000) -> tuple[Silence, ...]:
        """Also those that are over, the newest first."""
        statement = select(silences).order_by(silences.c.created.desc(), silences.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(_silence_of(row) for row in connection.execute(statement).mappings())

    def holding(self) -> tuple[Silence, ...]:
        """Those whose end nobody was told of yet, also those that have not begun, the oldest first."""
        statement = select(silences).where(silences.c.told_end.is_(None)).order_by(silences.c.created, silences.c.id)
        with self._database.reading() as connection:
            return tuple(_silence_of(row) for row in connection.execute(statement).mappings())

    def named(self, silence_id: str) -> Silence | None:
        with self._database.reading() as connection:
            row = connection.execute(select(silences).where(silences.c.id == silence_id)).mappings().one_or_none()
            return None if row is None else _silence_of(row)


def write(connection: Connection, changed: Iterable[Silence]) -> None:
    """Raises LostRace where the end of a silence was told already."""
    for one in changed:
        is_told = select(silences.c.id).where(silences.c.id == one.id, silences.c.told_end.is_not(None))
        if connection.execute(is_told.with_for_update()).first() is not None:
            raise LostRace(f"somebody else recorded first: the silence {one.id} is over")
        upsert(connection, silences, [_row(one)])


def _row(one: Silence) -> Cells:
    return {
        "id": one.id,
        "matchers": encoding.pairs_text(one.matchers),
        "starts": one.starts,
        "ends": one.ends,
        "author": one.author,
        "comment": one.comment,
        "created": one.created,
        "expired_by": one.expired_by,
        "told_end": one.told_end,
    }


def _silence_of(row: RowMapping) -> Silence:
    return Silence(**{**row, "matchers": encoding.pairs_from(row["matchers"])})
