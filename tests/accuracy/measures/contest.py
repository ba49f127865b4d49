"""The F1 of the AIOps contest: points adjusted by labelled run, with a limit on the delay.

A run of labelled readings is found whole (all its readings are true positives) when one of its first ``delay + 1``
readings is flagged, else it is missed whole. Flagged readings outside are false positives. Counts are pooled over all
series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from tests.accuracy.labelled import Series

DELAY = 7


@dataclass(frozen=True)
class F1:
    f1: float
    precision: float
    recall: float
    threshold: float


def contest_f1(pairs: Sequence[tuple[Series, Floats]], delay: int = DELAY) -> F1:
    """The F1 at the one threshold, for all series, at which it is best (0 when nothing is labelled or found)."""
    reach, length, outside = _adjusted(pairs, delay)
    levels = np.unique(reach[np.isfinite(reach)])
    if not levels.size:
        return F1(0.0, 0.0, 0.0, np.inf)
    order = np.argsort(reach)
    from_here = np.append(np.cumsum(length[order][::-1])[::-1], 0.0)
    hits = from_here[np.searchsorted(reach[order], levels)]
    false = outside.size - np.searchsorted(np.sort(outside), levels)
    scores = 2 * hits / (hits + false + length.sum())
    best = int(np.argmax(scores))
    return F1(
        f1=float(scores[best]),
        precision=float(hits[best] / (hits[best] + false[best])),
        recall=float(hits[best] / length.sum()),
        threshold=float(levels[best]),
    )


def runs(flags: Bools) -> list[tuple[int, int]]:
    """First and last index of each run of True.

    >>> runs(np.array([True, False, True, True]))
    [(0, 0), (2, 3)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _adjusted(pairs: Sequence[tuple[Series, Floats]], delay: int) -> tuple[Floats, Floats, Floats]:
    """For each labelled run the highest score within the delay and its length; the scores outside all runs."""
    reach, length, outside = [], [], [np.empty(0)]
    for series, score in pairs:
        known = np.where(np.isnan(score), -np.inf, score)
        label, live = series.label, series.live
        for first, last in runs(label & live):
            reach.append(float(known[first : min(last, first + delay) + 1].max()))
            length.append(float(last - first + 1))
        outside.append(known[~label & live])
    return np.array(reach), np.array(length), np.concatenate(outside)
