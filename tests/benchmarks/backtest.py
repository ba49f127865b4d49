"""``backtest``: a year of 1,000 hourly series replayed down to decisions, beside its goal.

The readings are in memory: what is measured is judging, combining and deciding, as ``alerting.backtest.replay`` does.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from alerting.backtest import replay
from alerting.core.blocks import Block, ColumnKey
from config.loader import load
from config.model import Config
from detectors.buckets import as_instant
from detectors.contract import Floats
from tests.benchmarks.row import Row

SERIES, HOURS, DAY = 1_000, 365 * 24, 24
GOAL_S = 60.0
UNTIL = datetime(2026, 1, 5, tzinfo=UTC)
CONFIG = """\
version: 1
sources: {shop: {url: "sqlite:///shop.db"}}
receivers: {screen: {console: {}}}
queries:
  orders:
    source: shop
    bucket: 1h
    max_series: 1000
    sql: SELECT time, shop, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  orders: {query: orders, value: orders, dimensions: [shop], rollup: sum}
subscriptions:
  shops:
    metrics: [orders]
    owner: {team: shops}
    detect: [{seasonal: {budget: 20/week}}]
    notify: {warning: [screen]}
"""


@dataclass(frozen=True)
class InMemory:
    """Answers like the point store: one query, ``values[T, S]`` from ``begin`` on, an hour each."""

    begin: datetime
    keys: tuple[ColumnKey, ...]
    values: Floats

    def read(
        self,
        digest: str,
        since: datetime,
        until: datetime,
        *,
        as_of: datetime | None = None,
        keys: Sequence[ColumnKey] | None = None,
    ) -> Block:
        assert keys is None
        assert as_of is None
        times = as_instant(self.begin) + np.arange(len(self.values)) * np.timedelta64(1, "h")
        wanted = (times >= as_instant(since)) & (times < as_instant(until))
        return Block(times[wanted], self.keys, self.values[wanted])


def backtest() -> list[Row]:
    """One run: there is nothing to warm up."""
    config, points = configuration(), readings(SERIES, HOURS)
    began = time.perf_counter()
    steps = list(replay(config, points, points.begin, UNTIL))
    taken = time.perf_counter() - began
    told = sum(len(step.decision.deliveries) for step in steps)
    assert told > 0
    size = f"{SERIES:,} series × {HOURS:,} hours; {len(steps):,} moments at which something moved, {told:,} deliveries"
    return [Row("backtest", taken, GOAL_S, "goal", size)]


def configuration() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shops.yaml").write_text(CONFIG, encoding="utf-8")
        loaded = load(Path(folder))
    assert not loaded.errors
    return loaded.config


def readings(series: int, hours: int) -> InMemory:
    """A day's and a week's wave, noise, and in every series one outage of three hours in the year."""
    rows, shift = np.arange(hours)[:, None], np.arange(series) / series
    values = 100 + 30 * np.sin(2 * np.pi * (rows / DAY + shift)) + 10 * np.sin(2 * np.pi * (rows / (7 * DAY) + shift))
    values += np.random.default_rng(13).normal(size=values.shape) * 5
    is_out = (rows + 97 * np.arange(series)) % hours < 3
    keys = tuple(ColumnKey("orders", (("shop", f"{number:04}"),)) for number in range(series))
    return InMemory(UNTIL - timedelta(hours=hours), keys, np.where(is_out, 0.0, values))
