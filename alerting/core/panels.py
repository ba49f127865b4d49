"""From what a query brought to what a metric is: select, roll up, total, fill, on a grid without holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alerting.core.blocks import Block, ColumnKey
from alerting.core.figures import series_name
from config.model import Metric, Query, Rollup
from detectors.contract import Floats, Instants, Panel


class PanelError(Exception):
    """The columns that a query brought do not make the metric; the message names it and the remedy."""


def panel(metric: Metric, query: Query, block: Block, *, since: datetime, until: datetime) -> Panel:
    """The metric's series over every bucket from ``since`` to ``until``; buckets that were not pulled are NaN.

    Columns that map to one series are rolled up; a bucket where none of them has a reading stays NaN. ``fill: zero``
    comes after that, and only where the bucket was pulled and the series had its first reading (anywhere in the block)
    before: a new dimension value does not jump from zero. The total comes first, then series by their labels.

    Raises PanelError.
    """
    series = _series(metric, query, block.keys)
    picked = _picked(block, series)
    values = _rolled_up(metric, picked, series)
    labels: tuple[Mapping[str, str], ...] = tuple(item.labels for item in series)
    if metric.total and metric.dimensions and series:
        total = _total(picked, metric.rollup or "sum")
        values, labels = np.concatenate([total[:, None], values], axis=1), ({}, *labels)
    if metric.fill == "zero":
        values = _zero_filled(values)
    grid = query.bucket.starts(since, until, query.timezone)
    return Panel(grid, _on_grid(metric, values, block.times, grid), labels, query.bucket.text, query.timezone)


@dataclass(frozen=True)
class _Series:
    labels: Mapping[str, str]
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Recipe:
    """How one series is made: which columns of the query, and how they become one."""

    keys: tuple[ColumnKey, ...]
    rollup: Rollup
    fills: bool

    def rolled_up(self, values: Floats) -> Floats:
        """``values[T, N]`` of ``keys`` → ``[T]``, before holes are filled."""
        return _total(values, self.rollup) if values.shape[1] != 1 else values[:, 0]

    def filled(self, values: Floats) -> Floats:
        """Holes after the first reading are zero where the metric says so; ``values[T]`` of pulled buckets."""
        return _zero_filled(values[:, None])[:, 0] if self.fills else values


def recipes(metric: Metric, query: Query, keys: Sequence[ColumnKey]) -> list[tuple[Mapping[str, str], Recipe]]:
    """Each series of the metric and how it is made, in the order of ``panel``. Raises PanelError."""
    series, rollup, fills = _series(metric, query, keys), metric.rollup or "sum", metric.fill == "zero"
    found: list[tuple[Mapping[str, str], Recipe]] = [
        (item.labels, Recipe(tuple(keys[place] for place in item.columns), rollup, fills)) for item in series
    ]
    if metric.total and metric.dimensions and series:
        everything = Recipe(tuple(key for _, one in found for key in one.keys), rollup, fills)
        found.insert(0, ({}, everything))
    return found


def recipe_of(
    metric: Metric, query: Query, keys: Sequence[ColumnKey], labels: Mapping[str, str] | None
) -> tuple[Mapping[str, str], Recipe] | None:
    """How one series is made (``labels`` None: the first one); None where there is no such. Raises PanelError.

    A single column among thousands is found without making the others.
    """
    if labels and metric.rollup is not None:
        wanted = tuple(sorted(labels.items()))
        own = tuple(key for key in keys if key.dimensions == wanted and key.value == metric.value)
        if len(own) == 1 and set(labels) == set(metric.dimensions):
            return dict(labels), Recipe(own, metric.rollup, metric.fill == "zero")
    known = recipes(metric, query, keys)
    return next((one for one in known if labels is None or dict(one[0]) == dict(labels)), None)


def _series(metric: Metric, query: Query, keys: Sequence[ColumnKey]) -> list[_Series]:
    """The metric's series in order, each with the places of its columns. Raises PanelError."""
    columns: dict[tuple[str, ...], list[int]] = {}
    for place, key in enumerate(keys):
        if key.value == metric.value:
            columns.setdefault(_projected(metric, query, key), []).append(place)
    if len(columns) > metric.max_series:
        raise PanelError(_too_many(metric, columns))
    names = metric.dimensions
    series = [
        _Series(dict(zip(names, combination, strict=True)), tuple(columns[combination]))
        for combination in sorted(columns)
    ]
    crowded = next((item for item in series if len(item.columns) > 1), None)
    if crowded is not None and metric.rollup is None:
        raise PanelError(_ambiguous(metric, query, crowded, keys))
    return series


def _projected(metric: Metric, query: Query, key: ColumnKey) -> tuple[str, ...]:
    dimensions = dict(key.dimensions)
    try:
        return tuple(dimensions[name] for name in metric.dimensions)
    except KeyError as exc:
        brought = ", ".join(dimensions) or "none"
        raise PanelError(
            f"metric {metric.name}: query {query.name} brings no dimension {exc.args[0]!r} (it brings: {brought})"
        ) from exc


def _too_many(metric: Metric, columns: Mapping[tuple[str, ...], Sequence[int]]) -> str:
    distinct = {
        name: len(set(values)) for name, values in zip(metric.dimensions, zip(*columns, strict=True), strict=True)
    }
    name = max(distinct, key=lambda dimension: distinct[dimension])
    return (
        f"metric {metric.name}: {len(columns):,} series, more than max_series {metric.max_series:,}; "
        f"dimension {name!r} alone has {distinct[name]:,} values: "
        f"group it in SQL, leave it out of dimensions, or raise max_series"
    )


def _ambiguous(metric: Metric, query: Query, crowded: _Series, keys: Sequence[ColumnKey]) -> str:
    others = [name for name, _ in keys[crowded.columns[0]].dimensions if name not in metric.dimensions]
    return (
        f"metric {metric.name}: query {query.name} brings {len(crowded.columns):,} columns for "
        f"{series_name(metric.name, crowded.labels)} (by {', '.join(others)}): say how they add up with "
        f"rollup: sum, mean, min or max, or name them in dimensions"
    )


def _rolled_up(metric: Metric, picked: Floats, series: Sequence[_Series]) -> Floats:
    if picked.shape[1] == len(series):
        return picked
    starts = np.cumsum([0, *(len(item.columns) for item in series[:-1])])
    return _reduce(picked, starts, metric.rollup or "sum")


def _picked(block: Block, series: Sequence[_Series]) -> Floats:
    """The columns of all series side by side."""
    order = [place for item in series for place in item.columns]
    return block.values if order == list(range(len(block.keys))) else np.take(block.values, order, axis=1)


def _reduce(values: Floats, starts: NDArray[np.intp], rollup: Rollup) -> Floats:
    """Adjacent columns from each start to the next become one; NaN where none of them has a reading."""
    reduced: Floats
    if rollup in ("min", "max"):
        pick = np.fmin if rollup == "min" else np.fmax
        reduced = pick.reduceat(values, starts, axis=1)
        return reduced
    present = ~np.isnan(values)
    readings = np.add.reduceat(present, starts, axis=1, dtype=np.int64)
    reduced = np.add.reduceat(np.where(present, values, 0.0), starts, axis=1)
    if rollup == "mean":
        reduced /= np.maximum(readings, 1)
    reduced[readings == 0] = np.nan
    return reduced


def _total(values: Floats, rollup: Rollup) -> Floats:
    """All columns become one; NaN where none of them has a reading. Three times as fast as one long ``_reduce``."""
    total: Floats
    if rollup in ("min", "max"):
        total = (np.fmin if rollup == "min" else np.fmax).reduce(values, axis=1)
        return total
    present = ~np.isnan(values)
    readings = present.sum(axis=1)
    total = np.add.reduce(values, axis=1, where=present)
    if rollup == "mean":
        total /= np.maximum(readings, 1)
    total[readings == 0] = np.nan
    return total


def _zero_filled(values: Floats) -> Floats:
    if not len(values):
        return values
    missing = np.isnan(values)
    # Where a series has no reading at all, argmin is 0 and the row is missing: nothing of it has begun.
    first = missing.argmin(axis=0)
    never = missing[first, np.arange(values.shape[1])]
    holes = np.flatnonzero(missing)
    rows, columns = np.divmod(holes, values.shape[1])
    filled = values.copy()
    filled.ravel()[holes[(rows > first[columns]) & ~never[columns]]] = 0.0
    return filled


def _on_grid(metric: Metric, values: Floats, times: Instants, grid: Instants) -> Floats:
    if not len(grid):
        return np.empty((0, values.shape[1]))
    inside = np.flatnonzero((times >= grid[0]) & (times <= grid[-1]))
    places = np.searchsorted(grid, times[inside])
    astray = np.flatnonzero(grid[places] != times[inside])
    if len(astray):
        raise PanelError(f"metric {metric.name}: {times[inside][astray[0]]} is not the start of a bucket")
    if len(inside) == len(grid):
        return values[inside[0] : inside[-1] + 1]
    placed = np.full((len(grid), values.shape[1]), np.nan)
    placed[places] = values[inside]
    return placed
