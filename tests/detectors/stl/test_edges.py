"""What every panel may hold: constants, tiny and huge values, one series or none, too few values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from statsmodels.tsa.seasonal import STL

from detectors.contract import Floats
from detectors.stl import Decomposition, mstl, stl, tail
from detectors.stl.recipe import Options


def panel(length: int = 96, series: int = 3, seed: int = 0) -> Floats:
    hours = np.arange(length)[:, None]
    noise = np.random.default_rng(seed).normal(size=(length, series))
    return np.asarray(20 + 0.02 * hours + 3 * np.sin(2 * np.pi * hours / 12) + noise)


def parts(found: Decomposition) -> Floats:
    return np.stack([found.trend, *found.seasons.values(), found.residual, found.weights])


def assert_same(one: Decomposition, other: Decomposition, scale: float = 20.0) -> None:
    assert np.allclose(parts(one), parts(other), rtol=0, atol=1e-9 * scale, equal_nan=True)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("value", [0.0, 1.0, -7.25, 1e15, 1e-15, 0.1])
def test_constant_has_no_season_and_no_residual(value: float, robust: bool) -> None:
    found = stl(np.full((60, 2), value), 12, robust=robust)
    assert np.allclose(found.trend, value, rtol=1e-12, atol=0)
    assert np.abs(found.seasons[12]).max() <= 1e-12 * abs(value)
    assert np.abs(found.residual).max() <= 1e-12 * abs(value)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("factor", [1e15, 1e-15, -3.0, 1e200, 1e-200])
def test_parts_scale_with_the_values(factor: float, robust: bool) -> None:
    values = panel()
    plain, scaled = stl(values, 12, robust=robust), stl(factor * values, 12, robust=robust)
    assert np.allclose(scaled.trend / factor, plain.trend, rtol=0, atol=1e-8)
    assert np.allclose(scaled.residual / factor, plain.residual, rtol=0, atol=1e-8)
    assert np.allclose(scaled.weights, plain.weights, rtol=0, atol=1e-8)


@pytest.mark.parametrize("robust", [False, True])
def test_level_added_is_added_to_the_trend_alone(robust: bool) -> None:
    plain, raised = stl(panel(), 12, robust=robust), stl(panel() + 1_000, 12, robust=robust)
    assert np.allclose(raised.trend - 1_000, plain.trend, rtol=0, atol=1e-7)
    assert np.allclose(raised.seasons[12], plain.seasons[12], rtol=0, atol=1e-7)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("spikes", [(), (17,), (17, 40, 41)])
def test_flat_series_with_spikes_falls_back_like_statsmodels(spikes: tuple[int, ...], robust: bool) -> None:
    values = np.zeros((72, 1))
    values[list(spikes)] = 5.0
    found, expected = stl(values, 12, robust=robust), STL(values[:, 0], period=12, robust=robust).fit()
    assert np.allclose(found.trend[:, 0], expected.trend, rtol=0, atol=1e-9)
    assert np.allclose(found.seasons[12][:, 0], expected.seasonal, rtol=0, atol=1e-9)
    assert np.allclose(found.weights[:, 0], expected.weights, rtol=0, atol=1e-9)


@given(
    period=some.integers(2, 15),
    cycles=some.floats(2, 7),
    series=some.integers(0, 4),
    robust=some.booleans(),
    jump=some.integers(1, 6),
    missing=some.floats(0, 0.9),
    seed=some.integers(0, 99),
)
@settings(max_examples=120, deadline=None)
def test_parts_add_up_and_are_finite_where_there_is_a_reading(
    period: int, cycles: float, series: int, robust: bool, jump: int, missing: float, seed: int
) -> None:
    values = panel(max(2 * period, int(period * cycles)), series, seed)
    values[np.random.default_rng(seed).random(values.shape) < missing] = np.nan
    options: Options = {"trend_jump": jump, "low_pass_jump": jump, "seasonal_jump": jump, "robust": robust}
    found = stl(values, period, **options)
    has_readings = np.isfinite(values).any(axis=0)
    assert found.trend.shape == found.residual.shape == found.seasons[period].shape == values.shape
    assert np.isfinite(found.fitted[:, has_readings]).all()
    assert np.isnan(found.fitted[:, ~has_readings]).all()
    assert np.array_equal(np.isnan(found.residual), np.isnan(values))
    assert np.allclose((found.fitted + found.residual)[np.isfinite(values)], values[np.isfinite(values)])
    assert ((found.weights >= 0) & (found.weights <= 1)).all()


@pytest.mark.parametrize("robust", [False, True])
def test_order_of_series_and_of_chunks_changes_nothing(robust: bool) -> None:
    values = panel(60, 700)
    values[5, ::50] = np.nan
    order = np.random.default_rng(2).permutation(700)
    together, shuffled = stl(values, 12, robust=robust), stl(values[:, order], 12, robust=robust)
    assert np.allclose(parts(together)[:, :, order], parts(shuffled), rtol=0, atol=1e-8, equal_nan=True)
    for start in (0, 311, 699):
        chunk = slice(start, start + 40)
        alone = parts(stl(values[:, chunk], 12, robust=robust))
        assert np.allclose(parts(together)[:, :, chunk], alone, rtol=0, atol=1e-8, equal_nan=True)


@pytest.mark.parametrize("length", [60, 61])
def test_wide_panel_by_one_matrix_equals_a_narrow_one_by_filters(length: int) -> None:
    values = panel(length, 300)
    assert_same(stl(values[:, :3], 12), Decomposition(*_first_three(stl(values, 12))))
    assert_same(mstl(values[:, :3], (5, 12)), Decomposition(*_first_three(mstl(values, (5, 12)))))


def _first_three(found: Decomposition) -> tuple[Floats, dict[int, Floats], Floats, Floats]:
    seasons = {period: season[:, :3] for period, season in found.seasons.items()}
    return found.trend[:, :3], seasons, found.residual[:, :3], found.weights[:, :3]


@pytest.mark.parametrize("series", [0, 1])
@pytest.mark.parametrize("robust", [False, True])
def test_panel_of_one_series_or_none_keeps_its_shape(series: int, robust: bool) -> None:
    values = panel(48, series)
    for found in (stl(values, 12, robust=robust), mstl(values, (4, 12), robust=robust)):
        assert parts(found).shape[1:] == (48, series)
    assert tail(values, 12, last=2, robust=robust).trend.shape == (2, series)


def test_whole_numbers_in_another_memory_order_are_values_too() -> None:
    whole = np.round(panel() * 10).astype(np.int64)
    expected = stl(whole.astype(np.float64), 12)
    assert_same(stl(np.asfortranarray(whole), 12), expected)
    assert_same(stl(whole.astype(np.float64)[::-1][::-1], 12), expected)


def test_values_are_not_changed() -> None:
    values = panel()
    values[3] = np.nan
    before = values.copy()
    for robust in (False, True):
        stl(values, 12, robust=robust)
        mstl(values, (4, 12), robust=robust)
    assert np.array_equal(values, before, equal_nan=True)


@pytest.mark.parametrize(
    ("period", "options", "message"),
    [
        (24, {}, "period 24 needs at least 48 values, there are 40"),
        (1, {}, "period must be at least 2, not 1"),
        (7, {"seasonal": 8}, "seasonal must be odd and at least 3, not 8"),
        (7, {"seasonal": 1}, "seasonal must be odd and at least 3, not 1"),
        (7, {"trend": 7}, "trend must be odd and at least 9, not 7"),
        (7, {"low_pass": 10}, "low_pass must be odd and at least 9, not 10"),
        (7, {"trend_deg": 2}, "trend_deg must be 0 or 1, not 2"),
        (7, {"seasonal_jump": 0}, "seasonal_jump must be at least 1, not 0"),
        (7, {"inner_iter": 0}, "inner_iter must be at least 1, not 0"),
        (7, {"outer_iter": -1}, "outer_iter must not be negative, it is -1"),
    ],
)
def test_wrong_wish_is_answered_with_what_is_needed(period: int, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stl(panel(40), period, **options)


def test_mstl_asks_for_more_than_two_of_its_longest_period() -> None:
    with pytest.raises(ValueError, match="period 20 needs more than 40 values, there are 40"):
        mstl(panel(40), (5, 20))
    with pytest.raises(ValueError, match="2 periods need as many windows, not 1"):
        mstl(panel(40), (5, 10), (7,))
    with pytest.raises(ValueError, match=r"periods must be given and differ, not \[5, 5\]"):
        mstl(panel(40), (5, 5))
    with pytest.raises(ValueError, match="iterate must be at least 1, not 0"):
        mstl(panel(40), (5, 7), iterate=0)


def test_one_series_without_its_axis_is_refused() -> None:
    with pytest.raises(ValueError, match=r"values must have shape \[T, S\], not \(40,\)"):
        stl(panel(40, 1)[:, 0], 7)


def test_periods_may_come_in_any_order_with_their_windows() -> None:
    values = panel(100)
    assert_same(mstl(values, (12, 5), (15, 7)), mstl(values, (5, 12), (7, 15)))
    assert_same(mstl(values, (12, 5)), mstl(values, (5, 12), (11, 15)))
