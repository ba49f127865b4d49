from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import Floats
from detectors.stl import Decomposition, mstl, stl, strengths

HOURS = np.arange(24 * 7 * 6)


def daily(height: float, noise: float) -> Floats:
    draw = np.random.default_rng(5).normal(size=len(HOURS))
    return 100 + height * np.sin(2 * np.pi * HOURS / 24) + noise * draw


def test_strength_by_hand() -> None:
    """Residual ±1 has variance 1; season + residual is 4, 2, −2, −4 with variance 10: 1 − 1/10."""
    season, residual = np.array([[3.0], [3.0], [-3.0], [-3.0]]), np.array([[1.0], [-1.0], [1.0], [-1.0]])
    found = strengths(Decomposition(np.zeros((4, 1)), {2: season}, residual, np.ones((4, 1))))
    assert found[2][0] == pytest.approx(0.9)


def test_strength_is_never_negative() -> None:
    season = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    found = strengths(Decomposition(np.zeros((4, 1)), {2: season}, -1.5 * season, np.ones((4, 1))))
    assert found[2][0] == 0


def test_strong_seasons_are_told_from_weak_and_absent_ones() -> None:
    values = np.column_stack([daily(10, 0.5), daily(1, 1), daily(0, 1), np.full(len(HOURS), 3.3)])
    day = strengths(stl(values, 24, seasonal=13))[24]
    assert day[0] > 0.98
    assert day[0] > day[1] > 0.2 > day[2] - 0.1
    assert day[3] == 0


def test_each_season_has_a_strength_of_its_own() -> None:
    week = 8 * ((HOURS // 24) % 7 >= 5)
    found = strengths(mstl(np.column_stack([daily(10, 1), daily(0, 1) + week]), (24, 168)))
    assert found[24][0] > 0.9 > 0.7 > found[168][0]
    assert found[168][1] > 0.8 > found[24][1]


def test_missing_readings_do_not_count() -> None:
    values = daily(5, 1)[:, None]
    values[::5] = np.nan
    found = strengths(stl(np.column_stack([values, np.full(len(HOURS), np.nan)]), 24))[24]
    assert found[0] == pytest.approx(strengths(stl(daily(5, 1)[:, None], 24))[24][0], abs=0.03)
    assert np.isnan(found[1])
