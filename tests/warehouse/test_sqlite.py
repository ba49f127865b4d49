from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from alerting.warehouse import QueryFailed, Unreachable, open_warehouse
from config.model import Source
from config.secrets import Secret
from tests.warehouse.contract import MONDAY, DialectContract, query, window
from tests.warehouse.rigs import SqliteRig

HOUR = window("2026-01-05T00:00", "2026-01-05T01:00")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> SqliteRig:
    rig = SqliteRig(tmp_path_factory.mktemp("sqlite") / "shop.sqlite")
    rig.create("unused", {"n": "whole"}, [])
    return rig


class TestSqlite(DialectContract):
    pass


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT made AS time, n FROM raw",
        "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', made) AS time, n FROM raw",
        "SELECT CAST(strftime('%s', made) AS INTEGER) AS time, n FROM raw",
        "SELECT strftime('%Y-%m-%d %H:%M', made) AS time, n FROM raw",
    ],
)
def test_text_and_epoch_seconds_are_read_alike(rig: SqliteRig, sql: str) -> None:
    rig.create("raw", {"made": "instant", "n": "whole"}, [(MONDAY, 7)])
    pulled = open_warehouse(Source("shop", Secret(rig.url))).pull(query(sql), HOUR, ["n"])
    np.testing.assert_array_equal(pulled.block.values, [[7]])


def test_other_files_cannot_be_attached(rig: SqliteRig, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    sqlite3.connect(other).close()
    warehouse = open_warehouse(Source("shop", Secret(rig.url)))
    with pytest.raises(QueryFailed, match="too many attached databases"):
        warehouse.pull(query(f"ATTACH DATABASE 'file:{other}?mode=rwc' AS other"), HOUR, ["n"])


def test_missing_file_is_unreachable_and_not_created(tmp_path: Path) -> None:
    warehouse = open_warehouse(Source("shop", Secret(f"sqlite:///{tmp_path / 'none.sqlite'}")))
    with pytest.raises(Unreachable, match=r"query orders_hourly: unable to open database file; does the file exist"):
        warehouse.pull(query("SELECT 1 AS time"), HOUR, [])
    assert not (tmp_path / "none.sqlite").exists()


def test_file_that_is_no_database_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").write_text("not a database, but long enough to be looked at " * 30, encoding="utf-8")
    warehouse = open_warehouse(Source("shop", Secret(f"sqlite:///{tmp_path / 'notes.sqlite'}")))
    with pytest.raises(Unreachable, match="not a SQLite database"):
        warehouse.pull(query("SELECT * FROM t"), HOUR, [])
