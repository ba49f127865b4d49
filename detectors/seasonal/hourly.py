"""How much larger errors usually are at one hour of the day than at another: nights are calmer than middays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.seasonal.calendar import Places
from detectors.seasonal.recipe import Recipe

HOURS = 24
_DAY_S = 86_400.0


@dataclass
class Hourly:
    """Sums of clipped distances and how many there were, by hour of the local day: ``total``, ``count[24, S]``."""

    total: Floats
    count: Floats

    @classmethod
    def none(cls, series: int) -> Hourly:
        return cls(np.zeros((HOURS, series)), np.zeros((HOURS, series)))

    def follow(self, sizes: Floats, present: Bools, hours: Places, width_s: float, recipe: Recipe) -> Floats:
        """The usual size at the hour of each row ÷ the usual size, ``[R, S]``, as known before them; takes in the rows.

        An hour starts as any other, worth ``recipe.hourly_days`` of readings; 1 while nothing is known.
        """
        count, total = self.count.sum(axis=0), self.total.sum(axis=0)
        usual = np.where(count > 0, total, 1.0) / np.maximum(count, 1.0)
        start = recipe.hourly_days * 3600.0 / width_s
        ratio = (self.total + start * usual) / ((self.count + start) * np.where(usual > 0, usual, 1.0))
        found = np.where(usual > 0, ratio, 1.0)[hours]
        kept = 2.0 ** (-len(sizes) * width_s / recipe.scale_s)
        self.total, self.count = self.total * kept, self.count * kept
        np.add.at(self.total, hours, np.where(present, np.minimum(sizes, recipe.scale_clip), 0.0))
        np.add.at(self.count, hours, present.astype(np.float64))
        return found
