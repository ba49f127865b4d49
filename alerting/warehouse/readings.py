"""A result table becomes a block: what rows may look like is decided here. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerting.core.blocks import Block, ColumnKey
from alerting.warehouse.cells import BadCell, Coded, coded, labels, numbers
from alerting.warehouse.errors import BadResult
from alerting.warehouse.instants import Moment, NotATime, moment
from alerting.warehouse.table import Column, Table
from alerting.warehouse.windows import Window
from config.model import Query
from detectors.buckets import as_datetime, as_instant
from detectors.contract import Bools, Floats, Instants

_TIME = "time"
_HOUR = timedelta(hours=1)
Indexes = NDArray[np.intp]
Label = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reading:
    """The block of a window, and what a person should know about how it came to be."""

    block: Block
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Times:
    """Per row: its ``bucket`` in the grid, −1 = outside; ``repeated``: a local time that happens twice."""

    bucket: Indexes
    repeated: Bools
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Series:
    """Per row: its ``index`` in ``labels``, which are sorted."""

    index: Indexes
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class _Shape:
    query: Query
    window: Window
    grid: Instants
    naive_time: str

    @property
    def subject(self) -> str:
        return f"query {self.query.name}"


def read(table: Table, query: Query, window: Window, values: Sequence[str], naive_time: str) -> Reading:
    """The readings of the window on the full grid of its buckets; NaN where the warehouse had no row.

    ``values`` are the value columns; all others but ``time`` are dimensions. Raises BadResult.
    """
    shape = _Shape(query, window, query.bucket.starts(window.since, window.until, query.timezone), naive_time)
    time, measures, dimensions = _roles(table, values, shape.subject)
    times = _times(time, shape)
    series = _series(dimensions, table.rows, shape)
    doubled = _doubled(times, series, shape)
    notes = list(times.warnings) + _doubled_note(doubled, shape)
    panel = np.full((len(shape.grid), len(values) * len(series.labels)), np.nan)
    for number, column in enumerate(measures):
        notes += _fill(panel[:, number * len(series.labels) :][:, : len(series.labels)], column, times, series, shape)
    panel[np.tile(doubled, (1, len(values)))] = np.nan
    keys = tuple(ColumnKey(name, label) for name in values for label in series.labels)
    return Reading(Block(shape.grid, keys, panel), tuple(notes))


def _roles(table: Table, values: Sequence[str], subject: str) -> tuple[Column, list[Column], list[Column]]:
    """The time column, the value columns in the order asked for, and the dimensions."""
    twice = [name for name, count in Counter(name.casefold() for name in table.names).items() if count > 1]
    if twice:
        raise BadResult(subject, f"the result has two columns named {twice[0]}", "give each its own name with AS")
    by_name = {column.name.casefold(): column for column in table.columns}
    for name in (_TIME, *values):
        if name.casefold() not in by_name:
            has = ", ".join(table.names) or "no column at all"
            raise BadResult(subject, f"the result has no column {name} (it has {has})", f"name one with AS {name}")
    used = {name.casefold() for name in (_TIME, *values)}
    dimensions = [column for column in table.columns if column.name.casefold() not in used]
    return by_name[_TIME], [by_name[name.casefold()] for name in values], dimensions


def _times(column: Column, shape: _Shape) -> _Times:
    seen = _distinct(column, shape)
    nulls = int((seen.codes < 0).sum())
    if nulls:
        remedy = f"leave rows without {_TIME} out in the SQL"
        raise BadResult(shape.subject, f"{_TIME} is NULL in {nulls} rows", remedy)
    try:
        moments = [_moment(value, column, shape) for value in seen.uniques]
    except NotATime as exc:
        remedy = "return the start of the bucket as a timestamp, a date, ISO 8601 text or epoch seconds"
        raise BadResult(shape.subject, f"column {_TIME}: {exc}", remedy) from exc
    starts = np.array([as_instant(found.instant) for found in moments], dtype="datetime64[us]")
    starts = shape.query.bucket.floor(starts, shape.query.timezone) if len(starts) else starts
    place = np.searchsorted(shape.grid, starts)
    outside = (starts < as_instant(shape.window.since)) | (starts >= as_instant(shape.window.until))
    place[outside] = -1
    repeated = np.array([found.is_repeated for found in moments], dtype=bool)
    rows = np.bincount(seen.codes, minlength=len(starts))
    return _Times(place[seen.codes], repeated[seen.codes], _outside_notes(starts, rows, shape))


def _distinct(column: Column, shape: _Shape) -> Coded:
    try:
        return coded(column)
    except BadCell as exc:
        raise BadResult(shape.subject, str(exc), "cast it to text or to a number in the SQL") from exc


def _moment(value: object, column: Column, shape: _Shape) -> Moment:
    if isinstance(value, np.datetime64):
        if np.isnat(value) or abs(value.astype("datetime64[Y]").astype(int) + 1970) > 9999:
            raise NotATime(f"{value} is outside the years 1 to 9999")
        value = as_datetime(value) if column.kind == "instant" else as_datetime(value).replace(tzinfo=None)
    elif isinstance(value, np.generic):
        value = value.item()
    query = shape.query
    return moment(value, naive_time=shape.naive_time, day_zone=query.timezone, is_calendar=query.bucket.is_calendar)


def _outside_notes(starts: Instants, rows: NDArray[np.intp], shape: _Shape) -> tuple[str, ...]:
    since, until = as_instant(shape.window.since), as_instant(shape.window.until)
    notes = []
    for beyond, words, extreme in (
        (starts >= until, "after", np.max),
        (starts < since, "before", np.min),
    ):
        if beyond.any():
            farthest = as_datetime(extreme(starts[beyond])).isoformat()
            notes.append(
                f"{int(rows[beyond].sum())} rows lie {words} the window and were left out (as far as {farthest}): "
                "does the SQL filter by :start and :end, and is naive_time right?"
            )
    return tuple(notes)


def _series(dimensions: Sequence[Column], rows: int, shape: _Shape) -> _Series:
    if not dimensions:
        return _Series(np.zeros(rows, dtype=np.intp), ((),) if rows else ())
    named = sorted(dimensions, key=lambda column: column.name)
    try:
        coded_texts = [labels(column) for column in named]
    except BadCell as exc:
        raise BadResult(shape.subject, str(exc), "cast it to text in the SQL, or leave it out") from exc
    combined = coded_texts[0][0]
    for codes, texts in coded_texts[1:]:
        # Coding anew after each column keeps the numbers small, however many columns there are.
        combined = pd.factorize(combined * max(1, len(texts)) + codes)[0]
    first = _first_rows(combined)
    _refuse_too_many(len(first), named, [texts for _, texts in coded_texts], shape)
    names = [
        tuple((column.name, texts[codes[row]]) for column, (codes, texts) in zip(named, coded_texts, strict=True))
        for row in first
    ]
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return _Series(rank[combined], tuple(names[index] for index in order))


def _first_rows(codes: Indexes) -> Indexes:
    """For each code 0 … n − 1 the first row that has it."""
    first = np.empty(int(codes.max()) + 1 if len(codes) else 0, dtype=np.intp)
    # Of repeated indexes numpy keeps the last: written backwards, that is the first row.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def _refuse_too_many(found: int, columns: Sequence[Column], texts: Sequence[Sequence[str]], shape: _Shape) -> None:
    if found <= shape.query.max_series:
        return
    count, name = max((len(distinct), column.name) for column, distinct in zip(columns, texts, strict=True))
    raise BadResult(
        shape.subject,
        f"{found} series, more than max_series {shape.query.max_series}; column {name} has {count} distinct values",
        f"leave {name} out of the SQL, group it, or raise max_series",
    )


def _doubled(times: _Times, series: _Series, shape: _Shape) -> Bools:
    """Where two rows claim one bucket of one series and nobody can tell which is which: [T, S].

    That is the repeated hour of a local time read without its offset. Anywhere else it is an error.
    """
    size = (len(shape.grid), len(series.labels))
    inside = times.bucket >= 0
    flat = times.bucket[inside] * size[1] + series.index[inside]
    counts = np.bincount(flat, minlength=size[0] * size[1]).reshape(size)
    twice: Bools = counts > 1
    if not twice.any():
        return twice
    excused = np.zeros(size, dtype=bool)
    if not shape.query.bucket.is_calendar and shape.query.bucket.nominal <= _HOUR:
        excused.flat[flat[times.repeated[inside]]] = True
    wrong = np.argwhere(twice & ~excused)
    if len(wrong):
        bucket, index = wrong[0]
        where = ", ".join(f"{name}={text}" for name, text in series.labels[index])
        raise BadResult(
            shape.subject,
            f"duplicate rows: {counts[bucket, index]} for the bucket {_text(shape.grid[bucket])}"
            + (f" and {where}" if where else ""),
            "GROUP BY the bucket and every dimension",
        )
    return twice


def _doubled_note(doubled: Bools, shape: _Shape) -> list[str]:
    buckets = np.flatnonzero(doubled.any(axis=1))
    if not len(buckets):
        return []
    first = _text(shape.grid[buckets[0]])
    repeated = f"the hour that the clocks of {shape.naive_time} repeat came twice without an offset"
    return [f"{repeated}: no reading for {first} (return aware timestamps to keep both)"]


def _fill(panel: Floats, column: Column, times: _Times, series: _Series, shape: _Shape) -> list[str]:
    """Writes the column into its part of the panel; says which cells were no numbers."""
    try:
        found = numbers(column)
    except BadCell as exc:
        raise BadResult(shape.subject, str(exc), "a value column is numeric: cast it in the SQL") from exc
    inside = times.bucket >= 0
    panel[times.bucket[inside], series.index[inside]] = found.values[inside]
    if not found.odd:
        return []
    return [f"column {column.name}: {found.odd} values were NaN or infinite and count as no reading"]


def _text(instant: np.datetime64) -> str:
    return as_datetime(instant).astimezone(UTC).isoformat()
