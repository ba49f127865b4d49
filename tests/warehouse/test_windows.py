from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.blocks import Block, ColumnKey
from alerting.core.health import QueryState
from alerting.warehouse.windows import Window, halves, plan, settle, settled
from config.model import Late, Query, Restate
from detectors.buckets import as_datetime
from tests.warehouse.contract import fresh, query, utc

HOUR = timedelta(hours=1)
NOW = utc("2026-03-10T12:10")


def block(asked: Query, pulled: Window, filled: str) -> Block:
    """A block over the window: one character per bucket, ``.`` = no row."""
    times = asked.bucket.starts(pulled.since, pulled.until, asked.timezone)
    assert len(times) == len(filled)
    values = np.array([[np.nan if mark == "." else 1.0] for mark in filled])
    return Block(times, (ColumnKey("n"),) if filled.strip(".") else (), values if filled.strip(".") else values[:, :0])


def known(asked: Query, watermark: str, **fields: object) -> QueryState:
    state = replace(fresh(asked), watermark=utc(watermark), backfilled=utc("2025-01-01T00:00"))
    return replace(state, **fields)  # type: ignore[arg-type]  # keywords of a test


def text(windows: list[Window]) -> list[str]:
    return [f"{w.purpose} {w.since:%m-%d %H:%M} {w.until:%m-%d %H:%M}" for w in windows]


@pytest.mark.parametrize(
    ("delay", "watermark", "expected"),
    [
        (0, "2026-03-10T10:00", ["new 03-10 10:00 03-10 12:00"]),
        (10, "2026-03-10T10:00", ["new 03-10 10:00 03-10 12:00"]),
        (11, "2026-03-10T10:00", ["new 03-10 10:00 03-10 11:00"]),
        (0, "2026-03-10T12:00", []),
        (0, "2026-03-10T13:00", []),
    ],
)
def test_bucket_is_wanted_once_its_end_and_the_delay_have_passed(
    delay: int, watermark: str, expected: list[str]
) -> None:
    asked = query("SELECT 1", delay=timedelta(minutes=delay), history=timedelta(days=1))
    assert text(plan(asked, known(asked, watermark), NOW)) == expected


def test_first_pull_goes_from_the_newest_bucket_back_to_the_history() -> None:
    asked = query("SELECT 1", history=timedelta(days=45))
    windows = plan(asked, fresh(asked), NOW)
    assert [window.purpose for window in windows] == ["backfill"] * 3
    assert windows[0].until == utc("2026-03-10T12:00")
    assert windows[-1].since == utc("2026-01-24T12:00")
    assert all(newer.since == older.until for newer, older in pairwise(windows))
    assert {(window.until - window.since) / HOUR for window in windows[:-1]} == {500}


def test_minutes_are_pulled_a_week_at_a_time() -> None:
    asked = query("SELECT 1", bucket="1m", history=timedelta(days=14))
    assert [window.until - window.since for window in plan(asked, fresh(asked), NOW)] == [timedelta(days=7)] * 2


def test_interrupted_first_pull_is_resumed_after_the_new_buckets() -> None:
    asked = query("SELECT 1", history=timedelta(days=4))
    state = known(asked, "2026-03-10T11:00", backfilled=utc("2026-03-09T00:00"))
    assert text(plan(asked, state, NOW)) == ["new 03-10 11:00 03-10 12:00", "backfill 03-06 12:00 03-09 00:00"]


def test_long_absence_is_caught_up_oldest_first() -> None:
    asked = query("SELECT 1")
    windows = plan(asked, known(asked, "2026-02-01T00:00"), NOW)
    assert [window.since for window in windows] == sorted(window.since for window in windows)
    assert (windows[0].since, windows[-1].until) == (utc("2026-02-01T00:00"), utc("2026-03-10T12:00"))


def test_changed_sql_is_pulled_from_the_beginning() -> None:
    before = query("SELECT 1", history=timedelta(days=2))
    asked = query("SELECT 2", history=timedelta(days=2))
    state = known(before, "2026-03-10T12:00", newest=NOW)
    assert text(plan(asked, state, NOW)) == ["backfill 03-08 12:00 03-10 12:00"]
    window = plan(asked, state, NOW)[0]
    settled_state = settle(asked, state, block(asked, window, "1" * 47 + "."), window, False, NOW)
    assert (settled_state.digest, settled_state.watermark) == (asked.digest, utc("2026-03-10T11:00"))


@pytest.mark.parametrize(
    ("restated", "expected"),
    [
        (None, ["restate 03-09 12:00 03-10 12:00"]),
        ("2026-03-10T06:10", ["restate 03-09 12:00 03-10 12:00"]),
        ("2026-03-10T06:11", []),
    ],
)
def test_restatement_window_is_pulled_each_time_it_is_due(restated: str | None, expected: list[str]) -> None:
    asked = query("SELECT 1", restate=Restate(window=24 * HOUR, every=6 * HOUR), history=timedelta(days=3))
    state = known(asked, "2026-03-10T12:00", restated=utc(restated) if restated else None)
    assert text(plan(asked, state, NOW)) == expected
    for window in plan(asked, state, NOW):
        assert settle(asked, state, block(asked, window, "1" * 24), window, False, NOW).restated == NOW


def test_restatement_counts_only_when_its_oldest_chunk_has_come() -> None:
    asked = query("SELECT 1", restate=Restate(window=600 * HOUR, every=6 * HOUR))
    state = known(asked, "2026-03-10T12:00")
    newer, older = plan(asked, state, NOW)
    state = settle(asked, state, block(asked, newer, "1" * 500), newer, False, NOW)
    assert state.restated is None
    assert settle(asked, state, block(asked, older, "1" * 100), older, False, NOW).restated == NOW


def test_first_pull_counts_as_a_restatement_but_old_history_does_not() -> None:
    asked = query("SELECT 1", restate=Restate(window=24 * HOUR, every=6 * HOUR), history=timedelta(hours=600))
    newest, oldest = plan(asked, fresh(asked), NOW)
    state = settle(asked, fresh(asked), block(asked, newest, "1" * 500), newest, False, NOW)
    assert state.restated == NOW
    later = NOW + HOUR
    assert settle(asked, state, block(asked, oldest, "1" * 100), oldest, False, later).restated == NOW


@pytest.mark.parametrize(
    ("filled", "zero_filled", "late", "watermark", "newest"),
    [
        ("1111", False, None, "04:00", "03:00"),
        ("11..", False, None, "02:00", "01:00"),
        ("1..1", False, None, "04:00", "03:00"),
        ("....", False, None, "00:00", None),
        ("....", True, None, "04:00", None),
        ("1...", True, None, "04:00", "00:00"),
        ("1...", True, Late(2 * HOUR, None), "01:00", "00:00"),
    ],
)
def test_trailing_empty_buckets_have_not_arrived_unless_zero_is_an_answer(
    filled: str, zero_filled: bool, late: Late | None, watermark: str, newest: str | None
) -> None:
    asked = query("SELECT 1", late=late)
    window = Window(utc("2026-03-10T00:00"), utc("2026-03-10T04:00"), "new")
    state = settle(asked, known(asked, "2026-03-10T00:00"), block(asked, window, filled), window, zero_filled, NOW)
    assert state.watermark == utc(f"2026-03-10T{watermark}")
    assert state.newest == (utc(f"2026-03-10T{newest}") if newest else None)
    kept = settled(block(asked, window, filled), window, state)
    assert len(kept.times) == (state.watermark - window.since) / HOUR


def test_restated_block_is_kept_whole_and_moves_nothing() -> None:
    asked = query("SELECT 1")
    window = Window(utc("2026-03-10T00:00"), utc("2026-03-10T03:00"), "restate")
    before = known(asked, "2026-03-10T03:00", newest=utc("2026-03-10T02:00"))
    after = settle(asked, before, block(asked, window, "1.."), window, False, NOW)
    assert after == before
    assert len(settled(block(asked, window, "1.."), window, after).times) == 3


def test_empty_first_chunk_leaves_its_buckets_to_be_pulled_again() -> None:
    asked = query("SELECT 1", history=timedelta(hours=2))
    window = plan(asked, fresh(asked), NOW)[0]
    state = settle(asked, fresh(asked), block(asked, window, ".."), window, False, NOW)
    assert (state.watermark, state.backfilled) == (window.since, window.since)
    assert text(plan(asked, state, NOW)) == ["new 03-10 10:00 03-10 12:00"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2025-11-02", 25)])
def test_days_of_23_and_25_hours_are_one_bucket_each(day: str, hours: int) -> None:
    asked = query("SELECT 1", bucket="1d", zone="America/New_York", history=timedelta(days=3))
    windows = plan(asked, fresh(asked), utc(f"{day}T12:00") + timedelta(days=1))
    starts = asked.bucket.starts(windows[0].since, windows[0].until, asked.timezone)
    assert len(windows) == 1
    assert as_datetime(starts[-1]).date().isoformat() == day
    assert windows[0].until - as_datetime(starts[-1]) == hours * HOUR


def test_window_is_halved_at_a_bucket_start_down_to_one_bucket() -> None:
    asked = query("SELECT 1")
    older, newer = halves(asked, Window(utc("2026-03-10T00:00"), utc("2026-03-10T05:00"), "new")) or pytest.fail("none")
    assert (older.until, newer.since) == (utc("2026-03-10T02:00"), utc("2026-03-10T02:00"))
    assert halves(asked, Window(utc("2026-03-10T00:00"), utc("2026-03-10T01:00"), "new")) is None


@given(
    arrivals=st.lists(st.integers(0, 47), min_size=1, max_size=30),
    ticks=st.lists(st.integers(1, 600), min_size=3, max_size=30),
)
def test_no_bucket_with_rows_is_skipped_whenever_ticks_come(arrivals: list[int], ticks: list[int]) -> None:
    """Rows of bucket b arrive b hours in; whatever the ticks, all that arrived before the watermark was stored."""
    asked = query("SELECT 1", history=timedelta(hours=6))
    start = utc("2026-03-10T00:00")
    state, now, stored = fresh(asked), start, set[datetime]()
    for minutes in ticks:
        now += timedelta(minutes=minutes)
        for window in plan(asked, state, now):
            count = int((window.until - window.since) / HOUR)
            marks = ["1" if (window.since + n * HOUR - start) / HOUR in arrivals else "." for n in range(count)]
            pulled = block(asked, window, "".join(marks))
            state = settle(asked, state, pulled, window, False, now)
            stored |= {as_datetime(at) for at in settled(pulled, window, state).times}
    assert state.watermark is not None
    assert state.backfilled is not None
    wanted = {start + b * HOUR for b in arrivals if state.backfilled <= start + b * HOUR < state.watermark}
    assert wanted <= stored
    closed = [
        start + b * HOUR for b in arrivals if start + (b + 1) * HOUR <= now and start + b * HOUR >= state.backfilled
    ]
    assert not closed or state.watermark >= max(closed) + HOUR
