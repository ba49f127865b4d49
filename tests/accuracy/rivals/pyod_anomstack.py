"""PyOD in the way of Anomstack's default job."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from detectors.contract import Floats
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, season_of

_FIRST_FIT, _MOST_READINGS, _LAGS, _SMOOTHED = 100, 2500, 5, 3


class PyodPcaKnn(Rival):
    name = "pyod_pca_knn"
    about = (
        "as Anomstack: first difference, mean of 3, 5 lags; mean of the probabilities of PyOD PCA and KNN fitted on up "
        "to 2,500 readings once a season, smoothed over 3; alert at 0.8"
    )
    threshold = 0.8
    library = "pyod"
    most = MappingProxyType({"plain_hourly": 0, "plain_daily": 0})

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        kinds = (self.module("pyod.models.pca").PCA, self.module("pyod.models.knn").KNN)
        steps = pd.Series(values).diff().rolling(_SMOOTHED).mean()
        features = pd.concat([steps.shift(lag) for lag in range(_LAGS + 1)], axis=1).to_numpy()
        blank = _SMOOTHED + _LAGS
        every = max(24, season_of(step_s))
        found = np.zeros(len(values))
        for start in range(_FIRST_FIT, len(values), every):
            taught = features[max(blank, start - _MOST_READINGS) : start]
            asked = features[start : start + every]
            votes = [vote for kind in kinds if (vote := _probability(kind, taught, asked)) is not None]
            if votes:
                found[start : start + every] = np.mean(votes, axis=0)
        return pd.Series(found).rolling(_SMOOTHED, min_periods=1).mean().to_numpy()


def _probability(kind: type, taught: Floats, asked: Floats) -> Floats | None:
    """None where the model refuses to learn, as PCA does from constant readings."""
    model = kind(contamination=0.01)
    try:
        model.fit(taught)
        found: Floats = model.predict_proba(asked)[:, 1]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return None
    return found
