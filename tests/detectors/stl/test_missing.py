"""Missing readings against STL written from its definition: slow loops, a least-squares fit at every point."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.tsa.seasonal import STL

from detectors.contract import Bools, Floats
from detectors.stl import mstl, stl
from detectors.stl.recipe import Choices, Options

LENGTH, PERIOD = 125, 12


def series() -> Floats:
    hours = np.arange(LENGTH)
    noise = np.random.default_rng(7).normal(size=LENGTH)
    values = 50 + 0.1 * hours + 8 * np.sin(2 * np.pi * hours / PERIOD) + noise
    values[[30, 77]] += 40.0
    return np.asarray(values)


HOLES: dict[str, Bools] = {
    "here and there": np.random.default_rng(3).random(LENGTH) < 0.2,
    "half": np.random.default_rng(4).random(LENGTH) < 0.5,
    "two cycles": np.isin(np.arange(LENGTH), np.arange(40, 40 + 2 * PERIOD)),
    "the beginning": np.arange(LENGTH) < 9,
    "the end": np.arange(LENGTH) >= LENGTH - 17,
    "one hour of every day": np.arange(LENGTH) % PERIOD == 4,
    "all but two cycles": ~np.isin(np.arange(LENGTH), np.arange(50, 50 + 2 * PERIOD)),
}
CHOICES: dict[str, Options] = {
    "plain": {},
    "robust": {"robust": True, "outer_iter": 4},
    "degree 0": {"seasonal_deg": 0, "trend_deg": 0, "low_pass_deg": 0},
    "short trend": {"trend": 13, "low_pass": 15, "inner_iter": 3},
}


@pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("holes", HOLES.values(), ids=HOLES)
def test_missing_readings_weigh_nothing_as_defined(
    holes: Bools, options: Options, record_property: Callable[[str, object], None]
) -> None:
    values = np.where(holes, np.nan, series())
    ours = stl(values[:, None], PERIOD, **options)
    trend, season = by_definition(values, options)
    scale = np.nanmax(np.abs(values))
    largest = max(np.abs(ours.trend[:, 0] - trend).max(), np.abs(ours.seasons[PERIOD][:, 0] - season).max()) / scale
    record_property("largest relative difference", float(largest))
    print(f"largest difference {largest:.2g}")  # noqa: T201  # shown by -rP
    assert largest <= 1e-6
    assert np.array_equal(np.isnan(ours.residual[:, 0]), holes)
    assert (ours.weights[holes, 0] == 0).all()


def test_definition_agrees_with_statsmodels_where_nothing_is_missing() -> None:
    for options in CHOICES.values():
        kept = dict(options)
        fits = {name: kept.pop(name) for name in ("inner_iter", "outer_iter") if name in kept}
        expected = STL(series(), period=PERIOD, **kept).fit(**fits)
        trend, season = by_definition(series(), options)
        assert np.allclose(trend, expected.trend, rtol=0, atol=1e-9)
        assert np.allclose(season, expected.seasonal, rtol=0, atol=1e-9)


@pytest.mark.parametrize("robust", [False, True])
def test_series_without_holes_do_not_notice_those_with_holes(robust: bool) -> None:
    whole = series()
    values = np.column_stack([np.where(HOLES["half"], np.nan, whole), whole, np.full(LENGTH, np.nan)])
    together, alone = stl(values, PERIOD, robust=robust), stl(whole[:, None], PERIOD, robust=robust)
    assert np.allclose(together.trend[:, 1:2], alone.trend, rtol=0, atol=1e-10)
    assert np.isfinite(together.trend[:, 0]).all()
    assert np.isfinite(together.seasons[PERIOD][:, 0]).all()
    assert np.isnan(together.trend[:, 2]).all()
    assert np.isnan(together.residual[:, 2]).all()
    assert (together.weights[:, 2] == 0).all()


def test_mstl_with_holes_finds_the_seasons_that_are_there() -> None:
    hours = np.arange(24 * 7 * 5)
    day, week = 10 * np.sin(2 * np.pi * hours / 24), 4 * np.cos(2 * np.pi * hours / 168)
    holes = np.random.default_rng(1).random(len(hours)) < 0.2
    parts = mstl(np.where(holes, np.nan, 200 + day + week)[:, None], (24, 168))
    assert np.abs(parts.seasons[24][:, 0] - day).max() < 0.5
    assert np.abs(parts.seasons[168][:, 0] - week).max() < 0.5
    assert np.array_equal(np.isnan(parts.residual[:, 0]), holes)


def test_infinite_reading_is_no_reading() -> None:
    values = series()[:, None]
    infinite, missing = values.copy(), values.copy()
    infinite[10], missing[10] = np.inf, np.nan
    assert np.array_equal(stl(infinite, PERIOD).residual, stl(missing, PERIOD).residual, equal_nan=True)


def by_definition(values: Floats, options: Options) -> tuple[Floats, Floats]:
    """Trend and season of one series; NaN has weight zero and stands for the line between its neighbours."""
    recipe = Choices(**options).recipe(len(values), PERIOD, 7)
    places, read = np.arange(len(values)), np.isfinite(values)
    filled = np.interp(places, places[read], values[read])
    present = read.astype(np.float64)
    weights, level, season = present, np.zeros(len(values)), np.zeros(len(values))
    for turn in range(1 + recipe.outer_iter):
        if turn:
            weights = present * robustness((filled - level - season), read)
        for _ in range(recipe.inner_iter):
            cycles = cycle_subseries(filled - level, weights, recipe.seasonal, recipe.seasonal_deg)
            moving = np.convolve(cycles, np.ones(PERIOD) / PERIOD, "valid")
            moving = np.convolve(np.convolve(moving, np.ones(PERIOD) / PERIOD, "valid"), np.ones(3) / 3, "valid")
            season = cycles[PERIOD:-PERIOD] - loess(moving, np.ones(len(moving)), recipe.low_pass, recipe.low_pass_deg)
            level = loess(filled - season, weights, recipe.trend, recipe.trend_deg)
    return level, season


def cycle_subseries(values: Floats, weights: Floats, window: int, degree: int) -> Floats:
    """Each phase smoothed on its own, and extended by one cycle on both sides."""
    result = np.empty(len(values) + 2 * PERIOD)
    for phase in range(PERIOD):
        y, w = values[phase::PERIOD], weights[phase::PERIOD]
        inner, count, width = loess(y, w, window, degree), len(y), min(window, len(y))
        before = fitted(y, w, 0, 1, width, window, degree)
        after = fitted(y, w, count + 1, count - width + 1, count, window, degree)
        ends = (inner[0] if before is None else before, inner[-1] if after is None else after)
        result[phase::PERIOD] = np.concatenate([[ends[0]], inner, [ends[1]]])
    return result


def loess(y: Floats, weights: Floats, window: int, degree: int) -> Floats:
    """At every value; one without any weight around keeps what it has."""
    result, count = y.copy(), len(y)
    for at in range(1, count + 1):
        first = min(max(1, at - window // 2), max(1, count - window + 1))
        smooth = fitted(y, weights, at, first, min(count, first + window - 1), window, degree)
        result[at - 1] = y[at - 1] if smooth is None else smooth
    return result


def fitted(y: Floats, weights: Floats, at: int, first: int, last: int, window: int, degree: int) -> float | None:
    """The weighted least-squares line through the values ``first`` to ``last`` (counted from 1), read off at ``at``."""
    count, x = len(y), np.arange(first, last + 1, dtype=np.float64)
    reach = max(at - first, last - at) + max(0, window - count) // 2
    distance = np.abs(x - at)
    tricube = np.where(distance <= 0.999 * reach, (1 - np.minimum(distance / reach, 1) ** 3) ** 3, 0.0)
    w = np.where(distance <= 0.001 * reach, 1.0, tricube) * weights[first - 1 : last]
    if w.sum() <= 0:
        return None
    centre = np.average(x, weights=w)
    if degree == 0 or np.sqrt(np.average((x - centre) ** 2, weights=w)) <= 0.001 * (count - 1):
        return float(np.average(y[first - 1 : last], weights=w))
    root = np.sqrt(w)
    design = np.column_stack([np.ones_like(x), x - at]) * root[:, None]
    return float(np.linalg.lstsq(design, y[first - 1 : last] * root, rcond=None)[0][0])


def robustness(residual: Floats, read: Bools) -> Floats:
    away = np.abs(residual)
    reach = 6 * np.median(away[read])
    if reach == 0:
        return np.ones(len(away))
    share = away / reach
    return np.where(share <= 0.001, 1.0, np.where(share <= 0.999, (1 - np.minimum(share, 1) ** 2) ** 2, 0.0))
