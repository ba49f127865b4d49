"""LOESS on a regular grid: where it looks, how it weighs, and the line it fits.

Positions count from 1, as in the paper and in the FORTRAN that statsmodels follows, so that the two can be compared.
Source: Cleveland, Cleveland, McRae, Terpenning (1990), Journal of Official Statistics 6, 3–73, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools, Floats
from detectors.stl.bands import Bands, Block

Positions = NDArray[np.int64]
Fill = Callable[[Floats, Floats], Floats]  # kernel and offsets of the columns from the points, both [m, columns]

_INSIDE, _CENTRE = 0.999, 0.001  # of the reach: beyond it no weight, within it the full weight
_FLAT = 0.001  # of the length: readings that stand closer than this together carry no slope
_ROWS = 4  # a block is a quarter as high as its window is wide: few zeros, still enough work for BLAS


@dataclass(frozen=True)
class Grid:
    """LOESS over ``length`` values: evaluated at ``points[m]``, each from the values ``first[m]`` to ``last[m]``."""

    length: int
    window: int
    points: Positions
    first: Positions
    last: Positions

    @property
    def reach(self) -> Floats:
        """``[m]`` the distance at which the weight becomes zero."""
        furthest = np.maximum(self.points - self.first, self.last - self.points)
        return np.asarray(furthest + max(0, self.window - self.length) // 2, dtype=np.float64)

    def rows(self, chosen: slice) -> Grid:
        return Grid(self.length, self.window, self.points[chosen], self.first[chosen], self.last[chosen])


@dataclass(frozen=True)
class Line:
    """A fitted value is ``constant`` × Σ w·y + ``slope`` × Σ w·x·y, x from the point where it is evaluated.

    ``unsupported`` marks points without any weight: both factors are zero there. None: every point has some.
    ``slope`` None: degree 0.
    """

    constant: Floats
    slope: Floats | None
    unsupported: Bools | None


def grid(length: int, window: int, jump: int) -> Grid:
    """Every ``jump``-th value and the last one; the last keeps the window of the one before, as in the FORTRAN."""
    step = max(1, min(jump, length - 1))
    points = np.arange(1, length + 1, step)
    width = min(window, length)
    first = np.clip(points - (window + 1) // 2 + 1, 1, length - width + 1)
    if points[-1] != length:
        points, first = np.append(points, length), np.append(first, first[-1])
    return Grid(length, window, points, first, first + width - 1)


def extended(inner: Grid) -> Grid:
    """The grid with one point more on either side, one step beyond the values."""
    width = min(inner.window, inner.length)
    points = np.concatenate([[0], inner.points, [inner.length + 1]])
    first = np.concatenate([[1], inner.first, [inner.length - width + 1]])
    last = np.concatenate([[width], inner.last, [inner.length]])
    return Grid(inner.length, inner.window, points, first, last)


def smoother(where: Grid, degree: int) -> Bands:
    """LOESS as a matrix ``[m, length]``, every value weighing the same."""

    def filled(kernel: Floats, offset: Floats) -> Floats:
        fitted = line(tuple(np.sum(one(kernel, offset), axis=1) for one in _powers(degree)), where.length)
        straight = kernel * fitted.constant[:, None]
        return straight if fitted.slope is None else straight + kernel * offset * fitted.slope[:, None]

    return _banded(where, (filled,))[0]


def moments(where: Grid, degree: int) -> tuple[Bands, ...]:
    """The filters that give Σ w, Σ w·x, Σ w·x² (degree 0: Σ w only) of weighted values, x from each point."""
    return _banded(where, _powers(degree))


def line(sums: tuple[Floats, ...], length: int) -> Line:
    """The line through weighted values, from the ``moments`` ``[m, S]`` of their weights."""
    without = sums[0] <= 0
    unsupported = without if without.any() else None
    weight = sums[0] if unsupported is None else np.where(without, 1.0, sums[0])
    if len(sums) == 1:
        constant, slope = 1 / weight, None
    else:
        constant, slope = _factors(weight, sums[1], sums[2], length)
    if unsupported is not None:
        constant[without] = 0.0
        if slope is not None:
            slope[without] = 0.0
    return Line(constant, slope, unsupported)


def _factors(weight: Floats, first: Floats, second: Floats, length: int) -> tuple[Floats, Floats]:
    """Factors of the line from Σ w, Σ w·x and Σ w·x²."""
    mean = first / weight
    variance = second / weight - mean * mean
    is_flat = variance <= (_FLAT * (length - 1)) ** 2
    tilt = -mean / np.where(is_flat, 1.0, variance)
    tilt[is_flat] = 0.0
    return (1 - tilt * mean) / weight, tilt / weight


def _powers(degree: int) -> tuple[Fill, ...]:
    every: tuple[Fill, ...] = (
        lambda kernel, _: kernel,
        lambda kernel, offset: kernel * offset,
        lambda kernel, offset: kernel * offset * offset,
    )
    return every if degree > 0 else every[:1]


def _banded(where: Grid, fills: tuple[Fill, ...]) -> tuple[Bands, ...]:
    """One banded matrix ``[m, length]`` per fill; blocks that only stand elsewhere share their arrays."""
    height = _height(where)
    seen: dict[bytes, tuple[Floats, ...]] = {}
    blocks: tuple[list[Block], ...] = tuple([] for _ in fills)
    for row in range(0, len(where.points), height):
        part = where.rows(slice(row, row + height))
        column = int(part.first.min()) - 1
        shape = np.stack([part.points, part.first, part.last]) - column
        matrices = seen.get(shape.tobytes())
        if matrices is None:
            kernel, offset = _kernel(part, column, int(part.last.max()))
            matrices = seen[shape.tobytes()] = tuple(fill(kernel, offset) for fill in fills)
        for built, matrix in zip(blocks, matrices, strict=True):
            built.append(Block(row, column, matrix))
    return tuple(Bands(len(where.points), where.length, tuple(built)) for built in blocks)


def _height(where: Grid) -> int:
    step = max(1, int(where.points[-1] - where.points[0]) // max(1, len(where.points) - 1))
    return int(np.clip(min(where.window, where.length) // (_ROWS * step), 16, 256))


def _kernel(part: Grid, column: int, end: int) -> tuple[Floats, Floats]:
    """Tricube weights of the values ``column`` + 1 to ``end`` for each point, and their distances from it."""
    values = np.arange(column + 1, end + 1)
    offset = (values - part.points[:, None]).astype(np.float64)
    reach, distance = part.reach[:, None], np.abs(offset)
    weight = np.where(distance <= _CENTRE * reach, 1.0, (1 - (distance / reach) ** 3) ** 3)
    is_near = (values >= part.first[:, None]) & (values <= part.last[:, None]) & (distance <= _INSIDE * reach)
    return np.where(is_near, weight, 0.0), offset
