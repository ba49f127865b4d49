"""``pull``: 10,000 series × 48 buckets out of a warehouse, beside ``pandas.read_sql`` on the same engine.

Ours returns more: one array on a checked grid. The rival stops at a frame of rows.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import psycopg
from sqlalchemy import create_engine, text

from alerting.warehouse import Warehouse, Window, open_warehouse
from config.model import Query, Source
from config.secrets import Secret
from detectors.buckets import Bucket
from tests.benchmarks.row import Row
from tests.servers import postgres_server

SERIES = 10_000
BUCKETS = 48
SINCE = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = Window(SINCE, SINCE + timedelta(hours=BUCKETS), "new")
SQL = "SELECT time, sku, revenue, orders FROM sales WHERE time >= :start AND time < :end"
QUERY = Query("sales", "shop", SQL, Bucket.parse("1h"), "UTC", max_series=SERIES)
FILL = f"""
CREATE TABLE sales AS SELECT timestamptz '2026-01-05 00:00:00+00' + h * interval '1 hour' AS time,
  'sku-' || s AS sku, random() * 100 AS revenue, CAST(s % 7 AS bigint) AS orders
FROM generate_series(0, {BUCKETS} - 1) AS a(h), generate_series(0, {SERIES} - 1) AS b(s)
"""


def pull() -> list[Row]:
    """One row for each warehouse that is measured."""
    return [_duckdb(), _postgresql()]


def _duckdb() -> Row:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.duckdb"
        with duckdb.connect(str(path)) as connection:
            # Without a zone: with one, the rival makes an object of pytz per cell and needs twice as long.
            connection.execute(FILL.replace("timestamptz", "timestamp").replace("+00", ""))
        return _compare("pull (DuckDB)", f"duckdb:///{path}")


def _postgresql() -> Row:
    with postgres_server() as server:
        url = server.database()
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(FILL.encode())
            connection.execute("VACUUM ANALYZE sales")
        return _compare("pull (PostgreSQL)", url)


def _compare(name: str, url: str) -> Row:
    warehouse = open_warehouse(Source("shop", Secret(url)))
    rival = _rival(warehouse)
    ours_s, rival_s = _alternating(lambda: _ours(warehouse), rival)
    warehouse.close()
    return Row(name, ours_s, rival_s, "pandas.read_sql", f"{SERIES:,} series × {BUCKETS} buckets")


def _ours(warehouse: Warehouse) -> None:
    pulled = warehouse.pull(QUERY, WINDOW, ("revenue", "orders"))
    assert pulled.block.values.shape == (BUCKETS, 2 * SERIES)
    assert not pulled.warnings


def _rival(warehouse: Warehouse) -> Callable[[], None]:
    # The engine that SQLAlchemy makes by default for the same URL; DuckDB only has to agree with ours on the file.
    is_duckdb = warehouse.url.get_backend_name() == "duckdb"
    engine = warehouse.engine if is_duckdb else create_engine(warehouse.url)

    def run() -> None:
        with engine.connect() as connection:
            frame = pd.read_sql(text(SQL), connection, params={"start": WINDOW.since, "end": WINDOW.until})
        assert len(frame) == SERIES * BUCKETS

    return run


def _alternating(ours: Callable[[], None], rival: Callable[[], None], rounds: int = 5) -> tuple[float, float]:
    """The medians of both, measured in turns so that a busy machine is unfair to neither; the first turn warms up."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for work, taken in zip((ours, rival), times, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    ours_s, rival_s = (statistics.median(taken[1:]) for taken in times)
    return ours_s, rival_s
