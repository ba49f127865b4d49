"""A small shop in a real warehouse, watched for real: incidents that went by, some that are open, one query that fails.

Orders are 100 an hour and country at night and 200 at day, flat to the unit, so that expectations are plain:
Germany loses 40 % for six hours and recovers, then France and a country with
a hostile name lose half and stay there.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerting.app import App, open_app
from config.settings import Settings

HOUR = timedelta(hours=1)
ADDED = datetime(2026, 2, 2, 0, 10, tzinfo=UTC)
"""When the rules were added: Monday, after five weeks of history."""
DROP_DE = datetime(2026, 2, 2, 9, tzinfo=UTC)
DROP_FR = datetime(2026, 2, 3, 9, tzinfo=UTC)
NOW = datetime(2026, 2, 3, 13, 10, tzinfo=UTC)
FIRST = datetime(2025, 12, 29, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"

YAML = """\
version: 1
sources: {shop: {url: "sqlite:///%(folder)s/shop.db"}}
receivers: {screen: {console: {}}, quiet: {console: {}}}
defaults:
  timezone: Europe/Berlin
  on_error: {after: 1, notify: [screen]}
queries:
  orders_hourly:
    source: shop
    bucket: 1h
    history: 60d
    sql: SELECT hour AS time, country, orders, weight FROM orders WHERE hour >= :start AND hour < :end
  broken_hourly:
    source: shop
    bucket: 1h
    sql: SELECT hour AS time, secret_column FROM orders WHERE hour >= :start AND hour < :end
metrics:
  shop.orders:
    {query: orders_hourly, value: orders, dimensions: [country], rollup: sum, total: true, better: higher, unit: orders}
  shop.weight: {query: orders_hourly, value: weight, rollup: sum, unit: kg}
  shop.by_country: {query: orders_hourly, value: orders, dimensions: [country], rollup: sum}
  shop.hidden: {query: broken_hourly, value: secret_column}
  shop.unwatched: {query: orders_hourly, value: weight, rollup: mean, unit: kg}
subscriptions:
  health:
    metrics: [shop.orders]
    owner: {team: shop}
    runbook: https://runbooks.example/orders
    detect:
      - seasonal: {}
      - threshold: {metric: shop.orders, where: total, below: 20, severity: critical}
    guard: {direction: worse, min_change: 10%%}
    notify: {warning: [screen], critical: [quiet]}
  floor:
    metrics: [shop.weight, shop.hidden, shop.by_country]
    detect: [threshold: {below: 100}]
    incident: {open_after: 1}
    notify: {critical: [quiet]}
"""


def build(folder: Path) -> None:
    """Two days of watching are in the state at ``folder`` afterwards."""
    fill_warehouse(folder / "shop.db")
    (folder / "metrics").mkdir()
    (folder / "metrics" / "shop.yaml").write_text(YAML % {"folder": folder}, encoding="utf-8")
    with opened(folder) as app:
        for now in (ADDED, DROP_DE + 4 * HOUR + 0.2 * HOUR, DROP_DE + 12.2 * HOUR, NOW):
            app.adopt_config(now)
            for query in ("orders_hourly", "broken_hourly"):
                app.evaluate(query, now)
            app.deliver(now)


def settings_of(folder: Path, **others: object) -> Settings:
    return Settings.model_validate(
        {"state_url": f"sqlite:///{folder / 'state.db'}", "config": folder / "metrics", **others}
    )


@contextmanager
def opened(folder: Path, **others: object) -> Iterator[App]:
    app = open_app(settings_of(folder, **others))
    try:
        yield app
    finally:
        app.close()


def fill_warehouse(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders (hour TEXT, country TEXT, orders INTEGER, weight REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", list(_rows()))


def _rows() -> Iterator[tuple[str, str, int, float]]:
    hours = int((NOW - FIRST) / HOUR)
    for step in range(hours):
        hour = FIRST + step * HOUR
        for number, country in enumerate(("DE", "FR", HOSTILE)):
            orders = (200 if 6 <= hour.hour < 20 else 100) + (7 * step + 3 * number) % 5
            if country == "DE" and DROP_DE <= hour < DROP_DE + 6 * HOUR:
                orders = round(orders * 0.6)
            if country != "DE" and hour >= DROP_FR:
                orders = round(orders * 0.5)
            yield f"{hour:%Y-%m-%d %H:%M:%S}", country, orders, 500.0


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a world that is only read."""
    folder = tmp_path_factory.mktemp("world")
    build(folder)
    return folder


@pytest.fixture
def app(watched: Path) -> Iterator[App]:
    with opened(watched) as found:
        yield found


@pytest.fixture
def own(watched: Path, tmp_path: Path) -> Iterator[App]:
    """The small shop as it was left, with a state of its own that a test may change."""
    shutil.copy(watched / "state.db", tmp_path)
    shutil.copytree(watched / "metrics", tmp_path / "metrics")
    with opened(tmp_path) as found:
        yield found
