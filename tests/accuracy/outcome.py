"""What a detector said of one series, reading by reading, and what an on-call person would have been told of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.contract import Bools, Floats
from tests.accuracy.labelled import Series


@dataclass(frozen=True)
class Outcome:
    """``score[N]`` higher is worse, −inf where the detector does not know · ``alert[N]`` anomalous at its usual
    setting · ``expected``, ``lower``, ``upper`` NaN where it has none."""

    score: Floats
    alert: Bools
    expected: Floats
    lower: Floats
    upper: Floats
    took_s: float = 0.0

    @classmethod
    def of(cls, score: Floats, alert: Bools) -> Outcome:
        """The outcome of a detector without a band."""
        none = np.full(len(score), np.nan)
        return cls(np.where(np.isnan(score), -np.inf, score), alert, none, none, none)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez_compressed(
                stream,
                score=self.score,
                alert=self.alert,
                band=np.stack([self.expected, self.lower, self.upper]).astype(np.float32),
                took_s=self.took_s,
            )
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Outcome:
        with np.load(path) as kept:
            expected, lower, upper = kept["band"].astype(np.float64)
            return cls(kept["score"], kept["alert"], expected, lower, upper, float(kept["took_s"]))


Pairs = list[tuple[Series, Outcome]]


def pages(alert: Bools, step_s: int) -> list[int]:
    """Where a page would be sent: an alert after max(24 hours, 3 buckets) without one."""
    quiet = max(86400 / step_s, 3)
    places = np.flatnonzero(alert)
    if not places.size:
        return []
    first = np.concatenate(([True], np.diff(places) > quiet))
    return [int(place) for place in places[first]]


def onsets(score: Floats, hold: int) -> Floats:
    """The score where it exceeds all of the ``hold`` readings before, else 0.

    One alert for each burst whatever the threshold: the first crossing survives, the readings that carry on do not.
    """
    level = np.nan_to_num(score, nan=0.0, neginf=0.0)
    kept = np.zeros(len(level))
    falling: deque[int] = deque()
    for place, now in enumerate(level.tolist()):
        while falling and falling[0] < place - hold:
            falling.popleft()
        if not falling or now > level[falling[0]]:
            kept[place] = now
        while falling and level[falling[-1]] <= now:
            falling.pop()
        falling.append(place)
    return kept


def paged_score(series: Series, outcome: Outcome) -> Floats:
    """The score at the moments when an alert would be sent: what NAB's measure, which counts every point, is given."""
    known = outcome.score[np.isfinite(outcome.score)]
    lowest = float(known.min()) if known.size else 0.0
    above = np.where(np.isfinite(outcome.score), outcome.score - lowest, 0.0)
    return onsets(np.maximum(above, 0.0), max(12, int(86400 / series.step_s)))
