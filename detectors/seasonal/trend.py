"""Slow drift: the mean of the last hours beside that of the last week, in units of how far apart they usually are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.seasonal.recipe import Recipe
from detectors.seasonal.running import Mean, Scale, weight

_FAR = 6.0


@dataclass
class Trend:
    """Two means of what the season leaves, their usual distance, and for how long it has been unusual."""

    long: Mean
    short: Mean
    usual: Scale
    unusual_s: Floats

    @classmethod
    def none(cls, series: int) -> Trend:
        return cls(Mean.none(series), Mean.none(series), Scale.none(series), np.zeros(series))

    def follow(self, bare: Floats, spread: Floats, training: Bools, width_s: float, recipe: Recipe) -> Floats:
        """The distance before each row ``[R, S]``, NaN until the long mean is one; takes in the rows.

        ``bare[R, S]`` without season · ``spread[S]`` the usual error: a reading moves the short mean by at most
        ``recipe.trend_clip`` of them, and the long one by a few times that, so one spike is no drift.
        """
        readings = max(recipe.trend_long_s / width_s, recipe.slow_readings)
        is_old = self.usual.errors >= readings
        limit = recipe.trend_clip * spread
        center, far = self.long.value, np.where(np.isfinite(limit), _FAR * limit, np.inf)
        within = np.where(np.isfinite(center), np.clip(bare, center - far, center + far), bare)
        long = self.long.follow(within, training & np.isfinite(bare), weight(readings))
        apart = np.clip(bare - long, -limit, limit)
        present = training & np.isfinite(apart) & np.isfinite(limit)
        short = self.short.follow(apart, present, weight(max(recipe.trend_short_s / width_s, 3.0)))
        paces = max(recipe.scale_s / width_s, recipe.scale_readings)
        usual = self.usual.follow(np.where(present, short, np.nan), recipe.scale_clip, weight(paces))
        measurable = is_old & (usual > 0)
        found: Floats = np.divide(np.abs(short), usual, out=np.full(bare.shape, np.nan), where=measurable)
        return found

    def lasted(self, unusual: Bools, block_s: float, accepted_s: float) -> None:
        """Takes in whether a block was ``unusual[S]``; what was for ``accepted_s`` is the new level."""
        self.unusual_s = np.where(unusual, self.unusual_s + block_s, 0.0)
        accepted = self.unusual_s >= accepted_s
        self.long.total = np.where(accepted, self.long.total + self.short.value * self.long.count, self.long.total)
        self.short.total = np.where(accepted, 0.0, self.short.total)
        self.unusual_s = np.where(accepted, 0.0, self.unusual_s)
