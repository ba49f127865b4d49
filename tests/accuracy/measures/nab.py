"""The score of the Numenta Anomaly Benchmark, from its formulas (arXiv:1510.03336).

σ(y) = 2 / (1 + e^{5y}) − 1, and −1 beyond y = 3. A detection inside a window earns σ(y) / σ(−1), y from −1 at its
first reading towards 0 at its last; only the best of a window counts, and a window without one costs the weight of a
miss. A detection outside earns σ(y), y measured from the end of the window before in lengths of that window (before
the first window: −1), times the weight of a false alarm. The sum over the corpus is scaled so that silence is 0 and
perfection 100; one threshold serves the corpus, the best one, as in the original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats
from tests.accuracy.labelled import Series


@dataclass(frozen=True)
class Profile:
    name: str
    missed: float
    false: float


PROFILES = (Profile("standard", 1.0, 0.11), Profile("low FP", 1.0, 0.22), Profile("low FN", 2.0, 0.11))


def nab(pairs: Sequence[tuple[Series, Floats]], profile: Profile) -> float:
    """The score at the best threshold; NaN when nothing is labelled."""
    corpus = _corpus(pairs)
    if not corpus.windows:
        return np.nan
    levels = np.unique(np.concatenate([corpus.outside_score, *(score for score, _ in corpus.windows)]))
    levels = levels[np.isfinite(levels)]
    silent = -profile.missed * len(corpus.windows)
    best = max(float(np.max(corpus.totals(levels, profile), initial=silent)), silent)
    return 100 * (best - silent) / (len(corpus.windows) - silent)


def sigma(y: Floats) -> Floats:
    found: Floats = np.where(y > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(y, 3))) - 1)
    return found


def worth(length: int, windows: Sequence[tuple[int, int]]) -> Floats:
    """What a detection at each reading earns, before weights; windows in ascending order."""
    value = np.full(length, -1.0)
    top = float(sigma(np.array([-1.0]))[0])
    ends = [*(first for first, _ in windows), length][1:]
    for (first, last), end in zip(windows, ends, strict=True):
        width = last - first + 1
        inside, after = np.arange(first, last + 1), np.arange(last + 1, end)
        value[inside] = sigma((inside - last - 1) / width) / top
        value[after] = sigma((after - last) / max(width - 1, 1))
    return value


@dataclass(frozen=True)
class _Corpus:
    """Scores and worths of all readings outside windows; of each window apart."""

    outside_score: Floats
    outside_worth: Floats
    windows: list[tuple[Floats, Floats]]

    def totals(self, levels: Floats, profile: Profile) -> Floats:
        """The corpus' sum when all scores ≥ each level are detections."""
        falling = np.argsort(-self.outside_score, kind="stable")
        sums = np.concatenate(([0.0], np.cumsum(self.outside_worth[falling])))
        total: Floats = profile.false * sums[np.searchsorted(-self.outside_score[falling], -levels, side="right")]
        for score, value in self.windows:
            order = np.argsort(-score, kind="stable")
            best = np.concatenate(([-profile.missed], np.maximum.accumulate(value[order])))
            total = total + best[np.searchsorted(-score[order], -levels, side="right")]
        return total


def _corpus(pairs: Sequence[tuple[Series, Floats]]) -> _Corpus:
    outside_score, outside_worth, windows = [np.empty(0)], [np.empty(0)], []
    for series, score in pairs:
        known = np.where(np.isnan(score), -np.inf, score)
        value = worth(len(series), sorted(series.windows))
        outside = ~series.label & series.live
        outside_score.append(known[outside])
        outside_worth.append(value[outside])
        for first, last in series.windows:
            if last < series.warmup:
                continue
            counted = np.arange(max(first, series.warmup), last + 1)
            windows.append((known[counted], value[counted]))
    return _Corpus(np.concatenate(outside_score), np.concatenate(outside_worth), windows)
