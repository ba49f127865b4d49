"""Decomposing a panel beside decomposing each of its series with statsmodels, both with the defaults of statsmodels.

The rival is timed on a few series and its time per series is multiplied: a series costs it the same however many there
are. Our first call makes the plan and is told beside the size; our time is that of the calls after it, as at each tick.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from statsmodels.tsa.seasonal import MSTL, STL

from detectors.contract import Floats
from detectors.stl import mstl, stl, tail
from detectors.stl.recipe import Options
from tests.benchmarks.row import Row

SERIES, HOURS, FIVE_MINUTES = 1_000, 8 * 7 * 24, 4 * 7 * 288
DAY, WEEK, DAY_OF_FIVE_MINUTES = 24, 168, 288
JUMPS: Options = {"trend_jump": 55, "low_pass_jump": 29}  # a tenth of the windows

OnPanel = Callable[[Floats], object]
OnSeries = Callable[[Floats], object]


def decompose() -> list[Row]:
    """Hourly, 8 weeks, period 168: plain, robust, and the last hour alone."""
    values, rival = _panel(HOURS, (WEEK,)), partial(_statsmodels, period=WEEK)
    return [
        _row("decompose", values, partial(stl, period=WEEK), rival, timed=10),
        _row("decompose robust", values, partial(stl, period=WEEK, robust=True), partial(rival, robust=True), timed=3),
        _row("decompose last hour", values, partial(tail, period=WEEK, last=1), rival, timed=10),
    ]


def decompose_mstl() -> list[Row]:
    """Hourly, 8 weeks, a day and a week."""
    values, periods = _panel(HOURS, (DAY, WEEK)), (DAY, WEEK)
    return [_row("decompose-mstl", values, partial(mstl, periods=periods), _statsmodels_mstl, 5, "statsmodels MSTL")]


def decompose_5min() -> list[Row]:
    """5 minutes, 4 weeks, period 288: no jumps on either side, the same jumps on both, and robust without jumps."""
    values, period = _panel(FIVE_MINUTES, (DAY_OF_FIVE_MINUTES,)), DAY_OF_FIVE_MINUTES
    ours, rival = partial(stl, period=period), partial(_statsmodels, period=period)
    return [
        _row("decompose-5min", values, ours, rival, timed=3),
        _row("decompose-5min jumps", values, partial(ours, **JUMPS), partial(rival, **JUMPS), timed=3),
        _row("decompose-5min robust", values[:, :64], partial(ours, robust=True), partial(rival, robust=True), timed=1),
    ]


def _panel(length: int, periods: Sequence[int]) -> Floats:
    """Level, seasons and noise: the time of neither side depends on the values."""
    rows = np.arange(length)[:, None]
    values = 100 + np.random.default_rng(length).normal(size=(length, SERIES))
    for period in periods:
        values += 5 * np.sin(2 * np.pi * rows / period + np.arange(SERIES))
    return values


def _statsmodels(values: Floats, period: int, **options: int | bool) -> object:
    return STL(values, period=period, **options).fit()


def _statsmodels_mstl(values: Floats) -> object:
    return MSTL(values, periods=(DAY, WEEK)).fit()


def _row(
    name: str, values: Floats, ours: OnPanel, rival: OnSeries, timed: int, rival_name: str = "statsmodels STL"
) -> Row:
    length, series = values.shape
    first = _taken(ours, values)
    again = statistics.median(_taken(ours, values) for _ in range(3))
    each = statistics.median(_taken(rival, values[:, one].copy()) for one in range(timed))
    size = f"{series:,} series × {length:,} values; first call {first:.2f} s; rival timed on {timed} series"
    return Row(name, again, each * series, rival_name, size)


def _taken(run: Callable[[Floats], object], values: Floats) -> float:
    begun = time.perf_counter()
    run(values)
    return time.perf_counter() - begun
