"""Statements that both databases understand but SQLAlchemy spells per dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Table, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite

Cells = Mapping[str, object]


def number_at(
    vector: ColumnElement[bytes] | Column[bytes], width: int = 8, name: str = "offset"
) -> ColumnElement[bytes]:
    """The ``width`` bytes of a vector from the place bound as ``name`` on, counted from 1; empty beyond its end."""
    return func.substr(vector, bindparam(name), width, type_=LargeBinary)


def upsert(connection: Connection, table: Table, rows: Sequence[Cells], *, keep: frozenset[str] = frozenset()) -> None:
    """Each row is there afterwards; columns in ``keep`` stay as they are where the row existed."""
    if not rows:
        return
    insert = _insert(connection, table)
    key = [column.name for column in table.primary_key.columns]
    changed = {name: insert.excluded[name] for name in rows[0] if name not in key and name not in keep}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), [dict(row) for row in rows])


def insert_missing(connection: Connection, table: Table, rows: Sequence[Cells]) -> None:
    """Rows whose key is there already are left alone."""
    if rows:
        connection.execute(_insert_missing(connection, table), [dict(row) for row in rows])


def is_inserted(connection: Connection, table: Table, row: Cells) -> bool:
    """False, and nothing written, where the key is there already."""
    insert = _insert_missing(connection, table).execution_options(preserve_rowcount=True)
    return connection.execute(insert, dict(row)).rowcount == 1


def _insert_missing(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    key = [column.name for column in table.primary_key.columns]
    return _insert(connection, table).on_conflict_do_nothing(index_elements=key)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
