"""Small charts made of text: the series in braille dots, the band shaded behind, anomalies marked.

Each cell is two dots wide and four high, so a chart of 40 × 4 cells shows 80 × 16 dots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
class Column:
    """What one column of dots shows: the range of its readings, and the band; None where there is none."""

    observed: Range | None
    band: Range | None
    is_anomaly: bool


def columns(spark: Spark, width: int = 40) -> list[Column]:
    """The columns of a chart ``width`` cells wide: neighbours share one, and few readings are drawn wide."""
    count, most = len(spark.observed), 2 * width
    shown = min(count, most)
    edges = [round(place * count / shown) for place in range(shown + 1)] if shown else []
    wide = most // shown if shown else 1
    return [_column(spark, start, stop) for start, stop in pairwise(edges) for _ in range(wide)]


def cells(shown: Sequence[Column], height: int = 4) -> list[list[Cell]]:
    """The chart row by row from the top; empty where there is no reading at all."""
    span = reach(shown)
    if span is None:
        return []
    joined, rows = _joined(shown), 4 * height
    return [[_cell(joined[x : x + 2], y, rows, span) for x in range(0, len(joined), 2)] for y in range(height)]


def reach(shown: Sequence[Column]) -> Range | None:
    """The least and greatest value of the chart; None without any reading."""
    if not any(column.observed for column in shown):
        return None
    ranges = [part for column in shown for part in (column.observed, column.band) if part]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _column(spark: Spark, start: int, stop: int) -> Column:
    lows = [value for value in spark.lower[start:stop] if value is not None]
    highs = [value for value in spark.upper[start:stop] if value is not None]
    readings = [value for value in spark.observed[start:stop] if value is not None]
    band = (min(lows), max(highs)) if lows and highs else None
    return Column((min(readings), max(readings)) if readings else None, band, any(spark.anomalies[start:stop]))


def _joined(shown: Sequence[Column]) -> list[Column]:
    """Each range reaches halfway to its left neighbour's, so that the line has no holes but where readings have."""
    joined = list(shown)
    for place, (left, right) in enumerate(pairwise(shown)):
        if left.observed and right.observed:
            meeting = _between(left.observed, right.observed)
            joined[place] = replace(joined[place], observed=_widened(joined[place].observed or left.observed, meeting))
            joined[place + 1] = replace(right, observed=_widened(right.observed, meeting))
    return joined


def _between(left: Range, right: Range) -> float:
    """The value halfway over the gap between two ranges; a value of both where they overlap."""
    return (max(left[0], right[0]) + min(left[1], right[1])) / 2


def _widened(values: Range, by: float) -> Range:
    return min(values[0], by), max(values[1], by)


def _cell(pair: Sequence[Column], y: int, rows: int, span: Range) -> Cell:
    bits, in_band, is_anomaly = 0, False, False
    for x, column in enumerate(pair):
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
