from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.flow.world import SHOP, AnyRig, World
from tests.servers import Server
from tests.warehouse.rigs import DuckRig, PostgresRig, SqliteRig

Made = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    """Makes worlds, over SQLite where no rig is given, and closes them after the test."""
    with ExitStack() as stack:

        def made(yaml: str = SHOP, rig: AnyRig | None = None, **settings: object) -> World:
            folder = tmp_path / f"world-{sum(1 for _ in tmp_path.iterdir())}"
            folder.mkdir()
            world = World(folder, rig or SqliteRig(folder / "shop.sqlite"), yaml, **settings)
            return stack.enter_context(closing(world))

        yield made


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def everywhere(request: pytest.FixtureRequest, make: Made, tmp_path: Path) -> World:
    """The same world on each warehouse."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        return make(rig=PostgresRig(server.database()))
    if request.param == "duckdb":
        return make(rig=DuckRig(tmp_path / "shop.duckdb"))
    return make()
