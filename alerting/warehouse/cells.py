"""Cells of a result column as numbers, as labels, or as distinct values with a code per row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from typing import cast
from uuid import UUID

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerting.warehouse.table import Column
from detectors.contract import Bools, Floats

NULL_LABEL = "(null)"
"""How a NULL dimension reads; an empty text stays empty."""

_NUMERIC = (bool, int, float, Decimal, type(None))
_LABELS = (str, bool, int, float, Decimal, datetime, date, clock_time, timedelta, UUID, bytes, type(None))
Codes = NDArray[np.intp]


class BadCell(ValueError):
    """A cell holds what the column may not hold; the text names the column and the value."""


@dataclass(frozen=True)
class Coded:
    """The distinct values of a column and, per row, the index of its value; −1 = NULL."""

    codes: Codes
    uniques: Sequence[object]


@dataclass(frozen=True)
class Numbers:
    """float64 per row, NaN where NULL; ``odd`` counts cells that were NaN or infinite and became NaN."""

    values: Floats
    odd: int


def numbers(column: Column) -> Numbers:
    """Raises BadCell when a cell is not a number."""
    if column.kind == "plain":
        floats, nulls = _from_python(column)
    elif column.kind == "number":
        floats, nulls = np.asarray(column.cells, dtype=np.float64).copy(), column.missing
    else:
        raise BadCell(f"column {column.name} holds times, not numbers")
    if nulls is not None:
        floats[nulls] = 0.0
    odd = ~np.isfinite(floats)
    floats[odd] = np.nan
    if nulls is not None:
        floats[nulls] = np.nan
    return Numbers(floats, int(odd.sum()))


def coded(column: Column) -> Coded:
    """The distinct values in order of appearance: Python values, or datetime64 for the kinds that hold it.

    Raises BadCell when a cell cannot be told apart from others (a list, a map).
    """
    if column.kind != "plain":
        return _coded_array(np.asarray(column.cells), column.missing)
    cells = cast(Sequence[object], column.cells)
    types = set(map(type, cells)) - {type(None)}
    strange = [kind for kind in types if not issubclass(kind, _LABELS)]
    if strange:
        raise BadCell(f"column {column.name} holds values of type {strange[0].__name__}")
    try:
        # 1, 1.0 and True are equal to a hash table: tell them apart by type.
        return _coded_mixed(cells) if len(types) > 1 else _coded_alike(cells)
    except TypeError as exc:  # a signalling NaN has no hash
        raise BadCell(f"column {column.name} holds a value that equals nothing: {exc}") from exc


def labels(column: Column) -> tuple[Codes, list[str]]:
    """The column as text: a code per row, never −1, and what each code reads."""
    found = coded(column)
    texts = [value if type(value) is str else label(value, column.kind == "day") for value in found.uniques]
    merged = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    recode = np.array([merged[text] for text in texts], dtype=np.intp)
    codes = recode[found.codes] if len(recode) else found.codes.copy()
    if (found.codes < 0).any():
        codes[found.codes < 0] = merged.setdefault(NULL_LABEL, len(merged))
    return codes, list(merged)


def label(value: object, is_day: bool = False) -> str:
    """How a dimension value reads.

    >>> [label(value) for value in (True, 3, 2.0, Decimal("1.50"), date(2026, 1, 2), b"\\x0a", "de")]
    ['true', '3', '2.0', '1.50', '2026-01-02', '0a', 'de']
    """
    match value:
        case np.datetime64():
            return str(value.astype("datetime64[D]" if is_day else "datetime64[s]"))
        case bool() | np.bool_():
            return "true" if value else "false"
        case np.generic():
            return str(value.item())
        case Decimal():
            return format(value, "f")
        case date() | clock_time():
            return value.isoformat()
        case bytes():
            return value.hex()
    return str(value)


def _from_python(column: Column) -> tuple[Floats, Bools | None]:
    cells = cast(Sequence[object], column.cells)
    types = set(map(type, cells))
    for kind in types:
        if not issubclass(kind, _NUMERIC):
            first = next(cell for cell in cells if type(cell) is kind)
            raise BadCell(f"column {column.name} holds {str(first)[:60]!r}, which is {_named(kind)}, not a number")
    nulls = np.fromiter((cell is None for cell in cells), dtype=bool, count=len(cells)) if type(None) in types else None
    if types <= {float, int, bool}:
        try:
            return np.array(cells, dtype=np.float64), nulls
        except OverflowError:
            pass
    return np.fromiter(map(_float, cells), dtype=np.float64, count=len(cells)), nulls


def _float(cell: object) -> float:
    try:
        return float(cast(float, cell)) if cell is not None else np.nan
    except OverflowError:
        return np.inf
    except ValueError:  # a signalling NaN
        return np.nan


def _coded_array(array: NDArray[np.generic], missing: Bools | None) -> Coded:
    codes, uniques = pd.factorize(array)
    if missing is not None:
        codes[missing] = -1
    return Coded(codes, list(uniques))


def _coded_alike(cells: Sequence[object]) -> Coded:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    codes, uniques = pd.factorize(array)
    return Coded(codes, list(uniques))


def _coded_mixed(cells: Sequence[object]) -> Coded:
    found: dict[tuple[type, object], int] = {}
    uniques: list[object] = []
    codes = np.full(len(cells), -1, dtype=np.intp)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        key = (type(cell), cell)
        if key not in found:
            found[key] = len(uniques)
            uniques.append(cell)
        codes[row] = found[key]
    return Coded(codes, uniques)


def _named(kind: type) -> str:
    return {str: "text", bytes: "binary", timedelta: "an interval"}.get(kind, f"a {kind.__name__}")
