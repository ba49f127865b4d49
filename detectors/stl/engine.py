"""Whole panels through the seasons of one or several recipes, in chunks of series that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools, Floats
from detectors.stl.dense import Mirrored, Rows
from detectors.stl.linear import Composed
from detectors.stl.plans import SHELF
from detectors.stl.recipe import Recipe
from detectors.stl.weighted import Weighted

Places = NDArray[np.intp]  # which series

_CHUNK_VALUES = 2**18  # 2 MB per array
_LEAST_CHUNK, _MOST_CHUNK = 32, 512
_DENSE_LENGTH = 2_048  # beyond it a dense matrix needs too much memory, and composed filters are as fast
_DENSE_SERIES = 256  # a narrower panel is through the composed filters before the dense matrix is built


@dataclass(frozen=True)
class Sequel:
    """STL with each recipe in turn, ``rounds`` times, each on what the seasons of the others leave: MSTL."""

    recipes: tuple[Recipe, ...]
    rounds: int

    @property
    def length(self) -> int:
        return self.recipes[0].length

    @property
    def is_linear(self) -> bool:
        return all(recipe.outer_iter == 0 for recipe in self.recipes)

    @property
    def is_symmetric(self) -> bool:
        return all(each.seasonal_jump == each.trend_jump == each.low_pass_jump == 1 for each in self.recipes)


@dataclass(frozen=True)
class Parts:
    """``stack[C + 1, n, S]``: the trend, then the season of each of C recipes; ``weights[n, S]`` of the last fit."""

    stack: Floats
    weights: Floats


def decomposed(values: Floats, sequel: Sequel) -> Parts:
    """The parts of ``values[n, S]``; NaN is no reading. A series without any reading has NaN parts."""
    length, series = values.shape
    stack = np.full((len(sequel.recipes) + 1, length, series), np.nan)
    weights = np.zeros((length, series))
    missing = ~np.isfinite(values)
    holes, readings = missing.any(axis=0), ~missing.all(axis=0)
    whole = np.flatnonzero(~holes)
    if sequel.is_linear:
        weights[:, whole] = 1.0
        _linear(values, whole, sequel, stack)
    else:
        _by_weight(values, whole, None, sequel, stack, weights)
    _by_weight(values, np.flatnonzero(holes & readings), missing, sequel, stack, weights)
    return Parts(stack, weights)


def last_rows(values: Floats, sequel: Sequel, rows: int) -> Parts:
    """The last ``rows`` of the parts; of series without weights and holes nothing else is computed."""
    holes: Bools = np.asarray(~np.isfinite(values).all(axis=0))
    if not sequel.is_linear:
        return _end(decomposed(values, sequel), rows)
    operator = SHELF.plan(Rows, (sequel, rows), partial(_ending, sequel, rows))
    stack = operator.apply(np.where(holes, 0.0, values))
    weights = np.ones((rows, values.shape[1]))
    if holes.any():
        slow = _end(decomposed(values[:, holes], sequel), rows)
        stack[:, :, holes], weights[:, holes] = slow.stack, slow.weights
    return Parts(stack, weights)


def _end(parts: Parts, rows: int) -> Parts:
    return Parts(parts.stack[:, -rows:], parts.weights[-rows:])


def _linear(values: Floats, whole: Places, sequel: Sequel, stack: Floats) -> None:
    if sequel.is_symmetric and sequel.length <= _DENSE_LENGTH and len(whole) >= _DENSE_SERIES:
        apply = SHELF.plan(Mirrored, sequel, partial(_mirrored, sequel)).apply
    else:
        apply = partial(_composed, sequel=sequel)
    for chosen in _chunks(whole, sequel.length):
        stack[:, :, chosen] = apply(np.ascontiguousarray(values[:, chosen]))


def _by_weight(
    values: Floats,
    series: Places,
    missing: Bools | None,
    sequel: Sequel,
    stack: Floats,
    weights: Floats,
) -> None:
    for chosen in _chunks(series, sequel.length):
        absent = None if missing is None else np.ascontiguousarray(missing[:, chosen])
        part = np.ascontiguousarray(values[:, chosen])
        parts = _weighted(part if absent is None else _filled(part, absent), absent, sequel)
        stack[:, :, chosen], weights[:, chosen] = parts.stack, parts.weights


def _composed(values: Floats, sequel: Sequel) -> Floats:
    stack, left = np.zeros((len(sequel.recipes) + 1, *values.shape)), values
    for _ in range(sequel.rounds):
        for number, recipe in enumerate(sequel.recipes, start=1):
            left = left + stack[number]
            stack[0], stack[number] = _plain(recipe).apply(left)
            left = left - stack[number]
    return stack


def _weighted(values: Floats, missing: Bools | None, sequel: Sequel) -> Parts:
    stack, left, weights = np.zeros((len(sequel.recipes) + 1, *values.shape)), values, np.ones_like(values)
    for _ in range(sequel.rounds):
        for number, recipe in enumerate(sequel.recipes, start=1):
            left = left + stack[number]
            fit = SHELF.plan(Weighted, recipe, partial(Weighted.of, recipe))
            stack[0], stack[number], weights = fit.apply(left, missing, _plain(recipe))
            left = left - stack[number]
    return Parts(stack, weights)


def _adjoint(sequel: Sequel, stack: Floats) -> Floats:
    """The transposed operator on ``stack[parts, n, k]`` → ``[n, k]``: ``_composed`` read backwards."""
    trend, seasons = stack[0], list(stack[1:])
    left: Floats = np.zeros_like(trend)
    for _ in range(sequel.rounds):
        for number, recipe in reversed(list(enumerate(sequel.recipes))):
            left = left + _plain(recipe).adjoint(trend, seasons[number] - left)
            trend, seasons[number] = np.zeros_like(trend), left
    return left


def _mirrored(sequel: Sequel) -> Mirrored:
    """Every row: the first half of the identity pushed through the composed filters."""
    length, half = sequel.length, sequel.length - sequel.length // 2
    columns = np.empty((len(sequel.recipes) + 1, length, half))
    for chosen in _chunks(np.arange(half), length):
        unit = np.zeros((length, len(chosen)))
        unit[chosen, np.arange(len(chosen))] = 1.0
        columns[:, :, chosen] = _composed(unit, sequel)
    return Mirrored.of(columns)


def _ending(sequel: Sequel, rows: int) -> Rows:
    """The last rows: their unit vectors pushed back through the composed filters."""
    length, parts = sequel.length, len(sequel.recipes) + 1
    matrix = np.empty((parts * rows, length))
    for chosen in _chunks(np.arange(parts * rows), length * parts):
        stack = np.zeros((parts, length, len(chosen)))
        part, row = np.divmod(chosen, rows)
        stack[part, length - rows + row, np.arange(len(chosen))] = 1.0
        matrix[chosen] = _adjoint(sequel, stack).T
    return Rows(parts, matrix)


def _plain(recipe: Recipe) -> Composed:
    plain = replace(recipe, outer_iter=0)
    return SHELF.plan(Composed, plain, partial(Composed.of, plain))


def _filled(values: Floats, missing: Bools) -> Floats:
    """Straight lines between readings where there is none: of no weight, but no NaN."""
    filled, places = values.copy(), np.arange(len(values))
    for series in range(values.shape[1]):
        gone = missing[:, series]
        filled[gone, series] = np.interp(places[gone], places[~gone], values[~gone, series])
    return filled


def _chunks(series: Places, length: int) -> Iterator[Places]:
    width = int(np.clip(_CHUNK_VALUES // length, _LEAST_CHUNK, _MOST_CHUNK))
    for start in range(0, len(series), width):
        yield series[start : start + width]
