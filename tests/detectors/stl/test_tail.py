from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import Floats
from detectors.stl import Decomposition, mstl, stl, tail
from detectors.stl.recipe import Options


def panel(length: int, series: int = 4) -> Floats:
    hours = np.arange(length)[:, None]
    noise = np.random.default_rng(1).normal(size=(length, series))
    return np.asarray(5 + np.sin(2 * np.pi * hours / 12) + noise)


def assert_ends(whole: Decomposition, end: Decomposition, last: int) -> None:
    assert np.allclose(end.trend, whole.trend[-last:], rtol=0, atol=1e-9, equal_nan=True)
    assert np.allclose(end.residual, whole.residual[-last:], rtol=0, atol=1e-9, equal_nan=True)
    assert np.allclose(end.weights, whole.weights[-last:], rtol=0, atol=1e-9)
    assert list(end.seasons) == list(whole.seasons)
    for period, season in whole.seasons.items():
        assert np.allclose(end.seasons[period], season[-last:], rtol=0, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("last", [1, 3, 100])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seasonal_jump": 2, "trend_jump": 5, "low_pass_jump": 4},
        {"seasonal_deg": 0, "trend_deg": 0, "inner_iter": 1},
        {"robust": True},
    ],
)
def test_tail_is_the_end_of_the_whole(last: int, options: Options) -> None:
    values = panel(100)
    assert_ends(stl(values, 12, seasonal=9, **options), tail(values, 12, last=last, seasonal=9, **options), last)
    assert_ends(mstl(values, (7, 12), **options), tail(values, (7, 12), last=last, **options), last)
    windows = (9, 13)
    assert_ends(
        mstl(values, (7, 12), windows, iterate=3, **options),
        tail(values, (7, 12), last=last, seasonal=windows, iterate=3, **options),
        last,
    )


def test_tail_with_missing_readings_is_the_end_of_the_whole() -> None:
    values = panel(100)
    values[60:80, 0] = values[-1, 1] = values[:, 2] = np.nan
    assert_ends(stl(values, 12), tail(values, 12, last=5), 5)


def test_tail_of_a_long_series_is_the_end_of_the_whole() -> None:
    values = panel(2_500, 2)
    assert_ends(stl(values, 288), tail(values, 288, last=2), 2)


def test_tail_asks_for_rows_that_are_there() -> None:
    with pytest.raises(ValueError, match="last must be between 1 and the 40 values, not 41"):
        tail(panel(40), 12, last=41)
    with pytest.raises(ValueError, match=r"one period takes one seasonal window, not \[7, 9\]"):
        tail(panel(40), 12, last=1, seasonal=(7, 9))
