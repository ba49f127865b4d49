"""Judging many series of one step as one panel: what makes it quick to judge them again and again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import ANOMALY, Detector, Panel, Verdicts
from tests.accuracy.labelled import WEEK_S, Series
from tests.accuracy.ours import on_grid
from tests.accuracy.outcome import Outcome

_WEEK = np.timedelta64(WEEK_S, "s")
_MONDAY = np.datetime64("2020-01-06", "us")


@dataclass(frozen=True)
class _Column:
    """A series on its own grid, and how many buckets of the panel come before it."""

    panel: Panel
    places: NDArray[np.intp]
    skipped: int


def judged_together(detector: Detector, series: Sequence[Series]) -> list[Outcome]:
    """What ``ours.judged`` says of each series. All have one step; ``took_s`` is each one's share of the time.

    Series that are finer than a day move by whole weeks, so that they begin in the same week: each keeps its hours and
    weekdays, and the panel is not longer than the longest of them.
    """
    began = time.perf_counter()
    panel, columns = side_by_side(series)
    verdicts = detector.judge(panel, since=panel.times[0])
    took_s = (time.perf_counter() - began) / len(series)
    return [_outcome(verdicts, place, column, took_s) for place, column in enumerate(columns)]


def side_by_side(series: Sequence[Series]) -> tuple[Panel, list[_Column]]:
    grids = [on_grid(one) for one in series]
    if len({panel.bucket for panel, _ in grids}) != 1:
        raise ValueError("series of different steps are no panel")
    bucket, step = grids[0][0].bucket, np.timedelta64(series[0].step_s, "s").astype("timedelta64[us]")
    begins = [_moved(panel.times[0], may_move=series[0].step_s < 86_400) for panel, _ in grids]
    first = min(begins)
    skips = [int((begin - first) // step) for begin in begins]
    rows = max(skip + len(panel.times) for skip, (panel, _) in zip(skips, grids, strict=True))
    values = np.full((rows, len(series)), np.nan)
    for place, (skip, (panel, _)) in enumerate(zip(skips, grids, strict=True)):
        values[skip : skip + len(panel.times), place] = panel.values[:, 0]
    labels = tuple({"series": one.key} for one in series)
    times = first + step * np.arange(rows)
    columns = [_Column(panel, places, skip) for skip, (panel, places) in zip(skips, grids, strict=True)]
    return Panel(times, values, labels, bucket, "UTC"), columns


def _moved(begin: np.datetime64, may_move: bool) -> np.datetime64:
    return _MONDAY + (begin - _MONDAY) % _WEEK if may_move else begin


def _outcome(verdicts: Verdicts, place: int, column: _Column, took_s: float) -> Outcome:
    rows = column.places + column.skipped
    # Of several readings in one bucket the last is judged, as in ``ours.judged``.
    superseded = np.append(column.places[1:] == column.places[:-1], False)
    score = verdicts.score[rows, place]
    return Outcome(
        score=np.where(np.isnan(score) | superseded, -np.inf, score),
        alert=np.asarray(verdicts.status[rows, place] == ANOMALY) & ~superseded,
        expected=verdicts.expected[rows, place],
        lower=verdicts.lower[rows, place],
        upper=verdicts.upper[rows, place],
        took_s=took_s,
    )
