"""The drawing of one series: values, band, labelled windows, and a lane of marks for each detector.

Coordinates are those of an SVG of ``WIDTH`` by ``HEIGHT`` with the marks below the plot. However long the series, a
picture holds at most two points per column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats
from tests.accuracy.labelled import Series
from tests.accuracy.measures.episodes import Reach, events, false_alerts, reached
from tests.accuracy.outcome import Outcome

WIDTH, HEIGHT, LANE = 640, 130, 16
COLUMNS = 640


@dataclass(frozen=True)
class Box:
    """From ``x`` over ``width``, in units of the drawing."""

    x: float
    width: float


@dataclass(frozen=True)
class Lane:
    """What one detector said: ``hits`` the first alert of each event found, ``false`` where each false alert counts."""

    name: str
    hits: tuple[float, ...]
    missed: tuple[Box, ...]
    false: tuple[float, ...]

    @property
    def told(self) -> str:
        found = len(self.hits)
        return f"{found} of {found + len(self.missed)} found, {len(self.false)} false"


@dataclass(frozen=True)
class Picture:
    """``line`` and ``band`` are SVG paths, ``band`` empty where the detector has none."""

    name: str
    about: str
    line: str
    band: str
    windows: tuple[Box, ...]
    warmup: Box
    lanes: tuple[Lane, ...]
    top: str
    bottom: str
    begins: str
    ends: str

    @property
    def height(self) -> int:
        return HEIGHT + LANE * len(self.lanes)


def picture(series: Series, outcomes: Sequence[tuple[str, Outcome]]) -> Picture:
    """The series with the band of the first outcome and a lane for each."""
    low, high = _range(series.values)
    across = _Across(series)
    band = _band(across, outcomes[0][1], low, high) if outcomes else ""
    first, last = (str(series.times_s[place].astype("datetime64[s]").astype("datetime64[D]")) for place in (0, -1))
    days = (series.times_s[-1] - series.times_s[0]) / 86400
    return Picture(
        name=series.name,
        about=f"{len(series):,} readings, one each {_step(series.step_s)}, {days:.0f} days",
        line=_line(across, series.values, low, high),
        band=band,
        windows=tuple(across.box(*event) for event in events(series)),
        warmup=across.box(0, series.warmup),
        lanes=tuple(lane(name, series, outcome) for name, outcome in outcomes),
        top=f"{high:.4g}",
        bottom=f"{low:.4g}",
        begins=first,
        ends=last,
    )


def lane(name: str, series: Series, outcome: Outcome) -> Lane:
    """Hits, misses and false alerts at the detector's usual setting."""
    across, reach = _Across(series), Reach.of(series)
    heard = outcome.alert & series.live
    hits, missed = [], []
    for first, last in events(series):
        start = max(0, first - reach.lead)
        places = np.flatnonzero(heard[start : last + reach.tail + 1])
        if places.size:
            hits.append(across.x(start + int(places[0])))
        else:
            missed.append(across.box(first, last))
    false = false_alerts(series, heard, reached(series, reach))
    return Lane(name, tuple(hits), tuple(missed), tuple(across.x(place) for place in false))


class _Across:
    """Readings to places from left to right, by time."""

    def __init__(self, series: Series) -> None:
        span_s = max(1, int(series.times_s[-1] - series.times_s[0]))
        self.places = (series.times_s - series.times_s[0]) / span_s * WIDTH
        self.columns = np.minimum((self.places / WIDTH * COLUMNS).astype(np.int64), COLUMNS - 1)

    def x(self, place: int) -> float:
        return round(float(self.places[place]), 1)

    def box(self, first: int, last: int) -> Box:
        left, right = self.x(first), self.x(min(last, len(self.places) - 1))
        return Box(left, round(max(right - left, 1.2), 1))


def _range(values: Floats) -> tuple[float, float]:
    """The range to draw: a lone extreme may leave it, so that the rest stays legible."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    usual_low, usual_high = np.quantile(known, [0.005, 0.995])
    room = 1.5 * (usual_high - usual_low)
    low, high = max(float(known.min()), usual_low - room), min(float(known.max()), usual_high + room)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _y(values: Floats, low: float, high: float) -> Floats:
    found: Floats = np.clip((high - values) / (high - low), 0.0, 1.0) * (HEIGHT - 6) + 3
    return found


def _line(across: _Across, values: Floats, low: float, high: float) -> str:
    """A path through the least and greatest value of each column, broken where there is no reading."""
    known = np.isfinite(values)
    columns, y = across.columns[known], _y(values[known], low, high)
    if not columns.size:
        return ""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(columns) > 0)))
    least, most = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    usual = 3 * max(1.0, float(np.median(np.diff(columns[starts]))) if len(starts) > 1 else 1.0)
    path, before = [], -np.inf
    for column, top, bottom in zip(columns[starts].tolist(), least.tolist(), most.tolist(), strict=True):
        x = round(column * WIDTH / COLUMNS, 1)
        path.append(f"{'M' if column - before > usual else 'L'}{x:g} {top:.1f}")
        if bottom - top > 0.1:
            path.append(f"V{bottom:.1f}")
        before = column
    return "".join(path)


def _band(across: _Across, outcome: Outcome, low: float, high: float) -> str:
    """A closed path for each stretch where there is a band; bounds are averaged over each column."""
    known = np.isfinite(outcome.lower) & np.isfinite(outcome.upper)
    columns = across.columns[known]
    if not columns.size:
        return ""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(columns) > 0)))
    counts = np.diff(np.append(starts, len(columns)))
    top, bottom = (
        np.add.reduceat(_y(bound[known], low, high), starts) / counts for bound in (outcome.upper, outcome.lower)
    )
    x = columns[starts] * WIDTH / COLUMNS
    holes = np.flatnonzero(np.diff(x) > 3 * max(1.0, float(np.median(np.diff(x))) if len(x) > 1 else 1.0)) + 1
    stretches = np.split(np.arange(len(x)), holes)
    return "".join(_closed(x[part], top[part], bottom[part]) for part in stretches)


def _closed(x: Floats, top: Floats, bottom: Floats) -> str:
    there = [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), top.tolist(), strict=True)]
    back = [f"{a:.1f} {b:.1f}" for a, b in zip(x[::-1].tolist(), bottom[::-1].tolist(), strict=True)]
    return "M" + "L".join([*there, *back]) + "Z"


def _step(step_s: int) -> str:
    if step_s >= 86400:
        return "day"
    return f"{step_s // 60} min" if step_s < 3600 else f"{step_s // 3600} h"
