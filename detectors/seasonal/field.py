"""All forecasters of a panel side by side, and which of them is believed for each series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.seasonal.calendar import Places
from detectors.seasonal.forecasters import Forecast, Season
from detectors.seasonal.recipe import Recipe
from detectors.seasonal.running import picked


@dataclass(frozen=True)
class Field:
    """All forecasters side by side: ``levels``, ``seen``, ``excess[F, R, S]``, ``spreads``, ``usual[F, S]``."""

    levels: Floats
    seen: Bools
    excess: Floats
    spreads: Floats
    usual: Floats
    is_slow: Bools
    profile: Places

    @classmethod
    def of(cls, told: list[list[Forecast]], recipe: Recipe) -> Field:
        everyone = [(k, one) for k, forecasts in enumerate(told) for one in forecasts]
        return cls(
            levels=np.stack([one.level for _, one in everyone]),
            seen=np.stack([one.seen for _, one in everyone]),
            excess=np.stack([one.excess for _, one in everyone]),
            spreads=np.stack([one.spread * (recipe.season_penalty if k else 1.0) for k, one in everyone]),
            usual=np.stack([one.usual * _handicap(k, one, recipe) for k, one in everyone]),
            is_slow=np.array([one.is_slow for _, one in everyone]),
            profile=np.array([k for k, _ in everyone], dtype=np.intp),
        )

    def best(self) -> Places:
        """For each series the forecaster whose errors are usually smallest."""
        found: Places = np.argmin(self.usual, axis=0)
        return found

    def best_slow(self) -> Places:
        """The same among those with the slow level: a level that follows at once hides which season is right."""
        found: Places = np.argmin(np.where(self.is_slow[:, None], self.usual, np.inf), axis=0)
        return np.where(np.isfinite(self.usual[found, np.arange(len(found))]), found, self._plain)

    def knows(self, choice: Places) -> Bools:
        """Where the forecaster chosen has an expectation; elsewhere the slow level without season speaks."""
        known: Bools = np.isfinite(picked(self.levels, choice)) & (picked(self.seen.astype(np.float64), choice) > 0)
        return known

    def distances(self, choice: Places) -> Floats:
        """Signed, in spreads ``[R, S]``; NaN while nothing says how far is far."""
        excess = np.where(self.knows(choice), picked(self.excess, choice), self.excess[self._plain])
        spread = self.spread(choice)
        measurable = (spread > 0) & np.isfinite(spread)
        found: Floats = np.divide(excess, spread, out=np.full(excess.shape, np.nan), where=measurable)
        return found

    def spread(self, choice: Places) -> Floats:
        found: Floats = self.spreads[choice, np.arange(len(choice))]
        return found

    def level(self, choice: Places) -> Floats:
        return np.where(self.knows(choice), picked(self.levels, choice), self.levels[self._plain])

    def season(self, choice: Places, seasons: list[Season]) -> Season:
        """That of the forecaster chosen; none where it does not know."""
        knows, profile = self.knows(choice), self.profile[choice]
        value, below, above = (
            np.where(knows, picked(np.stack([getattr(one, name) for one in seasons]), profile), 0.0)
            for name in ("value", "below", "above")
        )
        return Season(value, knows, below, above)

    @property
    def _plain(self) -> int:
        return int(np.flatnonzero(self.is_slow)[0])


def _handicap(profile: int, forecast: Forecast, recipe: Recipe) -> float:
    """How much smaller its usual error must be for a forecaster to be believed."""
    seasonal = recipe.season_penalty if profile else 1.0
    return seasonal * (recipe.slow_penalty if forecast.is_slow else 1.0)
