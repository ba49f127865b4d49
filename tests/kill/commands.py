"""The real program, killed at random moments: ``metricwatch once --at TIME``, hour by hour over a shop's data."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.kill.killing import FAULTS, Progress, Tally, tally
from tests.kill.services import Services
from tests.standins.pagerduty import KEY
from tests.standins.slack import TOKEN

FIRST = datetime(2026, 1, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS, SHOPS, TEAMS = 8, 50, 5
_PROGRAM = Path(sys.executable).parent / "metricwatch"
_PATIENCE_S = 120

FOLDER = """\
version: 1
sources:
  shop: {url: "sqlite:///shop.db"}
receivers:
  slack: {slack: {channel: C0KILL0002}}
  pager: {pagerduty: {routing_key: "${env:KILL_KEY}"}}
queries:
  orders:
    source: shop
    bucket: 1h
    history: 2d
    sql: SELECT time, team, shop, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.orders: {query: orders, value: orders, dimensions: [team, shop], rollup: sum, better: higher}
subscriptions:
"""
SUBSCRIPTION = """\
  team-{team}:
    metrics: [shop.orders]
    incident: {{open_after: 1, resolve_after: 1}}
    detect:
      - threshold: {{below: 50, where: {{team: "{team}"}}, critical: 1.5}}
    notify: {{warning: [slack], critical: [pager]}}
"""


def run(folder: Path, services: Services, *, kills: int, seed: int, progress: Progress) -> Tally:
    """Each hour is evaluated until it comes through; ``kills`` of the attempts are killed on their way."""
    began, chance = time.monotonic(), random.Random(seed)
    _shop(folder, chance)
    environment = _environment(folder, services)
    usual_s, left, done = _once(folder, environment, FIRST), kills, 0
    for hour in range(1, HOURS + 1):
        here = left // (HOURS + 1 - hour)
        for _ in range(here):
            if chance.random() < 0.5:
                services.fail(chance.choice(FAULTS))
            _once(folder, environment, FIRST + hour * HOUR, chance.uniform(0.3, 1.1) * usual_s)
            done += 1
            progress(done)
        left -= here
        _once(folder, environment, FIRST + hour * HOUR)
    # What a fault put off waits for a time that a clock of hours has passed long ago.
    for later in (1, 2, 3):
        _once(folder, environment, FIRST + (HOURS + later) * HOUR)
    return tally(environment["METRICWATCH_STATE_URL"], services, kills, time.monotonic() - began)


def _shop(folder: Path, chance: random.Random) -> None:
    """Every shop sells 100 an hour but for some hours in which it sells 20 or, critical, nothing."""
    (folder / "metrics").mkdir()
    written = FOLDER + "".join(SUBSCRIPTION.format(team=team) for team in range(TEAMS))
    (folder / "metrics" / "shop.yaml").write_text(written, encoding="utf-8")
    rows = []
    for shop in range(SHOPS):
        begin = chance.randrange(1, HOURS - 3)
        end, worst = begin + chance.randrange(1, 4), chance.choice((20.0, 0.0))
        for hour in range(-48, HOURS + 4):
            orders = worst if begin <= hour < end else 100.0
            moment = f"{FIRST + hour * HOUR:%Y-%m-%d %H:%M:%S}"
            rows.append((moment, str(shop % TEAMS), f"{shop:04}", orders))
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (time TEXT, team TEXT, shop TEXT, orders REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    connection.close()


def _environment(folder: Path, services: Services) -> dict[str, str]:
    ours = {
        "METRICWATCH_STATE_URL": f"sqlite:///{folder}/state.db",
        "METRICWATCH_SLACK_TOKEN": TOKEN,
        "METRICWATCH_SLACK_BASE_URL": services.slack_url,
        "METRICWATCH_PAGERDUTY_URL": services.pager_url,
        "KILL_KEY": KEY,
    }
    # An installed program is compiled once, not at each start.
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(("METRICWATCH_", "PYTHONDONT"))}
    return foreign | ours


def _once(folder: Path, environment: Mapping[str, str], at: datetime, killed_after_s: float | None = None) -> float:
    """Seconds that it took; killed where it is still at work then."""
    began = time.monotonic()
    with (folder / "once.log").open("ab") as log:
        process = subprocess.Popen(
            [str(_PROGRAM), "once", "--at", at.isoformat()], cwd=folder, env=dict(environment), stdout=log, stderr=log
        )
        try:
            process.wait(timeout=_PATIENCE_S if killed_after_s is None else killed_after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.returncode not in ((0,) if killed_after_s is None else (0, -signal.SIGKILL)):
        raise AssertionError((folder / "once.log").read_text(encoding="utf-8")[-4000:])
    return time.monotonic() - began
