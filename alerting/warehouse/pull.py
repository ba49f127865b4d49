"""Pulls the readings of a query from its warehouse: SQL in, one block out."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from alerting.core.blocks import Block
from alerting.warehouse.deadline import GRACE_S, Overdue, within
from alerting.warehouse.dialects import Dialect, RowCap, dialect_of
from alerting.warehouse.errors import Misconfigured, RowCapReached, SourceError, TimedOut, Unreachable, redact
from alerting.warehouse.readings import read
from alerting.warehouse.statements import Edge, render
from alerting.warehouse.table import Table
from alerting.warehouse.windows import Window, halves, split
from config.model import Query, Source
from config.secrets import MissingSecret
from config.urls import normalised

T = TypeVar("T")
_LOOK_S = 0.1
_STOPPED = "cancelled because the program stops"


@dataclass(frozen=True)
class Pulled:
    """What one query brought for one window. ``columns`` are those of the result, in its order."""

    block: Block
    columns: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: int
    seconds: float


@dataclass
class _Line:
    """The connection that a worker is using, for whoever must cancel it.

    The lock keeps the connection from going back to the pool, and on to somebody else, while it is being cancelled.
    """

    connection: DBAPIConnection | None = None
    is_given_up: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def use(self, connection: DBAPIConnection | None) -> None:
        with self.lock:
            self.connection = connection

    def reach(self, how: Callable[[DBAPIConnection], None]) -> None:
        with self.lock:
            self.is_given_up = True
            if self.connection is not None:
                how(self.connection)


class _Broken(Exception):
    """A connection was found dead."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class Warehouse:
    """One source, at most ``concurrency`` queries at a time; safe to use from several threads.

    A worker that never comes back keeps its place until it does, so that a dead server holds a bounded number of
    threads and never more.
    """

    source: Source
    url: URL
    dialect: Dialect
    engine: Engine
    grace_s: float = GRACE_S
    _places: threading.BoundedSemaphore = field(init=False)
    _chunks: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._places = threading.BoundedSemaphore(self.source.concurrency)

    def pull(
        self, query: Query, window: Window, columns: Sequence[str], *, cancel: threading.Event | None = None
    ) -> Pulled:
        """The readings of ``window``; ``columns`` are the value columns wanted. Raises SourceError."""
        began = time.monotonic()
        subject = f"query {query.name}"
        statement = render(query.sql, self.dialect.style)
        edges: dict[Edge, object] = {
            "start": self.dialect.edge(window.since, self.source),
            "end": self.dialect.edge(window.until, self.source),
        }

        def work(connection: DBAPIConnection) -> Table:
            try:
                return self.dialect.fetch(connection, statement, edges, self.source, query.row_cap)
            except RowCap as exc:
                span = f"{window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M} UTC"
                what = f"more than row_cap {query.row_cap} rows for {span}"
                raise RowCapReached(
                    subject, what, "GROUP BY the bucket, leave dimensions out, or raise row_cap"
                ) from exc

        table = self.ask(subject, work, cancel=cancel)
        reading = read(table, query, window, columns, self.source.naive_time)
        return Pulled(reading.block, table.names, reading.warnings, table.rows, time.monotonic() - began)

    def pull_all(
        self,
        query: Query,
        windows: Sequence[Window],
        columns: Sequence[str],
        *,
        cancel: threading.Event | None = None,
    ) -> Iterator[tuple[Window, Pulled]]:
        """Each window as it is pulled, in the order given; one that reaches the row cap is halved until it fits.

        The size that fitted is remembered for the query's later windows. Raises SourceError at the first that fails;
        what was yielded before it may be kept.
        """
        waiting = deque(windows)
        while waiting:
            window = waiting.popleft()
            pieces = self._pieces(query, window)
            if len(pieces) > 1:
                waiting.extendleft(reversed(pieces))
                continue
            try:
                pulled = self.pull(query, window, columns, cancel=cancel)
            except RowCapReached:
                parts = halves(query, window)
                if parts is None:
                    raise
                self._chunks[query.digest] = len(query.bucket.starts(parts[1].since, parts[1].until, query.timezone))
                waiting.appendleft(window)
                continue
            yield window, pulled

    def ask(self, subject: str, work: Callable[[DBAPIConnection], T], *, cancel: threading.Event | None = None) -> T:
        """What ``work`` returns on a connection of its own, within the source's timeout. Raises SourceError."""
        limit_s = self.source.timeout.total_seconds()
        end = time.monotonic() + limit_s
        self._take_place(subject, end, cancel)
        line = _Line()
        try:
            return within(
                max(0.0, end - time.monotonic()),
                lambda: self._in_place(line, work),
                cancel=lambda: line.reach(self.dialect.cancel),
                sever=lambda: line.reach(self.dialect.sever),
                stop=cancel,
                grace_s=self.grace_s,
            )
        except Overdue as exc:
            raise self._overdue(subject, exc) from exc
        except self._foreign as exc:
            self._translate(subject, exc)

    def close(self) -> None:
        """Closes idle connections; those at work close when they end."""
        self.engine.dispose()

    @property
    def _foreign(self) -> tuple[type[Exception], ...]:
        # A driver that cannot decode a value raises the errors of Python.
        return (SQLAlchemyError, OSError, ValueError, ArithmeticError, self.engine.dialect.loaded_dbapi.Error)

    def _pieces(self, query: Query, window: Window) -> list[Window]:
        size = self._chunks.get(query.digest)
        if size is None:
            return [window]
        pieces = split(query, window, size)
        return pieces[::-1] if window.purpose == "new" else pieces

    def _take_place(self, subject: str, end: float, stop: threading.Event | None) -> None:
        while not self._places.acquire(timeout=min(_LOOK_S, max(0.0, end - time.monotonic()))):
            if stop is not None and stop.is_set():
                raise TimedOut(subject, _STOPPED)
            if time.monotonic() >= end:
                busy = f"all {self.source.concurrency} connections of source {self.source.name} are busy"
                raise Unreachable(subject, busy, "raise concurrency, or make its queries faster")

    def _in_place(self, line: _Line, work: Callable[[DBAPIConnection], T]) -> T:
        """Runs in the worker, and gives its place back when it ends, however late."""
        try:
            try:
                return self._on_connection(line, work)
            except _Broken:
                # The server had closed an idle connection. All that idle are suspect: dial anew, once.
                self.engine.dispose()
                return self._on_connection(line, work)
        except _Broken as exc:
            raise exc.error from None
        finally:
            self._places.release()

    def _on_connection(self, line: _Line, work: Callable[[DBAPIConnection], T]) -> T:
        proxied = self.engine.raw_connection()
        connection = _driver(proxied)
        line.use(connection)
        try:
            return work(connection)
        except self.engine.dialect.loaded_dbapi.Error as exc:
            if self.engine.dialect.is_disconnect(exc, connection, None):
                proxied.invalidate()
                if not line.is_given_up:
                    raise _Broken(exc) from exc
            raise
        finally:
            line.use(None)
            proxied.close()

    def _overdue(self, subject: str, exc: Overdue) -> SourceError:
        if exc.why == "stopped":
            return TimedOut(subject, _STOPPED)
        what = f"no answer from source {self.source.name} within {self.source.timeout.total_seconds():g} s"
        if exc.is_abandoned:
            return TimedOut(subject, what + ", and it did not react to being cancelled", "is the server alive?")
        return TimedOut(subject, what + ", cancelled", "make the query faster, or raise the source's timeout")

    def _translate(self, subject: str, exc: Exception) -> NoReturn:
        original = exc.orig if isinstance(exc, DBAPIError) and isinstance(exc.orig, Exception) else exc
        words = redact(str(original), self.url.password, *_secret_values(self.url)) or type(original).__name__
        raise self.dialect.translate(original, subject, words) from exc


def open_warehouse(source: Source, *, environment: Mapping[str, str] = os.environ) -> Warehouse:
    """The warehouse of a source; nothing is dialled yet. Raises Misconfigured."""
    subject = f"source {source.name}"
    try:
        url = make_url(normalised(source.url.reveal(environment)))
    except MissingSecret as exc:
        raise Misconfigured(subject, str(exc), "set it where metricwatch runs") from exc
    except (ArgumentError, ValueError):
        # The parser's message may quote the URL with its password, so it is not chained.
        raise Misconfigured(
            subject, "its url cannot be read", "write dialect://user:${env:NAME}@host/database"
        ) from None
    dialect = dialect_of(url)
    try:
        engine = dialect.engine(url, source)
    except (NoSuchModuleError, ImportError, ArgumentError) as exc:
        remedy = "install its driver beside metricwatch, for example pip install 'metricwatch[postgres]'"
        raise Misconfigured(subject, f"no driver for {url.drivername}:// ({redact(str(exc))})", remedy) from exc
    return Warehouse(source, url, dialect, engine)


def _driver(proxied: PoolProxiedConnection) -> DBAPIConnection:
    connection = proxied.driver_connection
    assert connection is not None
    return connection  # type: ignore[no-any-return]  # SQLAlchemy types it as Any


def _secret_values(url: URL) -> list[str]:
    words = ("password", "token", "secret", "key")
    return [str(value) for name, value in url.query.items() if any(word in name.lower() for word in words)]
