"""Drift finds what is slow, stays quiet on what always wanders, and keeps its budget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from detectors import ANOMALY, UNKNOWN, Panel, Verdicts
from detectors.contract import Floats
from detectors.drift import Drift
from detectors.rates import parse
from tests.detectors.conformance import TOLERANCE, assert_same, part, rows_of, series_of, stacked, with_values

DAY = np.timedelta64(1, "D")
MONDAY = np.datetime64("2025-01-06", "us")


def daily(values: Floats, bucket: str = "1d", step: np.timedelta64 = DAY) -> Panel:
    grid = values if values.ndim == 2 else values[:, None]
    labels = tuple({"shop": str(s)} for s in range(grid.shape[1]))
    return Panel(MONDAY + np.arange(len(grid)) * step, grid, labels, bucket, "UTC")


def noise(days: int, series: int, sigma: float = 10.0, seed: int = 5) -> Floats:
    return 1000 + sigma * np.random.default_rng(seed).normal(size=(days, series))


def declining(values: Floats, first: int, share: float, days: int = 28) -> Floats:
    ramp = np.clip(np.arange(len(values)) - first, 0, days) / days
    return values * (1 - share * ramp)[:, None]


def episodes(found: Verdicts, quiet: int = 7) -> int:
    """Anomalies after a week without one."""
    anomalous = found.status == ANOMALY
    before = np.zeros_like(anomalous)
    for days in range(1, quiet + 1):
        before[days:] |= anomalous[:-days]
    return int((anomalous & ~before).sum())


def judged(panel: Panel, detector: Drift | None = None, rows: int | None = None) -> Verdicts:
    return (detector or Drift()).judge(panel, since=panel.times[-(rows or len(panel.times))])


def test_a_decline_of_five_percent_over_four_weeks_is_found_in_days() -> None:
    found = judged(daily(declining(noise(300, 60), 260, 0.05)))
    down = (found.status == ANOMALY) & (found.direction < 0)
    assert down[260:274].any(axis=0).mean() > 0.9
    assert down[260:281].any(axis=0).all()


def test_a_thousand_series_share_the_budget_and_a_large_decline_is_still_found() -> None:
    panel = daily(declining(noise(300, 60), 260, 0.10))
    found = judged(panel, Drift().shared_by(1000))
    assert (found.status[260:288] == ANOMALY).any(axis=0).mean() > 0.9
    assert not (found.status[:260] == ANOMALY).any()


@pytest.mark.parametrize(
    ("kind", "most"), [("white", 1.3), ("week", 1.3), ("heavy", 1.4), ("walk", 0.6), ("year", 0.3), ("growth", 0.6)]
)
def test_false_alarms_keep_the_budget_and_what_always_wanders_is_quiet(kind: str, most: float) -> None:
    rng = np.random.default_rng(11)
    days, series = 500, 120
    at = np.arange(days)[:, None]
    error = rng.normal(size=(days, series))
    values = {
        "white": 1000 + 10 * error,
        "week": 1000 + 200 * np.sin(2 * np.pi * at / 7) + 10 * error,
        "heavy": 1000 + 10 * rng.standard_t(3, size=(days, series)),
        "walk": 1000 + np.cumsum(error, axis=0),
        "year": 1000 + 200 * np.sin(2 * np.pi * at / 365) + 10 * error,
        "growth": (1000 + 20 * error) * np.exp(0.001 * at),
    }[kind]
    found = judged(daily(values))
    months = np.isfinite(found.score).sum() / 30
    assert months > 1000
    assert episodes(found) / months < most


def test_a_new_level_is_one_episode_and_accepted_after_four_weeks() -> None:
    values = noise(330, 60)
    values[260:] *= 0.9
    found = judged(daily(values), Drift(budget=parse("1/year")))
    assert (found.status[266:286] == ANOMALY).all()
    assert (found.status[300:] == ANOMALY).mean() < 0.05


def test_two_odd_days_are_no_drift() -> None:
    values = noise(300, 30)
    quiet = judged(daily(values))
    values[280:282] *= 5
    odd = judged(daily(values))
    assert episodes(odd) <= episodes(quiet) + 3


def test_hours_are_judged_by_whole_local_days() -> None:
    hours = np.arange(24 * 200)
    rng = np.random.default_rng(2)
    values = (1000 + 400 * np.sin(2 * np.pi * hours / 24) + 50 * rng.normal(size=len(hours)))[:, None]
    values[24 * 180 :] *= 0.9
    times = MONDAY + hours * np.timedelta64(1, "h")
    found = judged(Panel(times, values, ({},), "1h", "UTC"))
    assert len(np.unique(found.score[-24:, 0])) == 1
    assert found.status[-1, 0] == ANOMALY
    assert found.reason[-1, 0].endswith("% below that of 4 weeks ago")


def test_the_reason_names_both_levels() -> None:
    values = noise(200, 1, sigma=0.001)
    values[180:] *= 0.95
    assert judged(daily(values)).reason[-1, 0] == "the level of the week, 950, is 5 % below that of 4 weeks ago"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda values: values[:60], "14 of 42 past differences"),
        (lambda values: np.where(np.arange(200)[:, None] > 194, np.nan, values), "no reading"),
        (lambda values: np.where(np.arange(200)[:, None] // 4 == 49, np.nan, values)[:200], "no reading"),
        (lambda values: np.full((200, 1), 7.0) + 5 * (np.arange(200) > 150)[:, None], ""),
        (lambda values: np.full((200, 1), 7.0) + 5 * (np.arange(200) > 190)[:, None], "the first change of level"),
    ],
)
def test_what_is_not_known_is_unknown_and_says_why(change: object, reason: str) -> None:
    assert callable(change)
    found = judged(daily(change(noise(200, 1))))
    assert (found.status[-1, 0] == UNKNOWN) == bool(reason)
    assert found.reason[-1, 0].startswith(reason)


def test_weeks_and_months_are_their_own_level() -> None:
    rng = np.random.default_rng(8)
    values = 1000 + 10 * rng.normal(size=(40, 1))
    values[-3:] *= 0.9
    assert judged(daily(values, "1w", 7 * DAY)).status[-1, 0] == ANOMALY
    months = np.arange("2022-01", "2025-05", dtype="datetime64[M]").astype("datetime64[us]")
    assert judged(Panel(months, values, ({},), "1mo", "UTC")).status[-3, 0] == ANOMALY


def test_the_budget_is_spread_over_the_series() -> None:
    assert Drift(budget=parse("2/month")).shared_by(20).budget == pytest.approx(parse("0.1/month"))
    assert Drift().shared_by(1) == Drift()


def test_twice_the_budget_adds_the_same_to_every_score() -> None:
    panel = daily(noise(200, 3))
    once, twice = (judged(panel, Drift(budget=rate)).score for rate in (0.1, 0.2))
    np.testing.assert_allclose((twice - once)[np.isfinite(once)], np.log10(2), rtol=1e-9)


def test_explaining_takes_the_level_the_rhythm_and_the_difference_apart() -> None:
    panel = daily(declining(noise(300, 2), 260, 0.1))
    told = Drift().explain(panel, 1, panel.times[-1])
    assert told.level + sum(told.seasons.values()) + told.residual == pytest.approx(panel.values[-1, 1])
    assert told.level == pytest.approx(1000, rel=0.03)
    assert told.residual == pytest.approx(-0.0714 * 1000, rel=0.2)  # the ramp over the four weeks, mid week
    assert told.expected_per_month < 0.1
    assert told.score == pytest.approx(1 - np.log10(told.expected_per_month))
    with pytest.raises(ValueError, match="no bucket starts"):
        Drift().explain(panel, 0, panel.times[-1] + np.timedelta64(1, "h"))


def test_lower_and_upper_are_as_far_from_expected_as_the_difference_on_the_budget() -> None:
    panel = daily(noise(300, 40))
    found = judged(panel, rows=30)
    beyond = (found.observed < found.lower) | (found.observed > found.upper)
    np.testing.assert_array_equal(beyond, found.status == ANOMALY)
    np.testing.assert_allclose(found.upper - found.expected, found.expected - found.lower, rtol=1e-9)


@pytest.fixture(scope="module")
def long() -> Panel:
    """A year of six-hour buckets over both clock changes, with a drift, a hole and a masked stretch."""
    count = 4 * 330
    at = np.arange(count)[:, None]
    rng = np.random.default_rng(4)
    values = 500 + 100 * np.sin(2 * np.pi * at / 4 + np.array([0, 1, 2])) + 10 * rng.normal(size=(count, 3))
    values[4 * 310 :, 0] *= 0.9
    values[4 * 305 : 4 * 307, 1] = np.nan
    masked = np.zeros(values.shape, dtype=bool)
    masked[4 * 200 : 4 * 203, 2] = True
    labels: tuple[dict[str, str], ...] = ({"country": "DE"}, {"country": "US"}, {})
    return Panel(MONDAY + np.arange(count) * np.timedelta64(6, "h"), values, labels, "6h", "Europe/Berlin", masked)


ROWS = 60


def cut(panel: Panel, begin: int, end: int | None = None) -> Panel:
    assert panel.masked is not None
    return replace(rows_of(replace(panel, masked=None), begin, end), masked=panel.masked[begin:end])


def test_it_finds_the_drift_of_the_long_panel(long: Panel) -> None:
    assert (judged(long, rows=ROWS).status[:, 0] == ANOMALY).sum() > 20


def test_what_comes_later_changes_nothing_earlier(long: Panel) -> None:
    whole = judged(long, rows=ROWS)
    for kept in (10, 37):
        values = long.values.copy()
        values[len(values) - ROWS + kept :] = 1e6
        found = judged(with_values(long, values), rows=ROWS)
        assert_same(part(found, slice(0, kept)), part(whole, slice(0, kept)))


def test_bucket_by_bucket_from_history_alone_equals_one_go(long: Panel) -> None:
    whole, found = judged(long, rows=ROWS), []
    for end in range(len(long.times) - ROWS + 1, len(long.times) + 1):
        begin = int(np.searchsorted(long.times, long.times[end - 1] - Drift().history("6h")))
        assert begin > 0
        found.append(judged(cut(long, begin, end), rows=1))
    assert_same(stacked(found), whole)


def test_moved_scaled_and_reordered_series_have_the_same_scores(long: Panel) -> None:
    whole = judged(long, rows=ROWS)
    for values in (long.values + 12_345, long.values * 1e15, long.values * 1e-15, long.values * 1e290):
        found = judged(with_values(long, values), rows=ROWS)
        np.testing.assert_allclose(found.score, whole.score, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(found.status, whole.status)
    turned = judged(series_of(replace(long, masked=None), [2, 0]), rows=ROWS)
    plain = judged(replace(long, masked=None), rows=ROWS)
    assert_same(turned, part(plain, slice(None), [2, 0]), TOLERANCE)


def test_masked_readings_teach_nothing(long: Panel) -> None:
    assert long.masked is not None
    wrecked = np.where(long.masked, 1e6, long.values)
    assert_same(judged(with_values(long, wrecked), rows=ROWS), judged(long, rows=ROWS))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"against": "4d"}, "'4d' is not a number of weeks: write 1w to 26w"),
        ({"against": "0w"}, "write 1w to 26w"),
        ({"against": "27w"}, "write 1w to 26w"),
        ({"budget": "often"}, "is not a rate"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(written: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Drift.model_validate(written)
