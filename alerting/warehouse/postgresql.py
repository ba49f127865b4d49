"""PostgreSQL through psycopg: one statement in a read-only transaction, streamed, always rolled back."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from typing import cast

import numpy as np
import psycopg
from psycopg.types.numeric import FloatLoader, Int4BinaryLoader, Int8BinaryLoader
from psycopg.types.string import TextLoader
from sqlalchemy import Engine, QueuePool, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

from alerting.warehouse.errors import LoginRefused, QueryFailed, SourceError, TimedOut, Unreachable
from alerting.warehouse.rows import CHUNK_ROWS, bind, columns
from alerting.warehouse.statements import Edge, Statement, Style
from alerting.warehouse.table import Column, Kind, Table
from config.model import Source

_Loaders = dict[str, type[TextLoader] | type[FloatLoader] | type[Int8BinaryLoader] | type[Int4BinaryLoader]]
_CONNECT_S = 10
_Rows = Generator[tuple[object, ...], None, None]
_EPOCH_US = 946_684_800_000_000  # from 1970 to 2000
_DAY_US = 86_400_000_000
_FAR_DAYS = 2**26
COMMAND_OK = psycopg.pq.ExecStatus.COMMAND_OK
# Text of times is read later, once per distinct value; floats are all that a Decimal would become.
_TEXT: _Loaders = {"timestamptz": TextLoader, "timestamp": TextLoader, "date": TextLoader, "numeric": FloatLoader}
_BINARY: _Loaders = {"timestamptz": Int8BinaryLoader, "timestamp": Int8BinaryLoader, "date": Int4BinaryLoader}
_FAST = ("text", "varchar", "bpchar", "name", "int2", "int4", "int8", "float8", "bool")
_REFUSALS = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied",
    "not permitted to log in",
)
_CAN_WRITE = """
SELECT rolsuper OR EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
FROM pg_roles WHERE rolname = current_user
"""


class PostgreSQL:
    style: Style = "dollar_number"

    def engine(self, url: URL, source: Source) -> Engine:
        timeout_s = max(2, min(_CONNECT_S, int(source.timeout.total_seconds())))
        return create_engine(
            url,
            poolclass=QueuePool,
            pool_size=source.concurrency,
            max_overflow=0,
            # No ping at checkout: it runs where nobody can cancel it. A dead connection is replaced when it shows.
            pool_recycle=1800,
            connect_args={"connect_timeout": timeout_s, "application_name": "metricwatch", "prepare_threshold": None},
        )

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
        raw = cast(psycopg.Connection[tuple[object, ...]], connection)
        _begin_read_only(raw, source)
        text = statement.text.encode()
        binds = cast(tuple[object, ...], bind(statement, edges, by_name=False))
        described = _describe(raw, text, len(binds))
        is_binary = _may_be_binary(described)
        cursor = psycopg.RawCursor(raw)
        for name, loader in (_BINARY if is_binary else _TEXT).items():
            cursor.adapters.register_loader(name, loader)
        # stream() uses the extended protocol, which takes exactly one statement: nothing can end the transaction.
        rows = cast(_Rows, cursor.stream(text, binds, binary=is_binary, size=CHUNK_ROWS))
        with closing(rows):
            table = columns([name for name, _ in described], rows, row_cap)
        return _with_times(table, described) if is_binary else table

    def cancel(self, connection: DBAPIConnection) -> None:
        with suppress(psycopg.Error):
            cast(psycopg.Connection[tuple[object, ...]], connection).cancel_safe(timeout=2)

    def sever(self, connection: DBAPIConnection) -> None:
        # Shutting the socket down wakes the driver in its own thread; closing the connection from here could free
        # memory that it still reads.
        with suppress(OSError, psycopg.Error):
            descriptor = os.dup(cast(psycopg.Connection[tuple[object, ...]], connection).fileno())
            with socket.socket(fileno=descriptor) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def translate(self, exc: Exception, subject: str, words: str) -> SourceError:
        state = getattr(exc, "sqlstate", None) or ""
        if state == "57014":
            return TimedOut(subject, words, "make it faster, or raise timeout")
        if state[:2] == "28" or state == "3D000" or (not state and any(refusal in words for refusal in _REFUSALS)):
            return LoginRefused(subject, words, "check the user, the password and the database in the source's URL")
        if state[:2] in ("08", "53", "57") or (not state and isinstance(exc, psycopg.OperationalError)):
            return Unreachable(subject, words, "is the server up, and the host and port of the source's URL right?")
        if state == "25006":
            return QueryFailed(subject, words, "metricwatch only reads: the SQL must be a query")
        return QueryFailed(subject, words, "run the SQL by hand to see more")

    def can_write(self, connection: DBAPIConnection) -> bool:
        raw = cast(psycopg.Connection[tuple[object, ...]], connection)
        row = raw.execute(_CAN_WRITE).fetchone()
        return bool(row and row[0])


def _begin_read_only(connection: psycopg.Connection[tuple[object, ...]], source: Source) -> None:
    """A transaction that cannot write, with our timeout, and local times read in ``naive_time``.

    Set inside the transaction, not in the connection's options: those do not pass a pooler such as PgBouncer, and
    a query could change a session default back.
    """
    connection.read_only = True
    timeout_ms = str(int(source.timeout.total_seconds() * 1000))
    connection.execute(
        "SELECT set_config('statement_timeout', %s, true), set_config('TimeZone', %s, true),"
        " set_config('DateStyle', 'ISO', true), set_config('IntervalStyle', 'postgres', true)",
        (timeout_ms, source.naive_time),
    )


def _describe(connection: psycopg.Connection[tuple[object, ...]], text: bytes, binds: int) -> list[tuple[str, int]]:
    """Name and type of each column, before the query runs: a stream without rows would not tell."""
    prepared = connection.pgconn.prepare(b"", text, [_oid("timestamptz")] * binds)
    found = connection.pgconn.describe_prepared(b"") if prepared.status == COMMAND_OK else prepared
    if found.status != COMMAND_OK:
        raise psycopg.errors.error_from_result(found)
    return [((found.fname(index) or b"").decode(), found.ftype(index)) for index in range(found.nfields)]


def _may_be_binary(described: Sequence[tuple[str, int]]) -> bool:
    """True when every column reads the same in the binary format, which is twice as fast."""
    fast = {_oid(name) for name in _FAST}
    times = {_oid(name) for name in _BINARY}
    return all(oid in (times if name.casefold() == "time" else fast) for name, oid in described)


def _with_times(table: Table, described: Sequence[tuple[str, int]]) -> Table:
    return Table(
        tuple(
            _times(column, oid) if column.name.casefold() == "time" else column
            for column, (_, oid) in zip(table.columns, described, strict=True)
        ),
        table.rows,
    )


def _times(column: Column, oid: int) -> Column:
    """Microseconds (of dates: days) since 2000 as datetime64; the database's infinities stay far out of range."""
    found = cast(Sequence[int | None], column.cells)
    missing = np.array([cell is None for cell in found]) if None in found else None
    counts = np.array(found if missing is None else [cell or 0 for cell in found], dtype=np.int64)
    if oid == _oid("date"):
        counts = np.clip(counts, -_FAR_DAYS, _FAR_DAYS) * _DAY_US
    cells = np.clip(counts, -(2**62), 2**62) + _EPOCH_US
    kinds: dict[int, Kind] = {_oid("timestamptz"): "instant", _oid("timestamp"): "wall", _oid("date"): "day"}
    return Column(column.name, kinds[oid], cells.view("datetime64[us]"), missing)


def _oid(name: str) -> int:
    return psycopg.adapters.types[name].oid
