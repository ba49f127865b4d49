"""One series in as many points as somebody has room for: neighbouring buckets become one point."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from alerting.store.values import StoredVerdicts
from detectors.contract import Floats, Instants


class Bins:
    """``grid[T]`` in at most ``most`` bins of equally many buckets (the last one may have fewer)."""

    def __init__(self, grid: Instants, most: int) -> None:
        self._grid = grid
        self.width = max(math.ceil(len(grid) / most), 1)
        self.times: Instants = grid[:: self.width]
        """Start of each bin."""

    def spread(self, times: Instants, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Least, mean and greatest value of each bin; NaN where it has none. Times off the grid count for nothing."""
        bins, known = self._places(times)
        return _least(bins, values[known], len(self.times)), *self._mean_and_most(bins, values[known])

    def band(self, judged: StoredVerdicts | None) -> tuple[Floats, Floats, Floats]:
        """Least lower bound, mean expectation and greatest upper bound of each bin, of verdicts on one series."""
        size = len(self.times)
        if judged is None:
            return np.full(size, np.nan), np.full(size, np.nan), np.full(size, np.nan)
        bins, known = self._places(judged.times)
        expected, _ = self._mean_and_most(bins, judged.expected[known, 0])
        return _least(bins, judged.lower[known, 0], size), expected, -_least(bins, -judged.upper[known, 0], size)

    def holding(self, times: Instants) -> list[int]:
        """The bins that hold one of these times, ascending."""
        bins, _ = self._places(times)
        return [int(one) for one in np.unique(bins)]

    def _places(self, times: Instants) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The bin of each time that is on the grid, and which times those are."""
        rows = np.searchsorted(self._grid, times)
        known = np.flatnonzero(rows < len(self._grid))
        known = known[self._grid[rows[known]] == times[known]]
        return rows[known] // self.width, known

    def _mean_and_most(self, bins: NDArray[np.intp], values: Floats) -> tuple[Floats, Floats]:
        size, is_there = len(self.times), np.isfinite(values)
        count = np.bincount(bins[is_there], minlength=size)
        total = np.bincount(bins[is_there], weights=values[is_there], minlength=size)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return mean, -_least(bins, -values, size)


def _least(bins: NDArray[np.intp], values: Floats, size: int) -> Floats:
    found = np.full(size, np.nan)
    np.fmin.at(found, bins, values)
    return found
