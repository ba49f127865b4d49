"""Half-space trees of river."""

from __future__ import annotations

import numpy as np

from detectors.contract import Floats
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival

_WINDOW = 250


class HalfSpaceTrees(Rival):
    """Source: S. C. Tan et al. (2011), Fast Anomaly Detection for Streaming Data, IJCAI."""

    name = "half_space_trees"
    about = "river HalfSpaceTrees, its defaults (25 trees, height 15, window 250), min-max scaled; alert at 0.95"
    threshold = 0.95
    library = "river"

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        scaler = self.module("river.preprocessing").MinMaxScaler()
        trees = self.module("river.anomaly").HalfSpaceTrees(seed=42)
        found = np.zeros(len(values))
        for place, value in enumerate(values.tolist()):
            scaler.learn_one({"value": value})
            scaled = scaler.transform_one({"value": value})
            found[place] = trees.score_one(scaled)
            trees.learn_one(scaled)
        found[:_WINDOW] = 0.0
        return found
