"""Prophet and its interval."""

from __future__ import annotations

import logging
from types import MappingProxyType

import numpy as np
import pandas as pd

from detectors.contract import Floats
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, season_of


class ProphetInterval(Rival):
    name = "prophet"
    about = (
        "Prophet refitted once a week on 2,000 readings (daily data: once in four weeks on 730), error over half its "
        "99 % interval; alert at 1"
    )
    threshold = 1.0
    library = "prophet"
    most = MappingProxyType({"plain_hourly": 0, "plain_daily": 0})

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        for name in ("prophet", "prophet.plot", "cmdstanpy"):
            logging.getLogger(name).disabled = True  # they speak at every fit, through the progress bar
        prophet = self.module("prophet").Prophet
        daily = step_s >= 43200
        every = max(1, (4 if daily else 1) * 7 * 86400 // step_s)
        learned = 730 if daily else 2000
        moments = pd.to_datetime(times_s, unit="s")
        found = np.zeros(len(values))
        for start in range(max(2 * season_of(step_s), 60), len(values), every):
            before, ahead = slice(max(0, start - learned), start), slice(start, start + every)
            model = prophet(interval_width=0.99, uncertainty_samples=300)
            np.random.seed(0)  # Prophet draws its interval from numpy's global generator
            model.fit(pd.DataFrame({"ds": moments[before], "y": values[before]}))
            answer = model.predict(pd.DataFrame({"ds": moments[ahead]}))
            half = (answer["yhat_upper"] - answer["yhat_lower"]).to_numpy() / 2
            found[ahead] = np.abs(values[ahead] - answer["yhat"].to_numpy()) / np.maximum(half, 1e-12)
        return found
