"""Small charts made of text: the series in braille dots, the band shaded behind, anomalies marked.

Each cell is two dots wide and four high, so a chart of 40 × 4 cells shows 80 × 16 dots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from notifiers.contract import Spark

Kind = Literal["line", "anomaly", "band", "empty"]
Range = tuple[float, float]

# Bits of the eight dots of a braille cell, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True)
class Cell:
    """One character of the chart, what it shows, and whether the band lies behind it."""

    text: str
    kind: Kind
    in_band: bool


@dataclass(frozen=True)
class _Column:
    """The readings that share one column of dots; None where there is none."""

    observed: Range | None
    band: Range | None
    is_anomaly: bool


def cells(spark: Spark, width: int = 40, height: int = 4) -> list[list[Cell]]:
    """The chart row by row from the top; empty where there is no reading at all."""
    span = reach(spark)
    if span is None:
        return []
    columns = _columns(spark, 2 * width)
    rows = 4 * height
    return [
        [_cell(columns[2 * x : 2 * x + 2], y, rows, span) for x in range((len(columns) + 1) // 2)]
        for y in range(height)
    ]


def reach(spark: Spark) -> Range | None:
    """The least and greatest value that the chart shows; None without any reading."""
    readings = [value for value in spark.observed if value is not None]
    if not readings:
        return None
    shown = readings + [value for value in (*spark.lower, *spark.upper) if value is not None]
    return min(shown), max(shown)


def _columns(spark: Spark, width: int) -> list[_Column]:
    """At most ``width`` columns: neighbours share one, an anomaly among them is never lost."""
    count = len(spark.observed)
    edges = [round(i * count / width) for i in range(width + 1)] if count > width else list(range(count + 1))
    spread = _stretched(edges, width)
    return [_column(spark, start, stop) for start, stop in spread]


def _stretched(edges: list[int], width: int) -> list[tuple[int, int]]:
    """Few readings are drawn wide: each takes as many columns as fit."""
    pairs = list(pairwise(edges))
    times = max(width // max(len(pairs), 1), 1)
    return [pair for pair in pairs for _ in range(times)]


def _column(spark: Spark, start: int, stop: int) -> _Column:
    lows = [value for value in spark.lower[start:stop] if value is not None]
    highs = [value for value in spark.upper[start:stop] if value is not None]
    readings = [value for value in spark.observed[start:stop] if value is not None]
    band = (min(lows), max(highs)) if lows and highs else None
    return _Column((min(readings), max(readings)) if readings else None, band, any(spark.anomalies[start:stop]))


def _cell(columns: Sequence[_Column], y: int, rows: int, span: Range) -> Cell:
    bits, in_band, is_anomaly = 0, False, False
    for x, column in enumerate(columns):
        top = 4 * y
        lit = [row for row in range(top, top + 4) if _covers(column.observed, row, rows, span)]
        bits |= sum(_DOTS[row - top][x] for row in lit)
        is_anomaly = is_anomaly or (column.is_anomaly and bool(lit))
        in_band = in_band or any(_covers(column.band, row, rows, span) for row in (top + 1, top + 2))
    if bits:
        return Cell(chr(0x2800 + bits), "anomaly" if is_anomaly else "line", in_band)
    return Cell("░" if in_band else " ", "band" if in_band else "empty", in_band)


def _covers(values: Range | None, row: int, rows: int, span: Range) -> bool:
    """Whether dot ``row`` (0 = top) lies between the two values."""
    if values is None:
        return False
    low, high = (_row(value, rows, span) for value in values)
    return high <= row <= low


def _row(value: float, rows: int, span: Range) -> int:
    low, high = span
    share = (value - low) / (high - low) if high > low else 0.5
    return round((1 - min(max(share, 0.0), 1.0)) * (rows - 1))
