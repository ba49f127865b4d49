"""What knows nothing: the figures it reaches are those a measure gives away."""

from __future__ import annotations

import hashlib
import inspect
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from tests.accuracy.labelled import Series
from tests.accuracy.outcome import Outcome


@dataclass(frozen=True)
class Random:
    """Scores drawn evenly from 0 to 1, whatever the readings are; missing ones have none. The name seeds them."""

    name: str = "random"
    about: str = (
        "a control, no rival: each score is drawn evenly from 0 to 1, seeded by the series' name; alert at 0.999"
    )
    threshold: float = 0.999
    most: Mapping[str, int] = field(default_factory=dict)

    def judge(self, series: Series) -> Outcome:
        began = time.perf_counter()
        drawn = np.random.default_rng(list(series.name.encode())).random(len(series))
        score = np.where(np.isfinite(series.values), drawn, -np.inf)
        return replace(Outcome.of(score, score >= self.threshold), took_s=time.perf_counter() - began)

    def digest(self) -> str:
        code = inspect.getsource(sys.modules[__name__])
        return hashlib.sha256(f"{code} {self.threshold} {np.__version__}".encode()).hexdigest()
