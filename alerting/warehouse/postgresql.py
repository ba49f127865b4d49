"""PostgreSQL through psycopg: one statement in a read-only transaction, streamed, always rolled back."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from datetime import datetime
from itertools import chain
from typing import cast

import psycopg
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader
from sqlalchemy import Engine, QueuePool, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

from alerting.warehouse.errors import LoginRefused, QueryFailed, SourceError, TimedOut, Unreachable
from alerting.warehouse.rows import CHUNK_ROWS, bind, columns
from alerting.warehouse.statements import Edge, Statement, Style
from alerting.warehouse.table import Column, Table
from config.model import Source

_CONNECT_S = 10
_Rows = Generator[tuple[object, ...], None, None]
_TIMES = ("timestamptz", "timestamp", "date")
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
        cursor = psycopg.RawCursor(raw)
        # Text of times is read once per distinct value later; floats are all that a Decimal would become.
        for name in _TIMES:
            cursor.adapters.register_loader(name, TextLoader)
        cursor.adapters.register_loader("numeric", FloatLoader)
        binds = cast(tuple[object, ...], bind(statement, edges, by_name=False))
        text = statement.text.encode()
        # stream() uses the extended protocol, which takes exactly one statement: nothing can end the transaction.
        rows = cast(_Rows, cursor.stream(text, binds, size=CHUNK_ROWS))
        with closing(rows):
            first = next(rows, None)
            if first is None:
                return _empty(raw, text, len(binds))
            names = [column.name for column in cursor.description or ()]
            return columns(names, chain([first], rows), row_cap)

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


def _empty(connection: psycopg.Connection[tuple[object, ...]], text: bytes, binds: int) -> Table:
    """The columns of a query that streamed no row, which the stream does not tell."""
    timestamptz = psycopg.adapters.types["timestamptz"].oid
    connection.pgconn.prepare(b"", text, [timestamptz] * binds)
    described = connection.pgconn.describe_prepared(b"")
    names = [(described.fname(index) or b"").decode() for index in range(described.nfields)]
    return Table(tuple(Column(name, "plain", []) for name in names), 0)
