"""What lasts stays anomalous: an incident is judged against the level before it, until that is back or accepted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats
from detectors.seasonal.learner import Outlook
from detectors.seasonal.rarity import corrected, surprise
from detectors.seasonal.recipe import Recipe

_ACCEPTED_S = 2 * 86_400.0
_ACCEPTED_BUCKETS = 6, 48


def accepted_s(width_s: float) -> float:
    """When a new level is normal: after two days, but no sooner and no later than after so many buckets."""
    return float(np.clip(_ACCEPTED_S, _ACCEPTED_BUCKETS[0] * width_s, _ACCEPTED_BUCKETS[1] * width_s))


@dataclass(frozen=True)
class Held:
    """``score[R, S]`` of the readings with what lasts in it, and of their ``drift``; ``level[R, S]`` of the time before
    the incident, NaN outside one."""

    score: Floats
    drift: Floats
    level: Floats


@dataclass
class Hold:
    """``level[S]`` before the incident, ``left_s[S]`` until the new one is accepted (0: no incident), and the
    ``profile[S]`` whose seasons the level goes with."""

    level: Floats
    left_s: Floats
    profile: Floats

    @classmethod
    def none(cls, series: int) -> Hold:
        return cls(np.zeros(series), np.zeros(series), np.zeros(series))

    def follow(self, values: Floats, outlook: Outlook, budget: float, width_s: float, recipe: Recipe) -> Held:
        """Judges the rows of a block ``[R, S]`` again where an incident goes on; takes in the rows.

        The fast level follows an incident at once: without this a drop would be over in its second bucket, and the
        recovery would be the next incident. What only goes on scores ``recipe.lasting`` at most: nothing new happens.
        """
        score = 1.0 + outlook.surprise + np.log10(budget)
        level = np.full(score.shape, np.nan)
        with np.errstate(invalid="ignore"):
            begun = score > 1.0
        for series in np.flatnonzero((self.left_s > 0) | begun.any(axis=0)):
            self._one(int(series), values, outlook, np.log10(budget), width_s, recipe, score, level)
        return Held(score, 1.0 + outlook.drift + np.log10(budget), level)

    def _one(
        self,
        series: int,
        values: Floats,
        outlook: Outlook,
        log_budget: float,
        width_s: float,
        recipe: Recipe,
        score: Floats,
        level: Floats,
    ) -> None:
        row, rows = 0, len(score)
        if self.profile[series] != outlook.choice[series]:
            self.left_s[series] = 0.0
        while row < rows:
            if self.left_s[series] <= 0:
                anomalous = np.flatnonzero(score[row:, series] > 1.0)
                if not len(anomalous):
                    return
                row += int(anomalous[0])
                self.level[series] = outlook.expected[row, series] - outlook.season[row, series]
                self.left_s[series] = accepted_s(width_s)
                self.profile[series] = outlook.choice[series]
                row += 1
                continue
            count = min(rows - row, int(np.ceil(self.left_s[series] / width_s)))
            part = slice(row, row + count)
            lasting = self._lasting(series, values[part], outlook, part, log_budget, recipe)
            back = np.flatnonzero(lasting <= 1.0)
            count = int(back[0]) + 1 if len(back) else count
            part = slice(row, row + count)
            capped = np.maximum(score[part, series], np.minimum(lasting[:count], recipe.lasting))
            known = np.isfinite(lasting[:count])
            kept = np.where(lasting[:count] <= 1.0, lasting[:count], capped)
            score[part, series] = np.where(known, kept, score[part, series])
            level[part, series] = self.level[series]
            self.left_s[series] = 0.0 if len(back) else self.left_s[series] - count * width_s
            row += count

    def _lasting(
        self, series: int, values: Floats, outlook: Outlook, part: slice, log_budget: float, recipe: Recipe
    ) -> Floats:
        """The scores of rows against the level before the incident; NaN where nothing is known."""
        column = slice(series, series + 1)
        error = values[:, column] - self.level[series] - outlook.season[part, column]
        below, above = outlook.below[part, column], outlook.above[part, column]
        beyond = np.where(error > 0, np.maximum(error - above, 0.0), np.maximum(below - error, 0.0))
        distance = beyond / outlook.spread[part, column]
        known = np.isfinite(distance) & np.isfinite(outlook.surprise[part, column])
        rare = surprise(np.where(known, distance, 0.0), outlook.rates[:, column])
        rare = corrected(rare, outlook.correction[column], recipe)
        found: Floats = np.where(known, 1.0 + rare + log_budget, np.nan)[:, 0]
        return found
