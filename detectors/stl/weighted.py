"""STL where every reading has a weight of its own: robust fits, and readings that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.stl import filters
from detectors.stl.filters import Smoother, WeightedSmoother
from detectors.stl.linear import Composed, without_level
from detectors.stl.loess import Line, extended, grid
from detectors.stl.recipe import Recipe

_FULL, _NONE = 0.001, 0.999  # of six median residuals: nearer counts fully, farther not at all


@dataclass(frozen=True)
class Weighted:
    """The smoothers of one recipe, for weights that differ from series to series."""

    recipe: Recipe
    seasonal: tuple[WeightedSmoother, ...]
    low_pass: Smoother
    trend: WeightedSmoother

    @classmethod
    def of(cls, recipe: Recipe) -> Weighted:
        cycles = filters.phase_lengths(recipe.length, recipe.period)
        grids = [extended(grid(count, recipe.seasonal, recipe.seasonal_jump)) for count in cycles]
        return cls(
            recipe,
            tuple(WeightedSmoother.on(each, recipe.seasonal_deg) for each in grids),
            Smoother.on(grid(recipe.length, recipe.low_pass, recipe.low_pass_jump), recipe.low_pass_deg),
            WeightedSmoother.on(grid(recipe.length, recipe.trend, recipe.trend_jump), recipe.trend_deg),
        )

    def apply(self, values: Floats, missing: Bools | None, plain: Composed) -> tuple[Floats, Floats, Floats]:
        """Trend, season and final weights ``[n, S]``.

        ``values[n, S]`` finite; where ``missing[n, S]`` they weigh nothing and serve only where nothing else is near.
        """
        weights = np.ones_like(values) if missing is None else np.where(missing, 0.0, 1.0)
        trend, season = plain.apply(values) if missing is None else self._fit(values, weights)
        for _ in range(self.recipe.outer_iter):
            weights = bisquare(values - trend - season, missing)
            trend, season = self._fit(values, weights, trend)
        return trend, season, weights

    def _fit(self, values: Floats, weights: Floats, trend: Floats | None = None) -> tuple[Floats, Floats]:
        """The inner loop, from the trend of the last one; lines depend on the weights and are drawn once."""
        phased = filters.phases(weights, self.recipe.period)
        lines = [smoother.line(part) for smoother, part in zip(self.seasonal, phased, strict=True)]
        trend_line = self.trend.line(weights)
        trend = np.zeros_like(values) if trend is None else trend
        for _ in range(self.recipe.inner_iter):
            season = self._season(values - trend, phased, lines)
            trend = self.trend.apply(trend_line, weights, values - season)
        return trend, season

    def _season(self, detrended: Floats, weights: Sequence[Floats], lines: Sequence[Line]) -> Floats:
        period = self.recipe.period
        parts = filters.phases(detrended, period)
        smooth = [
            smoother.apply(line, weight, part)
            for smoother, line, weight, part in zip(self.seasonal, lines, weights, parts, strict=True)
        ]
        return without_level(filters.woven(smooth, period, detrended.shape[1]), self.recipe, self.low_pass)

    @property
    def size_bytes(self) -> int:
        weighted = sum(smoother.size_bytes for smoother in (*self.seasonal, self.trend))
        return weighted + self.low_pass.size_bytes


def bisquare(residual: Floats, missing: Bools | None) -> Floats:
    """Robustness weights ``[n, S]``: 1 near zero, 0 beyond six median residuals, all 1 where that median is zero."""
    away = np.abs(residual)
    reach = 6 * (_medians(away) if missing is None else _medians_of_present(away, missing))
    with np.errstate(over="ignore"):  # one reading among residuals of 1e-300 is far away, however far
        share = away / np.where(reach == 0, 1.0, reach)
        weights = (1 - share * share) ** 2
    weights[share <= _FULL] = 1.0
    weights[share > _NONE] = 0.0
    weights[:, reach == 0] = 1.0
    if missing is not None:
        weights[missing] = 0.0
    return weights


def _medians(away: Floats) -> Floats:
    length = len(away)
    middle = (length - length // 2 - 1, length // 2)
    ordered = np.partition(np.ascontiguousarray(away.T), middle, axis=1)
    return np.asarray((ordered[:, middle[0]] + ordered[:, middle[1]]) / 2)


def _medians_of_present(away: Floats, missing: Bools) -> Floats:
    ordered = np.sort(np.where(missing, np.inf, away).T, axis=1)
    present = np.count_nonzero(~missing, axis=0)
    upper, series = present // 2, np.arange(len(present))
    return np.asarray((ordered[series, present - upper - 1] + ordered[series, upper]) / 2)
