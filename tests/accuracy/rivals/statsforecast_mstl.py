"""MSTL of statsforecast: named here because people ask for it, and told in the table why it does not run."""

from __future__ import annotations

import numpy as np

from detectors.contract import Floats
from tests.accuracy.contender import NotAvailable
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, season_of


class StatsforecastMstl(Rival):
    name = "statsforecast_mstl"
    about = "statsforecast MSTL with AutoETS refitted once a season, error over half its 99 % interval; alert at 1"
    threshold = 1.0
    library = "statsforecast"

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        try:
            models = self.module("statsforecast.models")
        except NotAvailable as exc:
            raise NotAvailable("statsforecast 2.1 and later need pandas < 3, 2.0 needs an older scipy") from exc
        day = season_of(step_s)
        periods = [day] if step_s >= 43200 else [day, 7 * day]
        found = np.zeros(len(values))
        for start in range(2 * periods[-1] + 2, len(values), day):
            ahead = values[start : start + day]
            model = models.MSTL(season_length=periods, trend_forecaster=models.AutoETS(model="ZZN"))
            answer = model.fit(values[max(0, start - 8 * periods[-1]) : start]).predict(h=len(ahead), level=[99])
            half = (np.asarray(answer["hi-99"]) - np.asarray(answer["lo-99"])) / 2
            found[start : start + day] = np.abs(ahead - np.asarray(answer["mean"])) / np.maximum(half, 1e-12)
        return found
