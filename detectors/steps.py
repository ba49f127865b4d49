"""Steps of a level: the last buckets against those before, of the differences to the same local times before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import Bucket
from detectors.contract import Floats, Instants, Panel
from detectors.lookback import Rows, readings_before, rows_before

Lagged = tuple[tuple[Rows, Rows], ...]

_HALF_HOUR, _DAY = timedelta(minutes=30), timedelta(days=1)
_LEAST_LAGS = 3
_MEDIAN_TO_DEVIATION, _P90_TO_DEVIATION = 1.4826, 1 / 1.645
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pace:
    """In buckets, ``lags`` in days: ``last`` newest ones against ``before`` ones, seasons taken from ``lags`` ago,
    the usual difference from ``past`` ones, of which ``needed`` must be known.
    """

    last: int
    before: int
    lags: tuple[int, ...]
    past: int
    needed: int

    @classmethod
    def of(cls, bucket: str, last: int) -> Pace:
        width = Bucket.parse(bucket).nominal
        before = max(4 * last, -(-timedelta(hours=6) // width))
        if width > _DAY:
            past = 52 if bucket == "1w" else 36
            return cls(last, before, (), past, 12)
        if width == _DAY:
            return cls(last, before, (7, 14, 21, 28), 56, 21)
        days, step = (4, 1) if width < _HALF_HOUR else (28, 7)
        past = days * (_DAY // width)
        return cls(last, before, (step, 2 * step, 3 * step, 4 * step), past, past // 4)

    @property
    def span(self) -> int:
        """The newest buckets and those before."""
        return self.last + self.before

    def history(self, bucket: Bucket) -> np.timedelta64:
        lag = timedelta(days=max(self.lags, default=0) + 1)
        a_day = max(_DAY // bucket.nominal, 1)
        return np.timedelta64(lag + (2 * self.span + self.past + 2 * a_day) * bucket.longest, "us")


@dataclass(frozen=True)
class Steps:
    """Per judged bucket and series, ``[J, S]``, in the metric's unit; NaN where not known.

    ``step`` from the level ``before`` to the newest · ``usual`` standard deviation of past steps (0: it never varied) ·
    ``known`` past steps, of ``needed`` · ``taught[T, S]`` the readings that count · ``lagged`` their rows at the lags.
    """

    step: Floats
    before: Floats
    usual: Floats
    known: NDArray[np.int64]
    needed: int
    taught: Floats
    lagged: Lagged


def steps(panel: Panel, pace: Pace, first: int) -> Steps:
    """The steps of the buckets from row ``first`` on. A masked reading counts in its own bucket only."""
    values = np.where(np.isfinite(panel.values), panel.values, np.nan)
    taught = np.where(_excluded(panel), np.nan, values)
    lagged = tuple(rows_before(panel, days) for days in pace.lags)
    whole = _contrast(taught, lagged, pace)
    usual, known = _usual(panel.times, panel.bucket, np.abs(whole), pace, first)
    here = _with_own_readings(whole, values, taught, lagged, pace, first)
    start = max(first - pace.span, 0)
    before = _shifted(_rolling(taught[start:], pace.before), pace.last)[first - start :]
    tiny = _ROUNDING * np.abs(before)
    return Steps(
        step=np.where(np.abs(here) <= tiny, 0.0, here),
        before=before,
        usual=np.where(usual <= tiny, 0.0, usual),
        known=known,
        needed=pace.needed,
        taught=taught,
        lagged=lagged,
    )


def change_row(panel: Panel, found: Steps, pace: Pace, row: int, series: int, step: float) -> int:
    """The row at which the level most likely moved: where two levels, ``step`` apart, fit the readings best."""
    begin = max(row - pace.span + 1, 0)
    window = slice(begin, row + 1)
    own = found.taught[window, series].copy()
    own[-1] = panel.values[row, series]
    seen = [readings_before(found.taught[:, [series]], _at(lag, window))[:, 0] for lag in found.lagged]
    calm = own - (_median(np.stack(seen), 1) if seen else 0.0)
    old = _median(calm[: max(len(calm) - pace.last, 1), None], 1)[0]
    gain = np.nan_to_num(np.abs(calm - old) - np.abs(calm - old - step))
    earliest = max(len(calm) - pace.last - pace.before // 2, 0)
    return begin + earliest + int(np.argmax(np.cumsum(gain[::-1])[::-1][earliest:]))


def _excluded(panel: Panel) -> NDArray[np.bool_]:
    excluded = np.zeros(panel.values.shape, dtype=bool) if panel.masked is None else panel.masked.copy()
    for event in panel.events:
        if event.effect != "annotate":
            excluded |= event.active[:, None]
    return excluded


def _rolling(values: Floats, width: int) -> Floats:
    """Median of the last ``width``; NaN where half of them or more are missing."""
    import pandas as pd  # here, because commands that judge nothing must start fast

    if not values.size:
        return values
    rolled: Floats = pd.DataFrame(values).rolling(width, min_periods=width // 2 + 1).median().to_numpy()
    return rolled


def _shifted(values: Floats, rows: int) -> Floats:
    moved = np.full(values.shape, np.nan)
    moved[rows:] = values[:-rows]
    return moved


def _contrast(taught: Floats, lagged: Lagged, pace: Pace) -> Floats:
    """The newest level less the one before, of the differences to each lag: the median over them.

    Differences first, because the median of a day that swings is no level; and a median last, because the weeks after
    a shift have it in one of the lags.
    """
    if not lagged:
        return _rolling(taught, pace.last) - _shifted(_rolling(taught, pace.before), pace.last)
    found = []
    for lag in lagged:
        calm = taught - readings_before(taught, lag)
        found.append(_rolling(calm, pace.last) - _shifted(_rolling(calm, pace.before), pace.last))
    return _median(np.stack(found), _LEAST_LAGS)


def _with_own_readings(whole: Floats, values: Floats, taught: Floats, lagged: Lagged, pace: Pace, first: int) -> Floats:
    """The contrast from ``first`` on, where a masked bucket is judged by its own reading all the same."""
    here = whole[first:].copy()
    masked = np.isnan(taught) & np.isfinite(values)
    for row in (first + np.flatnonzero(masked[first:].any(axis=1))).tolist():
        window = slice(max(row - pace.span + 1, 0), row + 1)
        own = taught[window].copy()
        own[-1] = values[row]
        calm = [own - readings_before(taught, _at(lag, window)) for lag in lagged] or [own]
        levels = [
            _median(one[-pace.last :], pace.last // 2 + 1) - _median(one[: -pace.last], pace.before // 2 + 1)
            for one in calm
        ]
        here[row - first] = np.where(
            masked[row], _median(np.stack(levels), _LEAST_LAGS if lagged else 1), here[row - first]
        )
    return here


def _at(lag: tuple[Rows, Rows], rows: slice) -> tuple[Rows, Rows]:
    return lag[0][rows], lag[1][rows]


def _usual(times: Instants, bucket: str, sizes: Floats, pace: Pace, first: int) -> tuple[Floats, NDArray[np.int64]]:
    """A robust standard deviation of the past steps of each judged row, and their number.

    Of buckets shorter than a day it is learned once a day, from what lay before midnight UTC: that is often enough.
    """
    judged = np.arange(first, len(times))
    ends = judged - pace.span + 1
    if Bucket.parse(bucket).nominal < _DAY and len(times):
        days = times.astype("datetime64[D]")
        ends = np.where(ends > 0, np.searchsorted(days, days[np.maximum(ends, 0)]), 0)
    unique, place = np.unique(np.maximum(ends, 0), return_inverse=True)
    found = [_deviation(sizes[max(int(end) - pace.past, 0) : int(end)], pace.needed) for end in unique]
    shape = (0, sizes.shape[1])
    usual = np.stack([one for one, _ in found]) if found else np.zeros(shape)
    known = np.stack([number for _, number in found]) if found else np.zeros(shape, dtype=np.int64)
    return usual[place], known[place]


def _deviation(sizes: Floats, needed: int) -> tuple[Floats, NDArray[np.int64]]:
    """From the median and the ninth decile, whichever says more; where nearly all are 0, the largest one."""
    number = np.isfinite(sizes).sum(axis=0)
    if not len(sizes):
        return np.full(sizes.shape[1], np.nan), number
    ordered, columns = np.sort(sizes, axis=0), np.arange(sizes.shape[1])
    newest = np.maximum(number - 1, 0)
    middle, high, largest = (ordered[place, columns] for place in (newest // 2, newest * 9 // 10, newest))
    usual = np.maximum(_MEDIAN_TO_DEVIATION * middle, _P90_TO_DEVIATION * high)
    return np.where(number >= needed, np.where(usual > 0, usual, largest), np.nan), number


def _median(stacked: Floats, least: int) -> Floats:
    """Over the first axis; NaN where fewer than ``least`` are known."""
    if not len(stacked):
        return np.full(stacked.shape[1:], np.nan)
    ordered = np.sort(stacked, axis=0)
    number = np.isfinite(ordered).sum(axis=0)
    low, high = (
        np.take_along_axis(ordered, np.clip(at, 0, len(ordered) - 1)[None], 0)[0]
        for at in ((number - 1) // 2, number // 2)
    )
    high = np.where(number % 2 == 1, low, high)
    return np.where(number >= max(least, 1), low / 2 + high / 2, np.nan)
