"""What an outsider sees of ``metricwatch once`` called by cron, hour after hour, through kills and bad services."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.outside import Outside
from tests.canaries import ROUTING_KEY, SLACK_TOKEN
from tests.figures import Figure

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS, KILLS, QUIET = 12, 8, 3
LOW = {"DE": range(1, 5), "FR": range(2, 6), "IT": range(3, 7), "UK": range(4, 9), "US": range(5, 9)}
"""Country → the hours in which it sells nothing: each is one group, long enough to try a page again."""
GROUPS = len(LOW)
FOLDER = """
version: 1
sources: {shop: {url: "sqlite:///shop.db"}}
receivers:
  slack: {slack: {channel: C0OUTSIDE1}}
  pager: {pagerduty: {routing_key: "${env:PAGER_KEY}"}}
queries:
  orders:
    source: shop
    bucket: 1h
    history: 3d
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.orders: {query: orders, value: orders, dimensions: [country], rollup: sum, better: higher}
subscriptions:
  shop:
    metrics: [shop.orders]
    incident: {open_after: 1, resolve_after: 1}
    delivery: {group_by: [country]}
    detect: [threshold: {below: 50, critical: 1.5}]
    notify: {warning: [slack], critical: [pager]}
"""


@pytest.fixture
def seed() -> int:
    return random.SystemRandom().randrange(1_000_000)


@pytest.fixture
def outside(seed: int) -> Iterator[Outside]:
    service = Outside(seed, SLACK_TOKEN, share=0.2)
    yield service
    service.close()


def test_each_group_is_one_message_and_one_page_however_often_it_is_killed(
    tmp_path: Path, outside: Outside, seed: int, figure: Figure
) -> None:
    shop(tmp_path)
    chance = random.Random(seed)
    usual_s = once(tmp_path, outside, 0)
    killed_at = Counter(chance.randrange(1, HOURS + 1) for _ in range(KILLS))
    killed = 0
    for hour in range(1, HOURS + 1):
        for _ in range(killed_at[hour]):
            killed += once(tmp_path, outside, hour, killed_after_s=chance.uniform(0.5, 1.0) * usual_s) < 0
        once(tmp_path, outside, hour)
    faults = len(outside.faults)
    outside.calm()
    for hour in range(HOURS + 1, HOURS + QUIET):
        once(tmp_path, outside, hour)
    told = f"seed {seed}: {HOURS + KILLS + QUIET} calls of `once`, {killed} killed, {faults} faults"
    posted = Counter(post["metadata"]["event_payload"]["delivery_id"] for post in outside.posts)
    assert [name for name, often in posted.items() if often > 1] == [], told
    assert len(outside.roots) == GROUPS, told
    assert all("resolved" in str(root["blocks"]) for root in outside.roots), told
    assert outside.pages == GROUPS, told
    assert not outside.open, told
    assert outside.refused == [], told
    figure("T1", f"judged from outside, {told}: {GROUPS} groups, {len(outside.roots)} roots, {outside.pages} pages")


def shop(folder: Path) -> None:
    """Every country sells 100 an hour, but in the hours of ``LOW`` nothing."""
    (folder / "metrics").mkdir()
    (folder / "metrics" / "shop.yaml").write_text(FOLDER, encoding="utf-8")
    rows = [
        (f"{FIRST + hour * HOUR:%Y-%m-%d %H:%M:%S}", country, 0.0 if hour in low else 100.0)
        for country, low in LOW.items()
        for hour in range(-72, HOURS + QUIET)
    ]
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (time TEXT, country TEXT, orders REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    connection.close()


def once(folder: Path, outside: Outside, hour: int, killed_after_s: float | None = None) -> float:
    """Seconds that it took; negative where it was killed at work."""
    ours = {
        "METRICWATCH_STATE_URL": f"sqlite:///{folder}/state.db",
        "METRICWATCH_LOG_LEVEL": "DEBUG",
        "METRICWATCH_SLACK_TOKEN": SLACK_TOKEN,
        "METRICWATCH_SLACK_BASE_URL": f"{outside.origin}/api/",
        "METRICWATCH_PAGERDUTY_URL": f"{outside.origin}/v2/enqueue",
        "PAGER_KEY": ROUTING_KEY,
    }
    # An installed program is compiled once, not at each start.
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(("METRICWATCH_", "PYTHONDONT"))}
    command = [str(Path(sys.executable).parent / "metricwatch"), "once", "--at", (FIRST + hour * HOUR).isoformat()]
    began = time.monotonic()
    with (folder / "once.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=foreign | ours, stdout=log, stderr=log)
        try:
            process.wait(timeout=120 if killed_after_s is None else killed_after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    took = time.monotonic() - began
    if process.returncode == -signal.SIGKILL and killed_after_s is not None:
        return -took
    assert process.returncode == 0, (folder / "once.log").read_text(encoding="utf-8")[-4000:]
    return took
