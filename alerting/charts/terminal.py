"""The chart for a terminal, in braille dots over a shaded band."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Group
from rich.text import Text

from alerting.charts.curves import Curves, curves, named_days, zone_of
from detectors.buckets import as_datetime
from detectors.contract import Bools, Event, Floats, Instants
from notifiers.clean import clean
from notifiers.console import drawn
from notifiers.quantities import day, number
from notifiers.spark import Column, Range, cells, reach

_SCALE = 9


def terminal(
    times: Instants,
    observed: Floats,
    expected: Floats,
    lower: Floats,
    upper: Floats,
    anomalies: Bools,
    *,
    title: str,
    unit: str | None = None,
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    width: int = 80,
    height: int = 8,
) -> Group:
    """Title, chart and time axis in ``width`` characters; arguments as for ``png``. Raises ChartError."""
    shown, zone = curves(times, observed, expected, lower, upper, anomalies, events), zone_of(timezone)
    columns = _columns(shown, 2 * max(width - _SCALE, 10))
    rows = [Text.assemble(*(drawn(cell) for cell in row)) for row in cells(columns, height)]
    low, high = reach(columns) or (0.0, 0.0)
    across = rows[0].cell_len
    rows[0].append(f" {number(high)}", style="dim")
    rows[-1].append(f" {number(low)}", style="dim")
    first, last = as_datetime(shown.times[0]), as_datetime(shown.times[-1])
    left, right = (f"{day(at, zone, last)} {at.astimezone(zone):%H:%M}" for at in (first, last))
    axis = Text(f"{left}{right:>{max(across - len(left), len(right) + 1)}}", style="dim")
    named = Text.assemble((clean(title, width), "bold"), (f"  {clean(unit or '', 30)}", "dim"))
    legend = Text.assemble(("░ usual range  ⠒ observed  ", "dim"), *_count(shown))
    return Group(named, *rows, axis, legend, *_days(shown, zone, width))


def _count(shown: Curves) -> tuple[tuple[str, str], ...]:
    count = int(np.count_nonzero(shown.unusual))
    return ((f"⠒ {count:,} unusual", "bold red"),) if count else (("nothing unusual", "dim"),)


def _days(shown: Curves, zone: ZoneInfo, width: int) -> list[Text]:
    """The last of the named days, as many as fit in a line: ``Thu 27 Nov Thanksgiving Day``."""
    last, line = as_datetime(shown.times[-1]), ""
    for start, _, names in reversed(named_days(shown)):
        named = f"{day(as_datetime(shown.times[start]), zone, last)} {clean(names, 60)}"
        longer = f"{named} · {line}" if line else named
        if len(longer) > width:
            break
        line = longer
    return [Text(line, style="dim")] if line else []


def _columns(shown: Curves, most: int) -> list[Column]:
    """Points that share a column of dots become the range they span; few points are drawn wide."""
    count = len(shown.times)
    edges = np.linspace(0, count, min(count, most) + 1).round().astype(int).tolist()
    wide = max(most // (len(edges) - 1), 1)
    return [_column(shown, start, stop) for start, stop in pairwise(edges) for _ in range(wide)]


def _column(shown: Curves, start: int, stop: int) -> Column:
    within = slice(start, stop)
    low, high = _range(shown.lower[within]), _range(shown.upper[within])
    band = (low[0], high[1]) if low and high else None
    return Column(_range(shown.observed[within]), band, bool(shown.anomalies[within].any()))


def _range(values: Floats) -> Range | None:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None
