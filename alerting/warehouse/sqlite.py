"""SQLite: opened with mode=ro, interrupted from outside, times compared as text."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import cast
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

from alerting.warehouse.errors import QueryFailed, SourceError, TimedOut, Unreachable
from alerting.warehouse.instants import wall_edge
from alerting.warehouse.rows import bind, fetch_by_cursor
from alerting.warehouse.statements import Edge, Statement, Style
from alerting.warehouse.table import Table
from config.model import Source


class Sqlite:
    style: Style = "named"

    def engine(self, url: URL, source: Source) -> Engine:
        # Another process may write the file: hold it no longer than a pull (no pool).
        return create_engine(read_only(url), poolclass=NullPool, connect_args={"check_same_thread": False})

    def edge(self, instant: datetime, source: Source) -> object:
        return wall_edge(instant, source.naive_time).strftime("%Y-%m-%d %H:%M:%S")

    def fetch(
        self,
        connection: DBAPIConnection,
        statement: Statement,
        edges: Mapping[Edge, object],
        source: Source,
        row_cap: int,
    ) -> Table:
        # mode=ro covers the main file only: without this a query could attach another one and write there.
        cast(sqlite3.Connection, connection).setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        return fetch_by_cursor(connection, statement, bind(statement, edges, by_name=True), row_cap)

    def cancel(self, connection: DBAPIConnection) -> None:
        cast(sqlite3.Connection, connection).interrupt()

    def sever(self, connection: DBAPIConnection) -> None:
        self.cancel(connection)

    def translate(self, exc: Exception, subject: str, words: str) -> SourceError:
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        match code:
            case sqlite3.SQLITE_INTERRUPT:
                return TimedOut(subject, "the query was interrupted", "make it faster, or raise timeout")
            case sqlite3.SQLITE_CANTOPEN:
                return Unreachable(subject, words, "does the file exist, and may we read it?")
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return Unreachable(subject, words, "another process writes the file; tried again at the next tick")
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return Unreachable(subject, words, "the file is not a SQLite database, or it is damaged")
        return QueryFailed(subject, words, "run the SQL by hand to see more")

    def can_write(self, connection: DBAPIConnection) -> bool:
        return False


def read_only(url: URL) -> URL:
    """The URL of the same file, opened read-only; a missing file is an error, not a new database."""
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        return url
    file = "file:" + quote(str(Path(name).resolve()))
    return url.set(database=file, query={**url.query, "mode": "ro", "uri": "true"})
