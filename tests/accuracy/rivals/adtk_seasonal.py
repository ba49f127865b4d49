"""SeasonalAD of ADTK."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from detectors.contract import Floats
from tests.accuracy.contender import NotAvailable
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, season_of

_LEARNED_CYCLES, _FIRST_CYCLES = 8, 4


class AdtkSeasonal(Rival):
    name = "adtk_seasonal"
    about = (
        "ADTK SeasonalAD (classical decomposition, interquartile range, c = 3) refitted once a season on the eight "
        "before; says yes or no"
    )
    threshold = 1.0
    library = "adtk"
    most = MappingProxyType(
        {"kpi": 4, "plain_hourly": 0, "plain_daily": 0}
    )  # about a minute for each series of minutes

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        detector = self.module("adtk.detector").SeasonalAD
        period = season_of(step_s)
        # ADTK wants an even index: readings count as one step apart, as they do for every rival here.
        index = pd.to_datetime(int(times_s[0]) + np.arange(len(values)) * step_s, unit="s")
        readings = pd.Series(values, index=index)
        found = np.zeros(len(values))
        for start in range(_FIRST_CYCLES * period, len(values), period):
            model = detector(freq=period, side="both", c=3.0, trend=False)
            try:
                model.fit(readings.iloc[max(0, start - _LEARNED_CYCLES * period) : start])
                answer = model.predict(readings.iloc[start - period : start + period])
            except (ValueError, RuntimeError):
                continue  # "series does not follow any known pattern": it refuses what has no clear season
            found[start : start + period] = answer.to_numpy(dtype=np.float64)[period:]
        return found


class AdtkPersist(Rival):
    name = "adtk_persist"
    about = "ADTK PersistAD, its defaults; says yes or no"
    threshold = 1.0
    library = "adtk"

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        detector = self.module("adtk.detector").PersistAD
        index = pd.to_datetime(int(times_s[0]) + np.arange(len(values)) * step_s, unit="s")
        try:
            answer = detector().fit_detect(pd.Series(values, index=index))
        except TypeError as exc:
            raise NotAvailable(f"ADTK's PersistAD fails on pandas {pd.__version__}: {exc}") from exc
        return np.asarray(answer, dtype=np.float64)
