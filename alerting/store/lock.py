"""One process at a time evaluates and delivers: a lock that ends with its process, also by kill -9."""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from alerting.store.errors import StateBusy, Unavailable, translated

_KEY = "hashtext('metricwatch: evaluate and deliver' || current_schema())"


class _Held:
    """An open lock file. A forked child closes its copy at once: else a worker that outlives us would keep the lock."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)


_held: weakref.WeakSet[_Held] = weakref.WeakSet()


def _let_go_in_child() -> None:
    for held in list(_held):
        held.close()
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


@contextmanager
def exclusive(engine: Engine) -> Iterator[None]:
    """Raises StateBusy at once where another process, or another caller in this one, is inside."""
    if engine.dialect.name == "sqlite":
        with _file_lock(Path(str(engine.url.database) + ".lock")):
            yield
    else:
        with _session_lock(engine):
            yield


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    try:
        held = _Held(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise Unavailable(f"the lock file {path} cannot be opened: {exc.strerror}") from exc
    _held.add(held)
    try:
        _take(held.descriptor, path)
        yield
    finally:
        _held.discard(held)
        held.close()


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise StateBusy(f"the state is in use by process {path.read_text() or 'unknown'} (lock file {path})") from exc
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())


@contextmanager
def _session_lock(engine: Engine) -> Iterator[None]:
    # A session lock of PostgreSQL ends with its connection, which ends with the process. It is held on a connection of
    # its own; autocommit, or the connection would stand idle in a transaction for days.
    with translated():
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        with translated():
            is_ours = connection.execute(text(f"SELECT pg_try_advisory_lock({_KEY})")).scalar_one()
        if not is_ours:
            raise StateBusy("the state is in use by another process on this PostgreSQL database")
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a connection that broke has let go of its lock already
                connection.execute(text(f"SELECT pg_advisory_unlock({_KEY})"))
