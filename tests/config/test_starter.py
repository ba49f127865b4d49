from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.starter import Existing, NoTimeColumn, from_table, sample_rows, starter
from tests.config.folders import lines, loaded

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
ORDERS = [
    ("id", "BIGINT"),
    ("created_at", "TIMESTAMP WITH TIME ZONE"),
    ("country", "VARCHAR(2)"),
    ("amount", "NUMERIC"),
]


def test_the_first_folder_has_no_mistake(tmp_path: Path) -> None:
    found = loaded(tmp_path, starter())
    assert lines(found) == []
    assert list(found.config.subscriptions) == ["shop-health"]


def test_the_first_query_runs_on_the_sample(tmp_path: Path) -> None:
    query = loaded(tmp_path, starter()).config.queries["orders_hourly"]
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE orders_by_hour (hour TEXT, country TEXT, orders INTEGER, revenue REAL)")
        connection.executemany("INSERT INTO orders_by_hour VALUES (?, ?, ?, ?)", sample_rows(NOW))
        window = {"start": "2026-11-20 00:00:00", "end": "2026-11-21 00:00:00"}
        cursor = connection.execute(query.sql, window)
        assert [column[0] for column in cursor.description] == ["time", "country", "orders", "revenue"]
        rows = cursor.fetchall()
    connection.close()
    assert len(rows) == 24 * 3
    assert all(orders > 0 and revenue > 0 for _, _, orders, revenue in rows)


def test_the_sample_has_something_to_find() -> None:
    german = {hour: orders for hour, country, orders, _ in sample_rows(NOW) if country == "DE"}
    text = "%Y-%m-%d %H:%M:%S"
    drop = german[(NOW.replace(minute=0) + timedelta(hours=3)).strftime(text)]
    usual = german[(NOW.replace(minute=0) + timedelta(hours=3) - timedelta(weeks=1)).strftime(text)]
    assert drop < 0.6 * usual


@pytest.mark.parametrize(
    ("url", "bucket_start"),
    [
        ("postgresql://app@db/shop", "date_trunc('hour', created_at)"),
        ("duckdb:///shop.duckdb", "date_trunc('hour', created_at)"),
        ("sqlite:///shop.db", "strftime('%Y-%m-%d %H:00:00', created_at)"),
        ("mysql+pymysql://app@db/shop", "date_format(created_at, '%Y-%m-%d %H:00:00')"),
        ("bigquery://acme", "timestamp_trunc(created_at, HOUR)"),
    ],
)
def test_a_table_becomes_a_folder_without_mistakes(tmp_path: Path, url: str, bucket_start: str) -> None:
    found = loaded(tmp_path, from_table(url, "public.orders", ORDERS))
    assert lines(found) == []
    query = found.config.queries["orders_hourly"]
    assert bucket_start in query.sql
    assert "FROM public.orders" in query.sql
    assert list(found.config.metrics) == ["orders.row_count", "orders.amount"]
    assert found.config.subscriptions["orders-health"].metrics == ("orders.row_count", "orders.amount")


def test_a_table_of_days_becomes_a_daily_query(tmp_path: Path) -> None:
    found = loaded(tmp_path, from_table("duckdb:///x.duckdb", "sales", [("day", "DATE"), ("units", "INTEGER")]))
    assert found.config.queries["sales_daily"].bucket.text == "1d"


def test_a_password_becomes_a_reference(tmp_path: Path) -> None:
    texts = from_table("postgresql://app:canary@db/shop", "orders", ORDERS)
    assert "canary" not in str(texts)
    assert "export WAREHOUSE_URL='postgresql://app:***@db/shop'" in texts["orders.yaml"]
    found = loaded(tmp_path, texts)
    assert not found.errors
    assert found.config.sources["warehouse"].url.written == "${env:WAREHOUSE_URL}"


def test_what_a_folder_has_is_not_defined_again(tmp_path: Path) -> None:
    texts = from_table("sqlite:///shop.db", "orders", ORDERS, existing=Existing("shop", "screen"))
    found = loaded(tmp_path, {**starter(), "orders.yaml": texts["orders.yaml"].replace("orders_hourly", "rows_hourly")})
    assert lines(found) == []


@pytest.mark.parametrize("name", ["true", "012", "null", "ops"])
def test_names_that_look_like_other_values_stay_names(tmp_path: Path, name: str) -> None:
    base = f"sources: {{{name}: {{url: 'sqlite:///x.db'}}}}\nreceivers: {{{name}: {{console: {{}}}}}}\n"
    texts = from_table("sqlite:///x.db", "t", [("at", "DATE"), ("false", "REAL")], existing=Existing(name, name))
    assert lines(loaded(tmp_path, {"base.yaml": base, **texts})) == []


def test_a_table_without_time_is_refused_with_its_columns() -> None:
    with pytest.raises(NoTimeColumn, match=r"table users has no column of a date or time \(id INTEGER\)"):
        from_table("sqlite:///x.db", "users", [("id", "INTEGER")])


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Co", "Cn", "Cf", "Zs"]), min_size=1, max_size=20
)


@given(
    table=NAMES, columns=st.lists(st.tuples(NAMES, st.sampled_from(["INTEGER", "TEXT", "DOUBLE", "DATE"])), max_size=6)
)
def test_any_names_become_a_folder_without_mistakes(
    tmp_path_factory: pytest.TempPathFactory, table: str, columns: list[tuple[str, str]]
) -> None:
    texts = from_table("postgresql://db/x", table, [("Created At", "TIMESTAMP"), *columns])
    assert lines(loaded(tmp_path_factory.mktemp("named"), texts)) == []
