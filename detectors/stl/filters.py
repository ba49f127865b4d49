"""The smoothers of STL on panels: LOESS with jumps, plain and weighted, moving averages, and values by phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.stl import loess
from detectors.stl.bands import Bands, size_bytes
from detectors.stl.loess import Grid, Line, Positions


@dataclass(frozen=True)
class Between:
    """Straight lines between points: the i-th value lies ``share[i]`` of the way from ``left[i]`` to the next point."""

    left: Positions
    share: Floats
    points: int

    def apply(self, panel: Floats) -> Floats:
        """``panel[m, S]`` → ``[n, S]``."""
        result = panel[self.left]
        result += self.share * (panel[self.left + 1] - result)
        return result

    def adjoint(self, panel: Floats) -> Floats:
        result = np.zeros((self.points, panel.shape[1]))
        np.add.at(result, self.left, (1 - self.share) * panel)
        np.add.at(result, self.left + 1, self.share * panel)
        return result


def between(grid: Grid) -> Between | None:
    """None where every value is a point."""
    points = grid.points
    values = np.arange(points[0], points[-1] + 1)
    if len(values) == len(points):
        return None
    left = np.clip(np.searchsorted(points, values, side="right") - 1, 0, len(points) - 2)
    share = (values - points[left]) / (points[left + 1] - points[left])
    return Between(left, share[:, None], len(points))


@dataclass(frozen=True)
class Smoother:
    """LOESS where all values weigh the same: one fixed matrix."""

    bands: Bands
    gaps: Between | None

    @classmethod
    def on(cls, grid: Grid, degree: int) -> Smoother:
        return cls(loess.smoother(grid, degree), between(grid))

    def apply(self, panel: Floats) -> Floats:
        smooth = self.bands.apply(panel)
        return smooth if self.gaps is None else self.gaps.apply(smooth)

    def adjoint(self, panel: Floats) -> Floats:
        return self.bands.adjoint(panel if self.gaps is None else self.gaps.adjoint(panel))

    @property
    def size_bytes(self) -> int:
        return self.bands.size_bytes


@dataclass(frozen=True)
class WeightedSmoother:
    """LOESS where each value of each series has its own weight: ratios of fixed filters."""

    grid: Grid
    moments: tuple[Bands, ...]
    gaps: Between | None

    @classmethod
    def on(cls, grid: Grid, degree: int) -> WeightedSmoother:
        return cls(grid, loess.moments(grid, degree), between(grid))

    def line(self, weights: Floats) -> Line:
        """What depends on the weights ``[n, S]`` alone."""
        return loess.line(tuple(bands.apply(weights) for bands in self.moments), self.grid.length)

    def apply(self, line: Line, weights: Floats, panel: Floats) -> Floats:
        """Smooth ``panel[n, S]``; a point without support keeps its own value, one beyond the ends its neighbour's."""
        weighted = weights * panel
        smooth = self.moments[0].apply(weighted)
        smooth *= line.constant
        if line.slope is not None:
            tilted = self.moments[1].apply(weighted)
            tilted *= line.slope
            smooth += tilted
        if line.unsupported is not None:
            smooth = self._supported(line.unsupported, smooth, panel)
        return smooth if self.gaps is None else self.gaps.apply(smooth)

    def _supported(self, unsupported: Bools, smooth: Floats, panel: Floats) -> Floats:
        points, length = self.grid.points, self.grid.length
        result: Floats = np.where(unsupported, panel[np.clip(points, 1, length) - 1], smooth)
        if points[0] == 0:
            result[0] = np.where(unsupported[0], result[1], result[0])
            result[-1] = np.where(unsupported[-1], result[-2], result[-1])
        return result

    @property
    def size_bytes(self) -> int:
        return size_bytes([block.matrix for bands in self.moments for block in bands.blocks])


def phases(panel: Floats, period: int) -> list[Floats]:
    """``panel[n, S]`` as one or two arrays ``[cycles, phases × S]``: phases that occur once more come first."""
    series = panel.shape[1]
    cycles, rest = divmod(len(panel), period)
    body = panel[: cycles * period].reshape(cycles, period, series)
    if rest == 0:
        return [body.reshape(cycles, period * series)]
    longer = np.concatenate([body[:, :rest], panel[None, cycles * period :]])
    return [longer.reshape(cycles + 1, rest * series), body[:, rest:].reshape(cycles, (period - rest) * series)]


def woven(parts: list[Floats], period: int, series: int) -> Floats:
    """The inverse of ``phases``."""
    if len(parts) == 1:
        return parts[0].reshape(-1, series)
    cycles = len(parts[0])
    rest = parts[0].shape[1] // max(1, series)
    result = np.empty((cycles, period, series))
    result[:, :rest] = parts[0].reshape(cycles, rest, series)
    result[:-1, rest:] = parts[1].reshape(cycles - 1, period - rest, series)
    return result.reshape(cycles * period, series)[: (cycles - 1) * period + rest]


def phase_lengths(length: int, period: int) -> list[int]:
    """How many values each of the arrays of ``phases`` has in a column."""
    cycles, rest = divmod(length, period)
    return [cycles + 1, cycles] if rest else [cycles]


def low_pass(panel: Floats, period: int) -> Floats:
    """Moving averages over ``period``, ``period`` and 3 values: ``[n + 2 × period, S]`` → ``[n, S]``."""
    result = moving_sum(moving_sum(moving_sum(panel, period), period), 3)
    result /= 3.0 * period * period
    return result


def low_pass_adjoint(panel: Floats, period: int) -> Floats:
    result = panel / (3.0 * period * period)
    for window in (3, period, period):
        result = moving_sum(np.pad(result, ((window - 1, window - 1), (0, 0))), window)
    return result


def moving_sum(panel: Floats, window: int) -> Floats:
    """Sums of ``window`` consecutive rows by doubling: few passes, and no difference of large running sums."""
    rows = len(panel) - window + 1
    total = np.zeros((rows, panel.shape[1]))
    doubled, width, start = panel, 1, 0
    while width <= window:
        if window & width:
            total += doubled[start : start + rows]
            start += width
        if 2 * width <= window:
            doubled = doubled[:-width] + doubled[width:]
        width *= 2
    return total
