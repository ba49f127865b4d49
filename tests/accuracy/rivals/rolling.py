"""Rolling windows: distance from the recent mean, or from the same time one week ago, in units of the recent spread."""

from __future__ import annotations

import numpy as np
import pandas as pd

from detectors.contract import Floats
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, season_of, week_of


class RollingZ(Rival):
    name = "rolling_z"
    about = "distance from the mean of the week before (at most 2,016 readings), in standard deviations; alert at 3"
    threshold = 3.0

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        return z_scores(values, week_of(step_s))


class RecentZ(Rival):
    name = "z_500"
    about = "distance from the mean of the 500 readings before, in standard deviations; alert at 3"
    threshold = 3.0

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        return z_scores(values, 500)


class WeekOverWeek(Rival):
    name = "week_over_week_mad"
    about = (
        "difference from the same time a week ago (a day ago in series under three weeks), modified z by the median of "
        "the week's differences; alert at 3.5"
    )
    threshold = 3.5

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        lag = max(1, round(7 * 86400 / step_s))
        if lag > len(values) // 3:
            lag = season_of(step_s)
        change = pd.Series(values).diff(lag).abs()
        usual = change.shift(1).rolling(week_of(step_s), min_periods=20).median()
        return (0.6745 * change / usual.where(usual > 0)).to_numpy()


def z_scores(values: Floats, window: int) -> Floats:
    """NaN while fewer than 20 readings are known, or all are equal."""
    before = pd.Series(values).shift(1).rolling(window, min_periods=20)
    spread = before.std()
    found: Floats = ((pd.Series(values) - before.mean()).abs() / spread.where(spread > 0)).to_numpy(dtype=np.float64)
    return found
