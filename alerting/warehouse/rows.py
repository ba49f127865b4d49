"""Rows of a DBAPI cursor as columns, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from alerting.warehouse.dialects import RowCap
from alerting.warehouse.statements import Edge, Statement
from alerting.warehouse.table import Column, Table

CHUNK_ROWS = 10_000
"""Rows that travel together."""
_TURNED_ROWS = 500
"""Rows turned together: fewer live tuples than wake Python's garbage collector (700), which halves the time."""
Binds = Mapping[str, object] | tuple[object, ...]


def columns(names: Sequence[str], rows: Iterable[Sequence[object]], row_cap: int) -> Table:
    """The rows turned, without ever holding more than ``row_cap`` and one chunk of them. Raises RowCap."""
    cells: list[list[object]] = [[] for _ in names]
    remaining = iter(rows)
    count = 0
    while chunk := list(islice(remaining, _TURNED_ROWS)):
        count += len(chunk)
        if count > row_cap:
            raise RowCap
        for column, more in zip(cells, zip(*chunk, strict=True), strict=True):
            column.extend(more)
    return Table(tuple(Column(name, "plain", column) for name, column in zip(names, cells, strict=True)), count)


def fetch_by_cursor(connection: DBAPIConnection, statement: Statement, binds: Binds, row_cap: int) -> Table:
    """Runs the statement on a plain DBAPI cursor."""
    cursor = connection.cursor()
    try:
        if statement.edges:
            cursor.execute(statement.text, binds)
        else:
            cursor.execute(statement.text)
        names = [str(column[0]) for column in cursor.description or ()]
        return columns(names, _rows(cursor), row_cap) if names else Table((), 0)
    finally:
        cursor.close()


def bind(statement: Statement, edges: Mapping[Edge, object], by_name: bool) -> Binds:
    """The edges as the driver takes them: a mapping, or a sequence in the order of the placeholders."""
    if by_name:
        return {name: edges[name] for name in statement.edges}
    return tuple(edges[name] for name in statement.edges)


def _rows(cursor: DBAPICursor) -> Iterator[Sequence[object]]:
    fetch: Callable[[int], Sequence[Sequence[object]]] = cursor.fetchmany
    while rows := fetch(CHUNK_ROWS):
        yield from rows
