"""``page``: the page of now and a chart over 10,000 series × 90 days of hours, all judged, some of them unusual.

Server times are those of whole requests to a running server. Chromium is timed from the click until the first charts
stand, with nothing kept from an earlier visit; what came over the wire is told beside.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
from sqlalchemy import Engine, select

from alerting.app import App, open_app
from alerting.web.server import serve
from config.settings import Settings
from tests.benchmarks.page_world import HOURS, METRICS, SERIES, UNTIL, configuration, fill
from tests.benchmarks.row import Row
from tests.benchmarks.store import RIVAL, rival_points

RUNS = 5
GOAL_PAGE_S, GOAL_INTERACTIVE_S, GOAL_KB = 0.2, 1.0, 300
CHART = f"/api/v1/metrics/shop.m0/chart?series=shop%3D0700&since={UNTIL:%Y}-01-01&points=800"


_ASK = """
import statistics, sys, time, httpx2
with httpx2.Client(timeout=60) as client:
    taken = []
    for _ in range(int(sys.argv[2]) + 1):
        began = time.perf_counter()
        client.get(sys.argv[1]).raise_for_status()
        taken.append(time.perf_counter() - began)
print(statistics.median(taken[1:]))
"""


def page() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="metricwatch-bench-") as folder, _served(Path(folder)) as (app, url):
        size = f"{SERIES * METRICS:,} series × {HOURS:,} hours"
        now, chart = _asked(url + "/"), _asked(url + CHART)
        points = len(httpx2.get(url + CHART).json()["times"])
        theirs = _rival(app.store.engine)
        rows = [
            Row("page now", now, GOAL_PAGE_S, "goal", size),
            Row(
                "page chart", chart, theirs, RIVAL, f"one series of {size} in {points} points; the rival holds a tenth"
            ),
        ]
        return [*rows, *_in_chromium(url)]


def _in_chromium(url: str) -> Iterator[Row]:
    """From the request until the first charts stand; nothing where there is no Chromium."""
    path = shutil.which("chromium")
    if path is None:
        return
    from playwright.sync_api import sync_playwright

    taken, weights = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(RUNS):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            tab = context.new_page()
            session = context.new_cdp_session(tab)
            session.send("Network.enable")
            sizes: list[float] = []
            session.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
            began = time.perf_counter()
            tab.goto(url, wait_until="commit")
            tab.wait_for_selector("figure.plot.drawn canvas")
            taken.append(time.perf_counter() - began)
            tab.wait_for_timeout(1000)
            weights.append(sum(sizes) / 1000)
            context.close()
        browser.close()
    size = f"Chromium, 1280 × 800, first visit; {statistics.median(weights):.0f} kB over the wire (goal {GOAL_KB})"
    yield Row("page interactive", statistics.median(taken), GOAL_INTERACTIVE_S, "goal", size)


@contextmanager
def _served(folder: Path) -> Iterator[tuple[App, str]]:
    """A server over a full store; its clock stands still at the end of the readings."""
    settings = configuration(folder)
    began = time.perf_counter()
    with _opened(settings) as app:
        fill(app)
        taken = time.perf_counter() - began
        assert taken < 120, f"building the store took {taken:.0f} s"
        running = serve(app, "127.0.0.1", 0, clock=lambda: UNTIL)
        try:
            yield app, running.url
        finally:
            running.stop()


@contextmanager
def _opened(settings: Settings) -> Iterator[App]:
    app = open_app(settings)
    try:
        yield app
    finally:
        app.close()


def _rival(engine: Engine) -> float:
    """Seconds for one series of one metric alone, as rows."""
    rival_points.metadata.create_all(engine)
    names = ", ".join(rival_points.c.keys())
    insert = f"INSERT INTO {rival_points.name} ({names}) VALUES (?, ?, ?, ?)"
    with engine.begin() as connection:
        for hour in range(HOURS):
            stamp = f"{np.datetime64('2026-01-01T00') + np.timedelta64(hour, 'h')!s}:00:00.000000".replace("T", " ")
            rows = [("d1", stamp, place, 1.0) for place in range(SERIES)]
            connection.exec_driver_sql(insert, rows)

    def read() -> None:
        wanted = select(rival_points.c.bucket, rival_points.c.value).where(rival_points.c.digest == "d1")
        with engine.connect() as connection:
            rows = connection.execute(wanted.where(rival_points.c.series == 700).order_by(rival_points.c.bucket)).all()
        assert len(np.array([row.value for row in rows])) == HOURS

    return _median(read)


def _asked(url: str) -> float:
    """Seconds for an answer, asked by another process as browsers are: in this one both would wait for one lock."""
    ended = subprocess.run([sys.executable, "-c", _ASK, url, str(RUNS)], capture_output=True, text=True, check=True)
    return float(ended.stdout)


def _median(run: Callable[[], object]) -> float:
    """Seconds; the first run is not counted."""
    taken = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])
