"""Calm hours have a narrower bound than noisy ones, and a slow drift is told though no reading of it is rare."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import Floats
from detectors.seasonal.hourly import Hourly
from detectors.seasonal.recipe import Recipe
from detectors.seasonal.trend import Trend
from tests.detectors.seasonal.made import anomalous, judged, panel_of, shop

DAYS = 70
WIDTH_S = 3600.0


def restless_days(series: int = 20) -> Floats:
    """Noise of 10 from 8:00 to 20:00, of 1 at night: ``[T, S]``."""
    hours = np.arange(DAYS * 24) % 24
    noise = np.where((hours >= 8) & (hours < 20), 10.0, 1.0)[:, None]
    return 1000.0 + np.random.default_rng(3).normal(size=(DAYS * 24, series)) * noise


def test_the_usual_error_of_an_hour_is_its_own_and_starts_as_that_of_all() -> None:
    recipe, hours = Recipe(hourly_days=2.0, scale_s=1e18), np.arange(48) % 24
    sizes = np.where(hours < 12, 1.0, 3.0)[:, None]
    hourly = Hourly.none(1)
    first = hourly.follow(sizes, np.ones(sizes.shape, dtype=bool), hours, WIDTH_S, recipe)
    second = hourly.follow(sizes, np.ones(sizes.shape, dtype=bool), hours, WIDTH_S, recipe)
    assert (first == 1.0).all()
    # Two readings of its own and two days' worth of the usual size, which is 2.
    np.testing.assert_allclose(second[[0, 12], 0], [(2 + 4) / 4 / 2, (6 + 4) / 4 / 2])


def test_bounds_are_narrow_in_calm_hours_and_a_small_dip_there_is_found() -> None:
    values = restless_days()
    values[-20] -= 15.0  # at four in the morning
    found = judged(panel_of(values))
    width = (found.upper - found.lower).mean(axis=1)[-24:]
    assert width[12] > 2 * width[4]
    assert (found.status[-20] == "anomaly").mean() > 0.8


def test_the_same_dip_in_a_noisy_hour_is_nothing() -> None:
    values = restless_days()
    values[-12] -= 15.0  # at noon
    assert anomalous(panel_of(values))[-12].mean() < 0.1


def drifting(sigmas: float, series: int = 20) -> Floats:
    """White noise around a day and a week that over its last three days rises by so many standard deviations."""
    values = shop(DAYS, series)
    values[-72:] += (np.arange(72) / 72 * sigmas * 50.0)[:, None]
    return values


def test_a_drift_over_three_days_is_told_in_words() -> None:
    found = judged(panel_of(drifting(6.0)))
    told = np.char.startswith(found.reason[-72:].astype(str), "drifts: ") & (found.status[-72:] == "anomaly")
    assert told.any(axis=0).mean() >= 0.7
    before = np.char.startswith(found.reason[-14 * 24 : -72].astype(str), "drifts: ")
    assert before.any(axis=0).mean() < 0.3


@pytest.mark.parametrize("direction", [1, -1])
def test_one_spike_however_large_is_no_drift(direction: int) -> None:
    values = shop(DAYS, 5)
    values[-48] += direction * 1e6
    reasons = judged(panel_of(values)).reason[-47:].astype(str)
    assert not np.char.startswith(reasons, "drifts: ").any()


def test_what_is_unusual_for_as_long_as_a_new_level_needs_is_the_new_level() -> None:
    trend, recipe = Trend.none(1), Recipe()
    calm, shifted = np.random.default_rng(1).normal(size=(24 * 28, 1)), np.full((48, 1), 6.0)
    everywhere = [np.ones(part.shape, dtype=bool) for part in (calm, shifted)]
    trend.follow(calm, np.ones(1), everywhere[0], WIDTH_S, recipe)
    before = trend.follow(shifted, np.ones(1), everywhere[1], WIDTH_S, recipe)
    trend.lasted(np.array([True]), 48 * WIDTH_S, 48 * WIDTH_S)
    after = trend.follow(shifted, np.ones(1), everywhere[1], WIDTH_S, recipe)
    assert before[-1, 0] > 5
    assert after[-1, 0] < before[-1, 0] / 2
