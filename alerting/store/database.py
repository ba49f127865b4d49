"""Connections: one read or one write transaction at a time, with the manners of SQLite and PostgreSQL."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from alerting.store.errors import StoreError, Unavailable, translated
from config.urls import normalised

BUSY_TIMEOUT_MS = 5_000
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",  # first: switching to WAL needs a lock itself
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a recorded page must survive power loss
)


class Database:
    """The engine behind the store. ``reading`` and ``writing`` are its only doors, each one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        is_sqlite = engine.dialect.name == "sqlite"
        self._writer = engine.execution_options(immediate=True)
        self._reader = engine if is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, whatever is written meanwhile. Raises StoreError."""
        with translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing. Raises StoreError; LostRace where a unique row is already there."""
        with translated(), self._writer.begin() as connection:
            yield connection


def connect(url: str) -> Database:
    """Raises StoreError where the URL names no database that can hold our state."""
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return Database(_sqlite(address))
    return Database(_postgresql(address))


def _address(url: str) -> URL:
    try:
        address = make_url(normalised(url))
    except ArgumentError as exc:
        raise StoreError("the state URL cannot be read: write sqlite:///FILE or postgresql+psycopg://…") from exc
    if address.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise StoreError(
            f"state cannot be kept in {address.drivername}: write sqlite:///FILE or postgresql+psycopg://…"
        )
    return address


def _sqlite(address: URL) -> Engine:
    if not address.database or address.database == ":memory:":
        raise StoreError("state in memory is lost when the process ends: write sqlite:///FILE")
    _make_private(Path(address.database))
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """The file exists and only its owner can read it; SQLite gives the same mode to the log beside it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise Unavailable(f"the state file {path} cannot be opened: {exc.strerror}") from exc
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        with suppress(PermissionError):  # somebody else's file: readable by us is enough
            path.chmod(0o600)


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes too late and is never IMMEDIATE: a read that turns into a write would then fail at
    # once, because SQLite ignores the busy timeout there.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _postgresql(address: URL) -> Engine:
    try:
        engine = create_engine(
            address,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            connect_args={"connect_timeout": 5},
        )
    except (ModuleNotFoundError, NoSuchModuleError) as exc:
        raise StoreError("PostgreSQL needs its driver: install metricwatch[postgres]") from exc
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
    cursor.close()
    connection.commit()
