from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from alerting.warehouse import QueryFailed, Unreachable, Warehouse, open_warehouse
from config.model import Source
from config.secrets import Secret
from tests.warehouse.contract import MONDAY, KeepsOffsets, query, window
from tests.warehouse.rigs import DuckRig, Rig

HOUR = window("2026-01-05T00:00", "2026-01-05T01:00")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> DuckRig:
    rig = DuckRig(tmp_path_factory.mktemp("duckdb") / "shop.duckdb")
    rig.create("unused", {"n": "whole"}, [])
    return rig


class TestDuckDB(KeepsOffsets):
    def test_two_columns_of_one_name_are_refused(self, rig: Rig, warehouse: Warehouse) -> None:
        # Exempt: inside parentheses DuckDB itself renames the second one, which so arrives as a dimension.
        rig.create("twins", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
        pulled = warehouse.pull(query("SELECT made AS time, n, 2 AS N FROM twins"), HOUR, ["n"])
        assert [key.dimensions for key in pulled.block.keys] == [(("N_1", "2"),)]


def test_files_beside_the_database_cannot_be_read_or_written(rig: DuckRig, tmp_path: Path) -> None:
    beside = tmp_path / "beside.csv"
    beside.write_text("time,n\n2026-01-05,1\n", encoding="utf-8")
    warehouse = open_warehouse(Source("shop", Secret(rig.url)))
    for sql in (f"SELECT * FROM read_csv('{beside}')", f"COPY (SELECT 1) TO '{tmp_path / 'new.csv'}'"):
        with pytest.raises(QueryFailed, match="query orders_hourly: "):
            warehouse.pull(query(sql), HOUR, ["n"])
    assert not (tmp_path / "new.csv").exists()


def test_file_that_another_process_writes_is_unreachable_for_now(rig: DuckRig) -> None:
    hold = f"import duckdb, sys; held = duckdb.connect({str(rig.path)!r}); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"held\n"
        with pytest.raises(Unreachable, match="another process has the DuckDB file open for writing") as raised:
            open_warehouse(Source("shop", Secret(rig.url))).pull(query("SELECT 1 AS time"), HOUR, [])
        assert raised.value.is_transient
        writer.communicate()


def test_file_that_this_process_writes_is_unreachable_for_now(rig: DuckRig) -> None:
    with (
        duckdb.connect(str(rig.path)),
        pytest.raises(Unreachable, match="this process has the DuckDB file open for writing"),
    ):
        open_warehouse(Source("shop", Secret(rig.url))).pull(query("SELECT 1 AS time"), HOUR, [])


def test_pull_does_not_keep_the_file_locked(rig: DuckRig) -> None:
    rig.create("once", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
    warehouse = open_warehouse(Source("shop", Secret(rig.url), timeout=timedelta(seconds=10)))
    warehouse.pull(query("SELECT made AS time, n FROM once"), HOUR, ["n"])
    write = f"import duckdb; duckdb.connect({str(rig.path)!r}).execute('INSERT INTO once VALUES (now(), 2)')"
    subprocess.run([sys.executable, "-c", write], check=True)
    assert rig.count("once") == 2


def test_missing_file_is_unreachable(tmp_path: Path) -> None:
    warehouse = open_warehouse(Source("shop", Secret(f"duckdb:///{tmp_path / 'none.duckdb'}")))
    with pytest.raises(Unreachable, match="does the file exist"):
        warehouse.pull(query("SELECT 1 AS time"), HOUR, [])
    assert not (tmp_path / "none.duckdb").exists()
