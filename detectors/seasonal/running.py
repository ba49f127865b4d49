"""Running means that skip what is missing, over rows of a block: arrays ``[R, S]``, series last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools, Floats


def weight(half_life: float) -> float:
    """The weight of the newest reading in a running mean with this half-life in readings."""
    return float(1.0 - 2.0 ** (-1.0 / half_life))


def quotient(total: Floats, count: Floats) -> Floats:
    """``total / count``, NaN where nothing was counted."""
    found: Floats = total / np.where(count > 0, count, np.nan)
    return found


def without_nan(values: Floats, otherwise: float = 0.0) -> Floats:
    """The values, and where they are NaN ``otherwise``. Infinite ones stay: numpy's ``nan_to_num`` looks for them."""
    found: Floats = np.where(np.isnan(values), otherwise, values)
    return found


def apart(values: Floats, expected: Floats, size: Floats) -> Floats:
    """``values - expected``, and 0 where that is no more than rounding leaves of readings of this size."""
    difference = values - expected
    found: Floats = np.where(np.abs(difference) <= 1e-14 * np.abs(size), 0.0, difference)
    return found


def picked(rows: Floats, choice: NDArray[np.intp]) -> Floats:
    """``rows[choice[s], :, s]`` of ``rows[K, R, S]`` for each series, ``[R, S]``."""
    return rows[choice, np.arange(rows.shape[1])[:, None], np.arange(rows.shape[2])]


@dataclass
class Mean:
    """A running mean that starts as the plain mean: sums of values and of weights, ``[S]`` each."""

    total: Floats
    count: Floats

    @classmethod
    def none(cls, series: int) -> Mean:
        return cls(np.zeros(series), np.zeros(series))

    @property
    def value(self) -> Floats:
        return quotient(self.total, self.count)

    def follow(self, values: Floats, present: Bools, alpha: float) -> Floats:
        """The mean before each row; takes in the rows with weight ``alpha`` for the newest."""
        arrived = np.concatenate([np.where(present, values, 0.0), present], axis=1)
        known = np.concatenate([self.total, self.count])
        sums = np.concatenate([known[None], _decayed(arrived, known, alpha)])
        totals, counts = sums[:, : len(self.total)], sums[:, len(self.total) :]
        self.total, self.count = totals[-1], counts[-1]
        return quotient(totals[:-1], counts[:-1])

    def take(self, values: Floats, present: Bools, keep: float) -> None:
        """Takes in a block of rows at once; ``keep`` is what a row later remains of a reading."""
        kept = keep ** len(values)
        self.total = self.total * kept + np.where(present, values, 0.0).sum(axis=0)
        self.count = self.count * kept + present.sum(axis=0)


def _decayed(rows: Floats, before: Floats, alpha: float) -> Floats:
    """``sum[t] = row[t] + (1 - alpha) · sum[t - 1]``, in passes that each double the rows looked back on.

    A row is made by the same operations however many follow it, so a block that is still growing gives the same
    numbers for its first rows. (``scipy.signal.lfilter`` does this too, but to import it takes a second.)
    """
    keep, back = 1.0 - alpha, 1
    sums = rows.copy()
    sums[0] += keep * before
    while back < len(sums):
        sums[back:] += keep**back * sums[:-back]
        back *= 2
    return sums


@dataclass
class Scale:
    """The usual size of an error, ``[S]``: 1.25 × its mean (one standard deviation where errors are normal)."""

    mean: Mean
    errors: Floats

    @classmethod
    def none(cls, series: int) -> Scale:
        return cls(Mean.none(series), np.zeros(series))

    @property
    def value(self) -> Floats:
        return self.mean.value

    def clipped(self, errors: Floats, clip: float) -> Floats:
        sizes = 1.25 * np.abs(np.where(np.isfinite(errors), errors, 0.0))
        limit = np.where(self.errors > 20, clip * self.value, np.inf)
        found: Floats = np.fmin(sizes, limit)  # a limit that is NaN is none
        return found

    def learn(self, errors: Floats, clip: float, keep: float) -> None:
        present = np.isfinite(errors)
        self.mean.take(self.clipped(errors, clip), present, keep)
        self.errors = self.errors + present.sum(axis=0)

    def follow(self, errors: Floats, clip: float, alpha: float) -> Floats:
        """The scale before each row; takes in the rows."""
        present = np.isfinite(errors)
        before = self.mean.follow(self.clipped(errors, clip), present, alpha)
        self.errors = self.errors + present.sum(axis=0)
        return before


def filled(rows: Floats, before: Floats) -> Floats:
    """Rows under ``before`` (``[B, S]``), each NaN replaced by the last reading above it: ``[B + R, S]``."""
    everything = np.concatenate([before, rows])
    places = np.where(np.isfinite(everything), np.arange(len(everything))[:, None], 0)
    return np.take_along_axis(everything, np.maximum.accumulate(places, axis=0), axis=0)


def ninth(rows: Floats) -> Floats:
    """A median of medians over the last nine rows, ``[R, S]`` from ``[R + 8, S]``: one or two spikes vanish."""
    threes = median_of_three(rows[2:], rows[1:-1], rows[:-2])
    nines = median_of_three(threes[6:], threes[3:-3], threes[:-6])
    three: Floats = np.where(np.isfinite(threes[6:]), threes[6:], rows[8:])
    return np.where(np.isfinite(nines), nines, three)


def median_of_three(first: Floats, second: Floats, third: Floats) -> Floats:
    found: Floats = np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third))
    return found
