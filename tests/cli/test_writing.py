from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alerting.cli.writing import check_with, init_with, schema
from config.model import Config
from tests.canaries import PASSWORD
from tests.config.folders import SHOP, write
from tests.config.plug_ins import PLUG_INS

TWELVE = Path(__file__).parents[1] / "config" / "twelve_mistakes"


def program(connect: Sequence[str] | None = None, sql: Sequence[str] = ()) -> typer.Typer:
    app = typer.Typer()
    connect_problems = None if connect is None else lambda config: _told(config, connect)
    app.command("check")(
        check_with(connect_problems=connect_problems, sql_problems=lambda config: _told(config, sql), plug_ins=PLUG_INS)
    )
    app.command("schema")(schema)
    app.command("init")(init_with(plug_ins=PLUG_INS))
    return app


def _told(config: Config, lines: Sequence[str]) -> Sequence[str]:
    assert config.sources, "doubts are asked about a configuration that loads"
    return lines


def run(*arguments: str, app: typer.Typer | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app or program(), list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("METRICWATCH_CONFIG", raising=False)
    return tmp_path


def test_check_prints_a_line_for_each_mistake() -> None:
    code, out, err = run("check", "--config", str(TWELVE))
    assert code == 1
    assert out.splitlines() == (TWELVE / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert err == ""


def test_check_as_json_has_the_same_mistakes() -> None:
    code, out, _ = run("check", "--json", "--config", str(TWELVE))
    found = json.loads(out)
    assert (code, found["valid"], len(found["problems"])) == (1, False, 12)
    assert {"file", "line", "column", "key", "message", "severity"} == set(found["problems"][0])


def test_check_of_a_good_folder_counts_what_it_found(here: Path) -> None:
    write(here / "metrics", {"a.yaml": SHOP})
    assert run("check") == (0, "ok: 1 sources, 1 queries, 2 metrics, 1 subscriptions, 1 receivers\n", "")


def test_check_takes_the_folder_from_the_environment(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here / "elsewhere", {"a.yaml": SHOP})
    monkeypatch.setenv("METRICWATCH_CONFIG", "elsewhere")
    assert run("check")[0] == 0


def test_check_of_no_folder_says_how_to_begin(here: Path) -> None:
    code, out, _ = run("check")
    assert (code, out) == (1, "metrics: there is no such folder; make a first one with: metricwatch init\n")


def test_warnings_are_no_bad_news(here: Path) -> None:
    write(here / "metrics", {"a.yaml": SHOP.replace("duckdb:///shop.duckdb", "${env:NOT_SET_ANYWHERE}")})
    code, out, _ = run("check")
    assert code == 0
    assert "warning: environment variable NOT_SET_ANYWHERE is not set" in out


def test_doubts_about_sql_are_bad_news(here: Path) -> None:
    write(here / "metrics", {"a.yaml": SHOP})
    code, out, _ = run("check", app=program(sql=["query orders_hourly: writes"]))
    assert (code, out) == (1, "query orders_hourly: writes\n")


def test_connect_asks_the_warehouses_only_when_told_to(here: Path) -> None:
    write(here / "metrics", {"a.yaml": SHOP})
    app = program(connect=["source shop: refused"])
    assert run("check", app=app)[0] == 0
    assert run("check", "--connect", app=app)[:2] == (1, "source shop: refused\n")


def test_connect_without_a_door_is_wrong_use(here: Path) -> None:
    assert run("check", "--connect")[0] == 2


def test_an_unknown_option_is_wrong_use(here: Path) -> None:
    assert run("check", "--conect")[0] == 2


def test_init_writes_a_folder_that_checks(here: Path) -> None:
    code, out, _ = run("init")
    assert code == 0
    assert out.splitlines() == [
        "wrote metrics/shop.yaml",
        "wrote shop.db",
        "next: metricwatch check, then metricwatch run",
    ]
    assert run("check")[0] == 0
    with sqlite3.connect(here / "shop.db") as connection:
        assert connection.execute("SELECT count(*) FROM orders_by_hour").fetchone() == (24 * 7 * 9 * 3,)
    connection.close()


def test_init_never_overwrites(here: Path) -> None:
    write(here / "metrics", {"shop.yaml": "# mine"})
    (here / "shop.db").write_text("mine", encoding="utf-8")
    code, _, err = run("init")
    assert (code, err) == (1, "metrics/shop.yaml is already there; nothing was written\n")
    assert (here / "metrics" / "shop.yaml").read_text(encoding="utf-8") == "# mine"
    assert (here / "shop.db").read_text(encoding="utf-8") == "mine"


@pytest.fixture
def orders_db(here: Path) -> Path:
    with sqlite3.connect(here / "orders.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, created_at TIMESTAMP, country TEXT, amount NUMERIC)")
        connection.execute("INSERT INTO orders VALUES (1, '2026-11-20 10:15:00', 'DE', 12.5)")
    connection.close()
    return here / "orders.db"


def test_init_from_a_table_writes_a_query_that_runs(here: Path, orders_db: Path) -> None:
    code, out, err = run("init", "--source", "sqlite:///orders.db", "--table", "orders", "--json")
    assert (code, json.loads(out), err) == (0, {"written": ["metrics/orders.yaml"]}, "")
    assert run("check")[0] == 0
    from config.loader import load

    sql = load(here / "metrics", plug_ins=PLUG_INS).config.queries["orders_hourly"].sql
    with sqlite3.connect(orders_db) as connection:
        rows = connection.execute(sql, {"start": "2026-11-20 00:00:00", "end": "2026-11-21 00:00:00"}).fetchall()
    connection.close()
    assert rows == [("2026-11-20 10:00:00", 1, 12.5)]


def test_init_from_a_duckdb_table(here: Path) -> None:
    import duckdb

    with duckdb.connect(str(here / "x.duckdb")) as connection:
        connection.execute("CREATE TABLE sales (day DATE, units INTEGER)")
    code, _, err = run("init", "--source", "duckdb:///x.duckdb", "--table", "sales")
    assert (code, err) == (0, "")
    assert "bucket: 1d" in (here / "metrics" / "sales.yaml").read_text(encoding="utf-8")


def test_a_second_table_uses_the_source_and_receiver_that_are_there(here: Path, orders_db: Path) -> None:
    with sqlite3.connect(orders_db) as connection:
        connection.execute("CREATE TABLE refunds (at TIMESTAMP, amount REAL)")
    connection.close()
    assert run("init", "--source", "sqlite:///orders.db", "--table", "orders")[0] == 0
    assert run("init", "--source", "sqlite:///orders.db", "--table", "refunds")[0] == 0
    assert run("check")[:2] == (0, "ok: 1 sources, 2 queries, 4 metrics, 2 subscriptions, 1 receivers\n")


@pytest.mark.parametrize(
    ("source", "table", "expected"),
    [
        ("sqlite:///orders.db", "oders", "there is no table 'oders' at sqlite:///orders.db"),
        ("sqlite:///none.db", "orders", "there is no file none.db"),
        ("orders.db", "orders", "'orders.db' is not an address"),
        ("nosuch://x", "orders", "no driver for 'nosuch' is installed"),
        ("${env:NOT_SET_ANYWHERE}", "orders", "environment variable NOT_SET_ANYWHERE is not set"),
        (
            f"postgresql://app:{PASSWORD}@127.0.0.1:1/x",
            "orders",
            "postgresql+psycopg://app:***@127.0.0.1:1/x cannot be read",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line(
    here: Path, orders_db: Path, source: str, table: str, expected: str
) -> None:
    code, out, err = run("init", "--source", source, "--table", table)
    assert (code, out) == (1, "")
    assert err.startswith(expected)
    assert len(err.splitlines()) == 1
    assert PASSWORD not in err
    assert not (here / "metrics").exists()


def test_a_source_without_a_table_is_wrong_use(here: Path) -> None:
    assert run("init", "--source", "sqlite:///x.db")[0] == 2


def test_schema_prints_a_json_schema(here: Path) -> None:
    code, out, _ = run("schema")
    assert code == 0
    assert {"sources", "metrics", "subscriptions"} <= set(json.loads(out)["properties"])


def test_a_hundred_files_are_one_configuration(here: Path) -> None:
    texts = {"base.yaml": SHOP}
    for number in range(99):
        metric = f"  m{number}: {{query: orders_hourly, value: v{number}, dimensions: [country], rollup: sum}}\n"
        rules = f"subscriptions:\n  s{number}:\n    metrics: [m{number}]\n    owner: {{team: t, slack: S0ABC}}\n"
        rules += (
            "    detect:\n      - seasonal: {budget: 1/week}\n"
            "      - threshold: {below: 5, during: 'Mon-Fri 08:00-18:00'}\n"
        )
        rules += "    guard: {min_change: 8%}\n    notify: {warning: [ops]}\n"
        texts[f"team/{number}.yaml"] = "metrics:\n" + metric + rules
    write(here / "metrics", texts)
    script = (
        "import typer, alerting.cli.writing as w, tests.config.plug_ins as p;"
        "app = typer.Typer(); app.command()(w.check_with(plug_ins=p.PLUG_INS)); app()"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=here, check=False
    )
    assert done.stdout == "ok: 1 sources, 1 queries, 101 metrics, 100 subscriptions, 1 receivers\n", done.stderr
