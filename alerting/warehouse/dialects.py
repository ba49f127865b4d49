"""What each database needs: read-only, its own timeout, cancel, binds, and its errors in our words.

A dialect is one file with one class that answers ``Dialect``, and one line in ``_DIALECTS``; all others are served by
``generic``. Each joins the suite in tests/warehouse/contract.py.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

from alerting.warehouse.errors import SourceError
from alerting.warehouse.statements import Edge, Statement, Style
from alerting.warehouse.table import Table
from config.model import Source

_DIALECTS = {
    "sqlite": "alerting.warehouse.sqlite:Sqlite",
    "duckdb": "alerting.warehouse.duckdb:DuckDB",
    "postgresql": "alerting.warehouse.postgresql:PostgreSQL",
}
_GENERIC = "alerting.warehouse.generic:Generic"


class RowCap(Exception):
    """More than the allowed number of rows came; says nothing about the query, its caller does."""


class Dialect(Protocol):
    """The manners of one database. Connections are those of the driver; foreign errors leave as they are."""

    @property
    def style(self) -> Style:
        """How the driver writes binds."""

    def engine(self, url: URL, source: Source) -> Engine:
        """An engine whose connections cannot write, as far as the database allows."""

    def edge(self, instant: datetime, source: Source) -> object:
        """The edge of a window as the driver should bind it."""

    def fetch(
        self,
        connection: DBAPIConnection,
        statement: Statement,
        edges: Mapping[Edge, object],
        source: Source,
        row_cap: int,
    ) -> Table:
        """All rows of the query. Raises RowCap, and the driver's own errors."""

    def cancel(self, connection: DBAPIConnection) -> None:
        """Asks the server, or the library, to give up the running query; called from another thread."""

    def sever(self, connection: DBAPIConnection) -> None:
        """Cuts the connection under a driver that does not come back; called from another thread."""

    def translate(self, exc: Exception, subject: str, words: str) -> SourceError:
        """The driver's error as one of ours; ``words`` is its text without secrets."""

    def can_write(self, connection: DBAPIConnection) -> bool:
        """True when the role could change data if our own read-only settings were not there."""


def dialect_of(url: URL) -> Dialect:
    """The manners for this URL's database."""
    module, _, name = _DIALECTS.get(url.get_backend_name(), _GENERIC).partition(":")
    return cast(Dialect, getattr(importlib.import_module(module), name)())
