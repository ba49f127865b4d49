"""STL without weights: one fixed linear operator, as composed filters or, for short lengths, as one dense matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats
from detectors.stl import filters
from detectors.stl.filters import Smoother
from detectors.stl.loess import extended, grid
from detectors.stl.recipe import Recipe


@dataclass(frozen=True)
class Composed:
    """The smoothers of one recipe."""

    recipe: Recipe
    seasonal: tuple[Smoother, ...]
    low_pass: Smoother
    trend: Smoother

    @classmethod
    def of(cls, recipe: Recipe) -> Composed:
        cycles = filters.phase_lengths(recipe.length, recipe.period)
        grids = [extended(grid(count, recipe.seasonal, recipe.seasonal_jump)) for count in cycles]
        return cls(
            recipe,
            tuple(Smoother.on(each, recipe.seasonal_deg) for each in grids),
            Smoother.on(grid(recipe.length, recipe.low_pass, recipe.low_pass_jump), recipe.low_pass_deg),
            Smoother.on(grid(recipe.length, recipe.trend, recipe.trend_jump), recipe.trend_deg),
        )

    def apply(self, values: Floats) -> tuple[Floats, Floats]:
        """Trend and season ``[n, S]`` of ``values[n, S]``."""
        season = self._season(values)
        trend = self.trend.apply(values - season)
        for _ in range(self.recipe.inner_iter - 1):
            season = self._season(values - trend)
            trend = self.trend.apply(values - season)
        return trend, season

    def adjoint(self, trend: Floats, season: Floats) -> Floats:
        """What the values contribute to weighted sums of trend and season: the transposed operator on ``[n, k]``."""
        result = np.zeros_like(trend)
        for _ in range(self.recipe.inner_iter):
            through_trend = self.trend.adjoint(trend)
            through_season = self._season_adjoint(season - through_trend)
            result += through_trend + through_season
            trend, season = -through_season, np.zeros_like(season)
        return result

    def _season(self, detrended: Floats) -> Floats:
        period, series = self.recipe.period, detrended.shape[1]
        parts = filters.phases(detrended, period)
        smooth = [smoother.apply(part) for smoother, part in zip(self.seasonal, parts, strict=True)]
        return without_level(filters.woven(smooth, period, series), self.recipe, self.low_pass)

    def _season_adjoint(self, season: Floats) -> Floats:
        period, series = self.recipe.period, season.shape[1]
        cycles = -filters.low_pass_adjoint(self.low_pass.adjoint(season), period)
        cycles[period : period + self.recipe.length] += season
        parts = filters.phases(cycles, period)
        rough = [smoother.adjoint(part) for smoother, part in zip(self.seasonal, parts, strict=True)]
        return filters.woven(rough, period, series)

    @property
    def size_bytes(self) -> int:
        return sum(smoother.size_bytes for smoother in (*self.seasonal, self.low_pass, self.trend))


def without_level(cycles: Floats, recipe: Recipe, smoother: Smoother) -> Floats:
    """Smoothed cycles ``[n + 2 × period, S]`` less their own level: the season ``[n, S]``."""
    level = smoother.apply(filters.low_pass(cycles, recipe.period))
    return np.subtract(cycles[recipe.period : recipe.period + recipe.length], level, out=level)
