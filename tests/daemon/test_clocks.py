"""Clocks that jump and clocks that change: nothing is evaluated late, and no window twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest

from alerting.app import App
from alerting.core.blocks import Block, ColumnKey
from alerting.core.health import QueryState, due
from alerting.daemon import Daemon
from alerting.pipeline import Evaluation
from alerting.warehouse.instants import wall_edge
from alerting.warehouse.windows import plan, settle, settled
from config.model import Query
from detectors.buckets import as_datetime
from tests.acceptance.world import wait_until
from tests.daemon.test_supervisor import app
from tests.figures import Figure
from tests.warehouse.contract import fresh, query

__all__ = ["app"]
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
JUMPS = {"+1 h": HOUR, "-1 h": -HOUR, "+10 d": 10 * DAY, "-10 d": -10 * DAY}


@dataclass
class Watch:
    """One query, evaluated as the daemon does it; rows arrive as true time passes, whatever the clock says."""

    query: Query
    state: QueryState
    evaluated: list[datetime] = field(default_factory=list)
    pulled: Counter[datetime] = field(default_factory=Counter)

    def tick(self, true: datetime, clock: datetime, *, jumped: bool = False) -> None:
        """One tick at a true time at which the clock says ``clock``; after a jump everything is due."""
        if not jumped and due(self.query, self.state, clock) > clock:
            return
        self.evaluated.append(true)
        for window in plan(self.query, self.state, clock):
            times = self.query.bucket.starts(window.since, window.until, self.query.timezone)
            ends = np.append(times[1:], np.datetime64(window.until.replace(tzinfo=None), "us"))
            rows = np.where(ends <= np.datetime64(true.replace(tzinfo=None), "us"), 1.0, np.nan)[:, None]
            block = Block(times, (ColumnKey("n"),), rows)
            self.state = settle(self.query, self.state, block, window, False, clock)
            self.pulled.update(as_datetime(at) for at in settled(block, window, self.state).times)
        self.state = replace(self.state, attempted=clock, succeeded=clock)

    @property
    def gap(self) -> timedelta:
        """The longest time between two evaluations."""
        return max(later - earlier for earlier, later in pairwise(self.evaluated))

    def missing(self, since: datetime, until: datetime) -> set[datetime]:
        starts = self.query.bucket.starts(since, until, self.query.timezone)
        return {as_datetime(at) for at in starts} - set(self.pulled)


@pytest.mark.parametrize("bucket", ["1m", "1h"])
@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_is_wrong_for_three_hours_delays_no_evaluation_and_repeats_no_window(
    jump: str, bucket: str, figure: Figure
) -> None:
    asked = query("SELECT 1", bucket=bucket, history=6 * HOUR)
    watch = Watch(asked, replace(fresh(asked), added=NOON))
    for second in range(9 * 3600):
        is_wrong = 3 * 3600 <= second < 6 * 3600
        true = NOON + second * SECOND
        watch.tick(true, true + JUMPS[jump] if is_wrong else true, jumped=second in (3 * 3600, 6 * 3600))
    twice = sum(count - 1 for count in watch.pulled.values())
    assert watch.gap <= asked.bucket.nominal + 5 * SECOND
    assert (twice, watch.missing(NOON, NOON + 8 * HOUR)) == (0, set())
    figure("T16", f"clock {jump} for 3 h and back, bucket {bucket}: largest gap {watch.gap}, {twice} windows twice")


def changes(zone: tzinfo) -> list[datetime]:
    """The hours of 2026 in which the zone changes its clocks."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + n * HOUR for n in range(365 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hour for hour, (before, after) in zip(hours, pairwise(offsets), strict=False) if before != after]


ODD = ["Australia/Lord_Howe", "Antarctica/Troll", "Africa/Cairo", "Asia/Beirut", "America/Havana", "Pacific/Chatham"]
"""Half an hour, two hours, and days that begin at one."""


@pytest.fixture(scope="module")
def zones() -> dict[str, list[datetime]]:
    """Fifty zones that change their clocks, and when."""
    found: dict[str, list[datetime]] = {}
    for name in [*ODD, *sorted(available_timezones())[::4]]:
        if "/" in name and name not in found and len(moments := changes(ZoneInfo(name))) == 2:
            found[name] = moments
        if len(found) == 50:
            return found
    raise AssertionError(f"only {len(found)} zones change their clocks")


@pytest.mark.parametrize("bucket", ["1h", "1d"])
def test_daylight_saving_delays_no_evaluation_and_repeats_no_window(
    zones: dict[str, list[datetime]], bucket: str, figure: Figure
) -> None:
    longest, twice, lost = timedelta(0), 0, 0
    for zone, moments in zones.items():
        for moment in moments:
            asked = query("SELECT 1", bucket=bucket, zone=zone, history=3 * DAY)
            watch = Watch(asked, replace(fresh(asked), added=moment - 3 * DAY))
            over_days(watch, moment - 3 * DAY, moment + 3 * DAY)
            starts = asked.bucket.starts(moment - 2 * DAY, moment + 2 * DAY, zone)
            lengths = np.diff(starts).max().astype("timedelta64[s]").item()
            assert watch.gap <= lengths + 5 * SECOND, zone
            edges = [wall_edge(as_datetime(at), zone) for at in starts]
            assert edges == sorted(edges), f"a row of {zone} would be in two windows"
            longest = max(longest, watch.gap - lengths)
            twice += sum(count - 1 for count in watch.pulled.values())
            lost += len(watch.missing(moment - 2 * DAY, moment + 2 * DAY))
    assert (twice, lost) == (0, 0)
    seconds = longest.total_seconds()
    figure(
        "T16", f"DST both ways in {len(zones)} zones, bucket {bucket}: gap <= interval + {seconds:g} s, 0 windows twice"
    )


def over_days(watch: Watch, since: datetime, until: datetime) -> None:
    """Ticks at the seconds at which something is due: all others do nothing."""
    while since < until:
        watch.tick(since, since)
        moment = due(watch.query, watch.state, since)
        since = max(moment.replace(microsecond=0) + SECOND, since + SECOND)


class Shifted(datetime):
    """What the clock says: the truth and an error."""

    error = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # no subclass is made
        return datetime.now(tz) + cls.error


@pytest.fixture
def ticks(app: App, monkeypatch: pytest.MonkeyPatch) -> tuple[list[float], list[datetime]]:
    """When a daemon ticked, in seconds of a clock that never jumps, and when it evaluated, by the one that does."""
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shifted)
    monkeypatch.setattr(Shifted, "error", timedelta(0))
    seen, revisit = list[float](), app.revisit

    def noticed(now: datetime) -> bool:
        seen.append(time.monotonic())
        return revisit(now)

    def evaluated(name: str, now: datetime) -> Evaluation:
        evaluations.append(now)
        return evaluate(name, now)

    evaluate, evaluations = app.evaluate, list[datetime]()
    app.evaluate = evaluated  # type: ignore[method-assign]  # counted
    app.revisit = noticed  # type: ignore[method-assign]  # the first thing that a tick does
    return seen, evaluations


def ticked_after(seen: list[float], jump: Callable[[], object]) -> None:
    jump()
    before = len(seen)
    wait_until(lambda: len(seen) >= before + 3, "ticks after the jump", within_s=20)


def test_the_daemon_ticks_on_when_its_clock_jumps(
    app: App, ticks: tuple[list[float], list[datetime]], figure: Figure
) -> None:
    seen, evaluations = ticks

    def outside() -> None:
        try:
            for error in (timedelta(0), *JUMPS.values()):
                ticked_after(seen, lambda error=error: setattr(Shifted, "error", error))  # type: ignore[misc]
        finally:
            app.stopping.set()

    person = threading.Thread(target=outside)
    person.start()
    assert Daemon(app, clock=lambda: Shifted.now(UTC)).run() == 0
    person.join()
    gap = max(later - earlier for earlier, later in pairwise(seen))
    assert len(seen) >= 10, "it stood still after a jump"
    assert gap <= 5 + 1
    assert len(evaluations) >= 1 + len(JUMPS), "everything is due after a jump"
    figure("T16", f"the daemon's clock +1 h, -1 h, +10 d, -10 d: largest gap between ticks {gap:.1f} s")
