"""Several series in one picture, each with its own scale: what a message shows when many fire at once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from alerting.charts.curves import ChartError, Curves, ticks, zone_of
from alerting.charts.picture import (
    DPI,
    INK,
    QUIET,
    SMALL,
    TITLE,
    draw_anomalies,
    draw_band,
    draw_days,
    draw_lines,
    drawable,
    dress,
    legend,
)  # fmt: skip
from detectors.buckets import as_datetime, as_instant
from notifiers.clean import clean

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from matplotlib.axes import Axes

MOST = 9
WIDTH, ROW, TOP = 1200, 270, 76


@dataclass(frozen=True)
class Small:
    """One of the charts: what ``curves`` made of a series, and what it is called."""

    title: str
    unit: str | None
    shown: Curves


def small_multiples(charts: Sequence[Small], *, title: str, timezone: str = "UTC") -> bytes:
    """A PNG 1,200 pixels wide with 2 to 9 charts in reading order, as high as they need. Raises ChartError."""
    zone = zone_of(timezone)
    if not 2 <= len(charts) <= MOST:
        raise ChartError(f"{len(charts)} charts in one picture: it takes 2 to {MOST}")
    try:
        return _drawn(charts, title, zone)
    except (ValueError, TypeError, RuntimeError, ArithmeticError, OSError, LookupError) as error:
        raise ChartError(f"the charts could not be drawn: {error}") from error


def _drawn(charts: Sequence[Small], title: str, zone: ZoneInfo) -> bytes:
    from matplotlib.figure import Figure

    columns = 2 if len(charts) in (2, 4) else 3
    rows = ceil(len(charts) / columns)
    height = TOP + rows * ROW
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
    grid = figure.subplots(rows, columns, squeeze=False)
    figure.subplots_adjust(
        left=0.06, right=0.985, top=1 - (TOP + 46) / height, bottom=34 / height, hspace=0.46, wspace=0.2
    )
    places = list(grid.flat)
    for axes, chart in zip(places, charts, strict=False):
        _draw(axes, chart, zone, columns)
    for axes in places[len(charts) :]:
        axes.set_visible(False)
    middle = 1 - TOP / 2 / height
    shown = drawable(clean(title, 60))
    figure.text(0.022, middle, shown, fontsize=TITLE, fontweight="bold", color=INK, va="center", parse_math=False)
    legend(figure, places[: len(charts)], middle)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw(axes: Axes, chart: Small, zone: ZoneInfo, columns: int) -> None:
    room, marks = (46, 3) if columns == 2 else (27, 2)  # characters and dates that fit above and below
    draw_days(axes, chart.shown, named=False)
    draw_band(axes, chart.shown)
    draw_lines(axes, chart.shown)
    draw_anomalies(axes, chart.shown)
    dress(axes, chart.shown, steps=3)
    _mark_few_times(axes, chart.shown, zone, marks)
    name = drawable(clean(chart.title, room))
    axes.set_title(name, loc="left", fontsize=SMALL + 1, fontweight="bold", color=INK, pad=8, parse_math=False)
    unit = drawable(clean(chart.unit or "", 20))
    fitting = unit if len(name) + len(unit) < room else ""
    axes.set_title(fitting, loc="right", fontsize=SMALL - 2, color=QUIET, pad=8, parse_math=False)


def _mark_few_times(axes: Axes, shown: Curves, zone: ZoneInfo, most: int) -> None:
    first, last = as_datetime(shown.times[0]), as_datetime(shown.times[-1])
    inside = [mark for mark in ticks(shown.times, zone) if 0.06 <= (mark[0] - first) / (last - first) <= 0.94]
    kept = inside[:: ceil(len(inside) / most) or 1]
    axes.set_xticks([as_instant(at) for at, _ in kept], labels=[text for _, text in kept])
    axes.tick_params(axis="x", length=4)
