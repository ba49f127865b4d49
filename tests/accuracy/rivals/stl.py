"""The textbook: STL, and the residual in median absolute deviations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, season_of

_CYCLES, _MOST_READINGS = 8, 4032


class StlMad(Rival):
    name = "stl_mad"
    about = (
        "statsmodels STL over the eight seasons before (at most 4,032 readings), jumps as in R, refitted once a season "
        "and carried forward; modified z of the residual; alert at 3.5"
    )
    threshold = 3.5
    library = "statsmodels"

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        period = season_of(step_s)
        window = max(min(_CYCLES * period, _MOST_READINGS), 2 * period + 1)
        found = np.zeros(len(values))
        for start in range(2 * period + 1, len(values), period):
            fit = _fitted(values[max(0, start - window) : start], period)
            ahead = values[start : start + period]
            found[start : start + period] = np.abs(ahead - fit.forecast(len(ahead))) / fit.spread
        return found


@dataclass(frozen=True)
class _Fit:
    """``season`` of the last cycle · ``spread`` infinite where the residual does not vary."""

    season: Floats
    trend: float
    spread: float

    def forecast(self, steps: int) -> Floats:
        found: Floats = self.trend + self.season[np.arange(steps) % len(self.season)]
        return found


def _fitted(values: Floats, period: int) -> _Fit:
    from statsmodels.tsa.seasonal import STL

    plain = STL(values, period=period)
    trend_jump, low_pass_jump = (-(-plain.config[name] // 10) for name in ("trend", "low_pass"))
    fit = STL(values, period=period, trend_jump=trend_jump, low_pass_jump=low_pass_jump).fit()
    residual = np.asarray(fit.resid)
    spread = float(np.median(np.abs(residual - np.median(residual)))) / 0.6745
    season = np.asarray(fit.seasonal)[-period:]
    return _Fit(season, float(np.asarray(fit.trend)[-1]), spread if spread > 0 else np.inf)
