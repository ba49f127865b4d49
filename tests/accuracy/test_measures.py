"""The measures on cases small enough to count by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.accuracy.labelled import Series
from tests.accuracy.made import at, series
from tests.accuracy.measures.calibration import calibration, paged, poisson_interval
from tests.accuracy.measures.contest import contest_f1
from tests.accuracy.measures.episodes import Tally, best_f1, curve, events, recall_at, tally
from tests.accuracy.measures.nab import PROFILES, Profile, nab, sigma, worth
from tests.accuracy.outcome import onsets, pages

STANDARD = PROFILES[0]
DAY = 24


@pytest.mark.parametrize(
    ("alerts", "found", "false"),
    [
        ([], 0, 0),
        ([100], 1, 0),
        ([97], 1, 0),  # three readings before the window
        ([96], 0, 1),  # four before
        ([112], 1, 0),  # seven after it
        ([113], 0, 1),
        ([10, 11, 12, 13], 0, 1),  # one episode
        ([10, 13], 0, 1),  # three hours apart: still one
        ([10, 14], 0, 2),
        (list(range(10, 35)), 0, 1),  # 24 hours after its first
        (list(range(10, 36)), 0, 2),  # and one more
        ([*range(100, 120)], 1, 0),  # carries on from the event
        ([*range(100, 138)], 1, 1),  # more than a day beyond it
        ([101, 104], 1, 0),
    ],
)
def test_an_episode_is_counted_once_however_many_readings_it_has(alerts: list[int], found: int, false: int) -> None:
    counted = tally(series(200, [(100, 105)]), at(200, alerts))
    assert (counted.events, counted.found, counted.false) == (1, found, false)


def test_the_rate_is_per_week_of_unlabelled_time_after_the_warm_up() -> None:
    made = series(20 + 2 * 168, [(100, 105)], warmup=20)
    counted = tally(made, at(len(made), [5, 200]))
    assert counted.weeks == pytest.approx((2 * 168 - 16) / 168)  # the window and 3 + 7 readings around it
    assert counted.false_a_week == pytest.approx(1 / counted.weeks)  # the alert in the warm-up does not count


def test_near_windows_are_one_event_except_in_nab_and_those_of_the_warm_up_are_none() -> None:
    windows = [(5, 8), (50, 55), (58, 60), (70, 71)]
    assert events(series(100, windows, warmup=20)) == [(50, 60), (70, 71)]
    assert events(series(100, windows, warmup=20, collection="nab")) == [(50, 55), (58, 60), (70, 71)]


def test_recall_at_a_budget_is_that_of_the_best_threshold_within_it() -> None:
    made = series(168 * 4, [(300, 305), (500, 505)])
    score = np.zeros(len(made))
    score[[300, 100, 500]] = 9.0, 5.0, 3.0  # the second event is found only together with one false alert
    found = recall_at(curve([(made, score)]), budgets=(0.1, 0.5))
    assert found == {0.1: 0.5, 0.5: 1.0}


def test_contest_f1_counts_a_run_whole_or_not_at_all() -> None:
    made = series(100, [(50, 59)])
    score = np.zeros(100)
    score[[57, 20]] = 2.0, 1.0  # the eighth reading of the run: the last within a delay of 7
    assert contest_f1([(made, score)]).f1 == 1.0
    score[[57, 58]] = 0.0, 2.0
    late = contest_f1([(made, score)])
    assert late.f1 < 0.2  # found too late: only by flagging everything
    score[[51, 20]] = 2.0, 3.0
    high = contest_f1([(made, score)])
    assert (high.precision, high.recall, high.f1) == (10 / 11, 1.0, 20 / 21)


def test_best_f1_is_that_of_events_and_episodes_at_the_best_threshold() -> None:
    made = series(168 * 4, [(300, 305), (500, 505)])
    score = np.zeros(len(made))
    score[[300, 100, 101, 500]] = 9.0, 5.0, 5.0, 3.0
    # One of two with none false: 2/3. Both with one false episode of two readings: 2 · 2 / (2 + 2 + 1) = 4/5.
    assert best_f1(curve([(made, score)])) == pytest.approx(0.8)
    score[[500, 150, 200]] = 3.0, 4.0, 4.0  # now the second event costs three false episodes: 4/7 < 2/3
    assert best_f1(curve([(made, score)])) == pytest.approx(2 / 3)


def test_best_f1_does_not_ask_for_the_first_readings_of_a_long_window() -> None:
    made = series(400, [(100, 199)])
    score = at(400, [150]).astype(float)
    assert best_f1(curve([(made, score)])) == 1.0
    assert contest_f1([(made, score)]).f1 < 0.5


def test_the_f1_of_no_event_is_unknown_and_the_best_is_zero() -> None:
    assert math.isnan(Tally(0, 0, 3, 1.0).f1)
    assert Tally(4, 0, 3, 1.0).f1 == 0.0
    assert best_f1(curve([(series(100), np.arange(100.0))])) == 0.0
    assert best_f1([]) == 0.0


def test_nothing_found_is_a_contest_f1_of_zero() -> None:
    assert contest_f1([(series(10, [(3, 4)]), np.full(10, -np.inf))]).f1 == 0.0
    assert contest_f1([(series(10), np.arange(10.0))]).f1 == 0.0


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name)
def test_nab_gives_silence_zero_and_perfection_a_hundred(profile: Profile) -> None:
    made = series(200, [(50, 69), (120, 139)])
    assert nab([(made, np.zeros(200))], profile) == 0.0
    assert nab([(made, at(200, [50, 120]).astype(float))], profile) == pytest.approx(100.0)


def test_nab_counts_a_miss_and_a_false_alarm_by_the_weights_of_the_profile() -> None:
    made = series(200, [(50, 69), (120, 139)])
    one_found = nab([(made, at(200, [50]).astype(float))], STANDARD)
    assert one_found == pytest.approx(50.0)  # one of two
    with_false = at(200, [10, 50, 120]).astype(float)  # reading 10 lies before the first window: −1
    standard, low_fp, low_fn = (nab([(made, with_false)], profile) for profile in PROFILES)
    assert standard == pytest.approx(100 * (2 - 0.11 + 2) / 4)
    assert low_fp == pytest.approx(100 * (2 - 0.22 + 2) / 4)
    assert low_fn == pytest.approx(100 * (2 - 0.11 + 4) / 6)


def test_nab_values_an_early_detection_more_and_one_just_after_the_window_almost_nothing() -> None:
    value = worth(100, [(40, 59)])
    assert value[0] == -1.0
    assert value[40] == pytest.approx(1.0)
    assert np.all(np.diff(value[40:60]) < 0)
    assert value[60] == pytest.approx(2 / (1 + math.exp(5 / 19)) - 1)
    assert value[99] == pytest.approx(float(sigma(np.array([40 / 19]))[0]))
    assert float(sigma(np.array([3.1]))[0]) == -1.0


def test_a_page_is_the_first_alert_after_a_day_without_one() -> None:
    assert pages(at(200, [10, 20, 44, 69, 70]), 3600) == [10, 69]  # 10 → 20 → 44 are each within 24 hours
    assert pages(at(50, [1, 4, 8]), 86400) == [1, 8]  # three buckets for daily data
    assert pages(at(5, []), 3600) == []


def test_a_page_counts_against_the_budget_of_the_weeks_after_the_warm_up() -> None:
    made = series(10 * 168 + 50, warmup=50)
    one = paged(made, at(len(made), [10, 100, 500]), budget_a_week=1.0)
    assert (one.sent, one.promised, one.is_told, one.is_busy, one.is_kept) == (2, 10.0, True, False, False)


@pytest.mark.parametrize(("sent", "kept"), [(4, False), (5, True), (20, True), (21, False)])
def test_a_quiet_series_keeps_its_budget_within_a_factor_of_two(sent: int, kept: bool) -> None:
    made = series(10 * 168)
    assert paged(made, at(len(made), range(30, 30 + sent * 50, 50)), 1.0).is_kept is kept


def test_a_busy_series_is_asked_only_for_pages_outside_its_labels() -> None:
    windows = [(first, first + 2) for first in range(100, 1600, 150)]
    made = series(10 * 168, windows)
    found = calibration([(made, at(len(made), [first for first, _ in windows]))], 0.3)
    assert (found.sent, found.busy, found.busy_kept, found.quiet) == (10, 1, 1, 0)


def test_poisson_intervals_are_the_exact_ones() -> None:
    # Garwood (1936), table for 90 %: 0 → (0, 2.996), 5 → (1.970, 10.513)
    assert poisson_interval(0) == pytest.approx((0.0, 2.996), abs=1e-3)
    assert poisson_interval(5) == pytest.approx((1.970, 10.513), abs=1e-3)


def test_an_onset_survives_and_what_carries_on_does_not() -> None:
    score = np.array([0.0, 5.0, 4.0, 5.0, 6.0, 0.0, 0.0, 0.0, 3.0])
    assert onsets(score, 3).tolist() == [0, 5, 0, 0, 6, 0, 0, 0, 3]


def shifted(made: Series, by: float) -> list[tuple[Series, np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    score = np.cos(np.arange(len(made)) * 1.7) + by
    return [(made, score)]


@given(by=st.floats(-100, 100), windows=st.lists(st.integers(0, 18), max_size=3, unique=True))
def test_ranking_measures_see_only_the_order_of_scores(by: float, windows: Sequence[int]) -> None:
    made = series(200, sorted((10 * first, 10 * first + 4) for first in windows), warmup=10)
    assert contest_f1(shifted(made, 0.0)).f1 == pytest.approx(contest_f1(shifted(made, by)).f1)
    if windows:
        assert nab(shifted(made, 0.0), STANDARD) == pytest.approx(nab(shifted(made, by), STANDARD), nan_ok=True)


@given(alerts=st.sets(st.integers(0, 199), max_size=30))
def test_more_labels_never_make_more_false_alerts_than_readings_in_alert(alerts: set[int]) -> None:
    made = series(200, [(100, 105)])
    counted = tally(made, at(200, alerts))
    assert 0 <= counted.false <= len(alerts)
    assert counted.found <= counted.events
