"""Any other database that SQLAlchemy has a dialect for: plain cursor, naive edges, no promise to be read-only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

from alerting.warehouse.errors import QueryFailed, SourceError, Unreachable
from alerting.warehouse.instants import wall_edge
from alerting.warehouse.rows import bind, fetch_by_cursor
from alerting.warehouse.statements import Edge, Statement, Style
from alerting.warehouse.table import Table
from config.model import Source


class Generic:
    """Keeps the deadline by abandoning the worker: the standard of Python's drivers knows no cancel."""

    style: Style = "qmark"

    def engine(self, url: URL, source: Source) -> Engine:
        engine = create_engine(url, pool_size=source.concurrency, max_overflow=0, pool_pre_ping=True)
        style = "dollar_number" if engine.dialect.paramstyle == "numeric_dollar" else engine.dialect.paramstyle
        self.style = cast(Style, style)
        return engine

    def edge(self, instant: datetime, source: Source) -> object:
        return wall_edge(instant, source.naive_time)

    def fetch(
        self,
        connection: DBAPIConnection,
        statement: Statement,
        edges: Mapping[Edge, object],
        source: Source,
        row_cap: int,
    ) -> Table:
        binds = bind(statement, edges, by_name=self.style in ("named", "pyformat"))
        return fetch_by_cursor(connection, statement, binds, row_cap)

    def cancel(self, connection: DBAPIConnection) -> None:
        return None

    def sever(self, connection: DBAPIConnection) -> None:
        return None

    def translate(self, exc: Exception, subject: str, words: str) -> SourceError:
        if type(exc).__name__ in ("OperationalError", "InterfaceError", "TimeoutError"):
            return Unreachable(subject, words, "is the server up, and may this user log in?")
        return QueryFailed(subject, words, "run the SQL by hand to see more")

    def can_write(self, connection: DBAPIConnection) -> bool:
        return False
