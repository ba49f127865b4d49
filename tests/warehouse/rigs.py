"""Databases to pull from, loaded by their own drivers: what a dialect brings to join the contract suite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import duckdb
import psycopg
from sqlalchemy.engine.url import make_url

Kind = Literal["instant", "wall", "day", "text", "float", "exact", "whole"]
Row = Sequence[object]


class Rig(Protocol):
    """A database that a test may fill. ``url`` is what a source says."""

    @property
    def url(self) -> str: ...
    @property
    def slow(self) -> str:
        """A query without binds that runs for minutes and returns time and n."""

    @property
    def keeps_offsets(self) -> bool:
        """False: an instant is stored as text in UTC, without its offset."""

    def create(self, table: str, columns: Mapping[str, Kind], rows: Sequence[Row]) -> None:
        """Makes the table anew and fills it."""

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Adds rows."""

    def count(self, table: str) -> int:
        """The number of rows, read behind the back of the warehouse."""

    def hour(self, column: str) -> str:
        """SQL for the start of the hour."""


@dataclass(frozen=True)
class SqliteRig:
    path: Path
    slow: str = (
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10000000000) "
        "SELECT '2026-01-05 00:00:00' AS time, max(n) AS n FROM r"
    )

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def create(self, table: str, columns: Mapping[str, Kind], rows: Sequence[Row]) -> None:
        types = {"instant": "TEXT", "wall": "TEXT", "day": "TEXT", "text": "TEXT", "float": "REAL", "exact": "NUMERIC"}
        declared = ", ".join(f"{name} {types.get(kind, 'INTEGER')}" for name, kind in columns.items())
        with sqlite3.connect(self.path) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({declared})")
        connection.close()
        self.insert(table, rows)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        marks = ", ".join("?" * len(rows[0]))
        with sqlite3.connect(self.path) as connection:
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [_sqlite_row(row) for row in rows])
        connection.close()

    def count(self, table: str) -> int:
        connection = sqlite3.connect(self.path)
        found = int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        connection.close()
        return found

    def hour(self, column: str) -> str:
        return f"strftime('%Y-%m-%d %H:00:00', {column})"


@dataclass(frozen=True)
class DuckRig:
    path: Path
    slow: str = (
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10000000000) "
        "SELECT TIMESTAMP '2026-01-05' AS time, max(n) AS n FROM r"
    )

    @property
    def url(self) -> str:
        return f"duckdb:///{self.path}"

    def create(self, table: str, columns: Mapping[str, Kind], rows: Sequence[Row]) -> None:
        types = {"instant": "TIMESTAMPTZ", "wall": "TIMESTAMP", "day": "DATE", "text": "VARCHAR", "float": "DOUBLE"}
        types |= {"exact": "DECIMAL(20, 4)", "whole": "BIGINT"}
        declared = ", ".join(f"{name} {types[kind]}" for name, kind in columns.items())
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({declared})")
        self.insert(table, rows)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        # One list per column: executemany is a statement per row.
        lists = ", ".join(["unnest(?)"] * len(rows[0]))
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(
                f"INSERT INTO {table} SELECT {lists}", [list(column) for column in zip(*rows, strict=True)]
            )

    def count(self, table: str) -> int:
        with duckdb.connect(str(self.path)) as connection:
            found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert found is not None
        return int(found[0])

    def hour(self, column: str) -> str:
        return f"date_trunc('hour', {column})"


@dataclass(frozen=True)
class PostgresRig:
    url: str
    slow: str = "SELECT timestamptz '2026-01-05 00:00+00' AS time, 1 AS n FROM pg_sleep(600)"

    def create(self, table: str, columns: Mapping[str, Kind], rows: Sequence[Row]) -> None:
        types = {"instant": "timestamptz", "wall": "timestamp", "day": "date", "text": "text", "float": "float8"}
        types |= {"exact": "numeric", "whole": "bigint"}
        declared = ", ".join(f"{name} {types[kind]}" for name, kind in columns.items())
        with self._connect() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {table}".encode())
            connection.execute(f"CREATE TABLE {table} ({declared})".encode())
        self.insert(table, rows)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        load = f"COPY {table} FROM STDIN".encode()
        with self._connect() as connection, connection.cursor() as cursor, cursor.copy(load) as copy:
            for row in rows:
                copy.write_row(row)

    def count(self, table: str) -> int:
        with self._connect() as connection:
            found = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert found is not None
        return int(found[0])

    def hour(self, column: str) -> str:
        return f"date_trunc('hour', {column})"

    def _connect(self) -> psycopg.Connection:
        parts = make_url(self.url)
        return psycopg.connect(dbname=parts.database, user=parts.username, host=str(parts.query["host"]))


def _sqlite_row(row: Row) -> list[object]:
    """Times as the text that SQLite's own functions write; an aware one in UTC."""
    return [_sqlite_text(cell) if isinstance(cell, datetime) else _plain(cell) for cell in row]


def _sqlite_text(cell: datetime) -> str:
    naive = cell.astimezone(UTC).replace(tzinfo=None) if cell.tzinfo else cell
    return naive.strftime("%Y-%m-%d %H:%M:%S")


def _plain(cell: object) -> object:
    return cell if isinstance(cell, int | float | None) else str(cell)
