"""DuckDB: a read-only file without access to others, whole columns as numpy arrays, interrupted from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

from alerting.warehouse.dialects import RowCap
from alerting.warehouse.errors import QueryFailed, SourceError, TimedOut, Unreachable
from alerting.warehouse.rows import bind
from alerting.warehouse.statements import Edge, Statement, Style, bare
from alerting.warehouse.table import Column, Kind, Table
from config.model import Source

_KINDS: dict[str, Kind] = {"TIMESTAMP WITH TIME ZONE": "instant", "DATE": "day"}


class _Cursor(Protocol):
    description: list[tuple[object, ...]]

    def execute(self, statement: str, binds: object = None) -> object: ...
    def fetchnumpy(self) -> dict[str, NDArray[np.generic]]: ...
    def interrupt(self) -> None: ...


class DuckDB:
    style: Style = "dollar"

    def engine(self, url: URL, source: Source) -> Engine:
        arguments: dict[str, object] = {"config": {"enable_external_access": "false"}}
        if url.database and not url.database.startswith(":memory:"):
            arguments["read_only"] = True
        # No pool: an open connection, even a read-only one, locks the file against the process that loads it.
        return create_engine(url, poolclass=NullPool, connect_args=arguments)

    def edge(self, instant: datetime, source: Source) -> object:
        return instant

    def fetch(
        self,
        connection: DBAPIConnection,
        statement: Statement,
        edges: Mapping[Edge, object],
        source: Source,
        row_cap: int,
    ) -> Table:
        cursor = cast(_Cursor, connection)
        # Comparing a naive column with our aware edges reads the column in the session's zone.
        cursor.execute(f"SET TimeZone = '{source.naive_time}'")
        # In parentheses only one query can stand: no second statement, nothing that writes, no SET.
        text = f"SELECT * FROM (\n{bare(statement.text)}\n) LIMIT {row_cap + 1}"
        binds = bind(statement, edges, by_name=True)
        cursor.execute(text, binds) if statement.edges else cursor.execute(text)
        described = [(str(column[0]), str(column[1])) for column in cursor.description]
        arrays = list(cursor.fetchnumpy().values())
        rows = len(arrays[0]) if arrays else 0
        if rows > row_cap:
            raise RowCap
        found = zip(described, arrays, strict=True)
        return Table(tuple(_column(name, kind, array) for (name, kind), array in found), rows)

    def cancel(self, connection: DBAPIConnection) -> None:
        cast(_Cursor, connection).interrupt()

    def sever(self, connection: DBAPIConnection) -> None:
        self.cancel(connection)

    def translate(self, exc: Exception, subject: str, words: str) -> SourceError:
        match type(exc).__name__:
            case "InterruptException":
                return TimedOut(subject, "the query was interrupted", "make it faster, or raise timeout")
            case "IOException" if "lock" in words:
                return Unreachable(
                    subject, words, "another process has the DuckDB file open for writing; it must close it first"
                )
            case "ConnectionException" if "different configuration" in words:
                return Unreachable(subject, words, "this process has the DuckDB file open for writing: close it first")
            case "IOException" | "ConnectionException":
                return Unreachable(subject, words, "does the file exist, and is it a DuckDB database?")
        return QueryFailed(subject, words, "run the SQL by hand to see more")

    def can_write(self, connection: DBAPIConnection) -> bool:
        return False


def _column(name: str, kind: str, array: NDArray[np.generic]) -> Column:
    missing = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
    cells = np.ma.getdata(array) if missing is not None else array
    if array.dtype.kind == "M":
        nulls = np.isnat(cells) if missing is None else missing | np.isnat(cells)
        return Column(name, _KINDS.get(kind, "wall"), cells.astype("datetime64[us]"), nulls if nulls.any() else None)
    if array.dtype.kind in "iufb":
        return Column(name, "number", cells, missing)
    values = cells.astype(object)
    if missing is not None:
        values[missing] = None
    return Column(name, "plain", values)
