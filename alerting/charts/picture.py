"""The PNG that a message shows, made to be read on a phone.

Only matplotlib's objects are used, never pyplot, so pictures may be drawn in several threads at once; matplotlib
itself is imported with the first picture.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from alerting.charts.curves import ChartError, Curves, curves, named_days, runs, ticks, zone_of
from detectors.buckets import as_datetime, as_instant
from detectors.contract import Bools, Event, Floats, Instants
from notifiers.clean import bounded, clean
from notifiers.quantities import number

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET = "#1d2733", "#55606e"
BAND, USUAL, ALARM, FAINT, GRID = "#cfe0f4", "#6f9bd1", "#d92d20", "#c5ccd6", "#e8ebef"
DAY, NAMED = "#f8f1de", "#8a6d1f"
DPI, TITLE, SMALL = 100, 18, 13.5
SIGN = 0.0068
"""How wide a sign of a day's name is, as a share of the picture."""


def png(
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
    size: tuple[int, int] = (1200, 480),
) -> bytes:
    """A PNG of ``size`` pixels: the line, the band, anomalies in red; NaN is a gap. Raises ChartError.

    Days with a name (``events``) are shaded and named, as far as the names find room.
    Arrays are ``[T]``, or ``[T, S]`` for several series: then the worst one is drawn and the others stand behind it.
    """
    shown, zone = curves(times, observed, expected, lower, upper, anomalies, events), zone_of(timezone)
    try:
        return _drawn(shown, title, unit, zone, size)
    except (ValueError, TypeError, RuntimeError, ArithmeticError, OSError, LookupError) as error:
        raise ChartError(f"the chart could not be drawn: {error}") from error


def _drawn(shown: Curves, title: str, unit: str | None, zone: ZoneInfo, size: tuple[int, int]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor="white")
    axes = figure.subplots()
    figure.subplots_adjust(left=0.075, right=0.985, top=0.775 if shown.events else 0.81, bottom=0.12)
    draw_days(axes, shown)
    draw_band(axes, shown)
    draw_lines(axes, shown)
    draw_anomalies(axes, shown)
    dress(axes, shown)
    mark_times(axes, shown, zone)
    _name(figure, axes, title, unit)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def draw_days(axes: Axes, shown: Curves, *, named: bool = True) -> None:
    days = named_days(shown)
    for start, stop, _ in days:
        left, right = as_datetime(shown.times[start]), as_datetime(shown.times[stop] + shown.bucket)
        axes.axvspan(left, right, facecolor=DAY, edgecolor="white", linewidth=1, zorder=0.4)  # type: ignore[arg-type]  # the axis knows instants
    # Short names first: the day itself before the days around it, which are named after it.
    taken: list[tuple[float, float]] = []
    for start, stop, names in sorted(days if named else (), key=lambda day: len(day[2])):
        name = bounded(drawable(clean(names, 80)), 40)
        half = len(name) * SIGN / 2
        place = min(max((start + stop + 1) / 2 / len(shown.times), half), 1 - half)
        if all(place + half < left or place - half > right for left, right in taken):
            taken.append((place - half - SIGN, place + half + SIGN))
            _name_day(axes, shown, place, name)


def _name_day(axes: Axes, shown: Curves, place: float, name: str) -> None:
    """``place`` is a share of the time shown."""
    at = shown.times[0] + np.timedelta64(int(place * (shown.times[-1] - shown.times[0]).astype(int)), "us")
    axes.text(
        as_datetime(at),  # type: ignore[arg-type]  # the axis knows instants
        1.01,
        name,
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="bottom",
        fontsize=SMALL - 2,
        color=NAMED,
        parse_math=False,
    )


def draw_band(axes: Axes, shown: Curves) -> None:
    lower, upper = shown.lower, shown.upper
    both = np.isfinite(lower) & np.isfinite(upper)
    if both.any():
        axes.fill_between(
            shown.times, lower, upper, where=both.tolist(), color=BAND, linewidth=0, label="usual range", zorder=1
        )
    for bound in (lower, upper):
        alone = np.where(both, np.nan, bound)
        if np.isfinite(alone).any():
            axes.plot(shown.times, alone, color=ALARM, linewidth=1.6, linestyle=(0, (6, 4)), label="limit", zorder=2)


def draw_lines(axes: Axes, shown: Curves) -> None:
    if shown.others.size:
        axes.plot(shown.times, shown.others, color=FAINT, linewidth=1, zorder=1.5)
    if np.isfinite(shown.expected).any():
        axes.plot(shown.times, shown.expected, color=USUAL, linewidth=1.3, label="expected", zorder=3)
    axes.plot(shown.times, shown.observed, color=INK, linewidth=1.7, label="observed", zorder=4)
    # A reading between two gaps is no line: without a dot it would not be seen.
    padded = np.concatenate(([np.nan], shown.observed, [np.nan]))
    lone = np.isfinite(padded[1:-1]) & np.isnan(padded[:-2]) & np.isnan(padded[2:])
    axes.plot(shown.times[lone], shown.observed[lone], ".", color=INK, markersize=6, zorder=4)


def draw_anomalies(axes: Axes, shown: Curves) -> None:
    unusual = shown.unusual
    if not unusual.any():
        return
    half = shown.bucket // 2
    for start, stop in runs(shown.anomalies):
        left, right = as_datetime(shown.times[start] - half), as_datetime(shown.times[stop] + half)
        axes.axvspan(left, right, color=ALARM, alpha=0.12, linewidth=0, zorder=0.5)  # type: ignore[arg-type]  # the axis knows instants
    axes.plot(shown.times, np.where(unusual, shown.observed, np.nan), color=ALARM, linewidth=3, zorder=5)
    axes.plot(
        shown.times[unusual],
        shown.observed[unusual],
        "o",
        color=ALARM,
        label="unusual",
        markersize=7.5 if unusual.sum() < 60 else 4,
        markeredgecolor="white",
        markeredgewidth=1,
        zorder=6,
    )
    _label_newest(axes, shown)


def _label_newest(axes: Axes, shown: Curves) -> None:
    """The value of the newest unusual point, which is the one that messages name, written beside it."""
    place = int(np.flatnonzero(shown.unusual)[-1])
    expected = shown.expected[place] if np.isfinite(shown.expected[place]) else np.nanmedian(shown.observed)
    is_low = bool(shown.observed[place] < expected)
    is_late = place > len(shown.times) * 0.85
    axes.annotate(
        number(float(shown.observed[place])),
        (as_datetime(shown.times[place]), shown.observed[place]),
        xytext=(-14 if is_late else 14, -3 if is_low else 3),
        textcoords="offset points",
        ha="right" if is_late else "left",
        va="top" if is_low else "bottom",
        fontsize=SMALL + 3,
        fontweight="bold",
        color=ALARM,
        zorder=7,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.85},
    )


def dress(axes: Axes, shown: Curves, steps: int = 5) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=SMALL, colors=QUIET, length=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=steps, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 6)))
    axes.margins(x=0.012, y=0.10)
    # Amounts stand on zero; a band that reaches below it is not worth a third of the picture.
    if np.nanmin(shown.observed) >= 0 and axes.get_ylim()[0] < 0:
        axes.set_ylim(bottom=0)


def mark_times(axes: Axes, shown: Curves, zone: ZoneInfo) -> None:
    marks = ticks(shown.times, zone)
    first, last = as_datetime(shown.times[0]), as_datetime(shown.times[-1])
    # A label at the very edge would be cut off.
    kept = [(at, text) for at, text in marks if 0.03 * (last - first) <= at - first <= 0.97 * (last - first)]
    axes.set_xticks([as_instant(at) for at, _ in kept], labels=[text for _, text in kept])
    axes.tick_params(axis="x", length=6, color=FAINT)


def _name(figure: Figure, axes: Axes, title: str, unit: str | None) -> None:
    shown = drawable(clean(title, 70))
    figure.text(0.022, 0.942, shown, fontsize=TITLE, fontweight="bold", color=INK, va="center", parse_math=False)
    below = drawable(clean(unit or "", 40))
    figure.text(0.022, 0.862, below, fontsize=SMALL, color=QUIET, va="center", parse_math=False)
    legend(figure, [axes], 0.862)


def legend(figure: Figure, all_axes: Sequence[Axes], height: float) -> None:
    """What the colours of all charts mean, once, at the right of the picture; ``height`` is a share of it."""
    unique: dict[str, Artist] = {}
    for axes in all_axes:
        handles, labels = axes.get_legend_handles_labels()
        unique |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(unique.values()),
        list(unique),
        loc="center right",
        bbox_to_anchor=(0.99, height),
        ncols=len(unique),
        frameon=False,
        fontsize=SMALL,
        labelcolor=QUIET,
        handlelength=1.6,
        columnspacing=1.4,
    )


def drawable(text: str) -> str:
    """The text with a box for each sign that the font has not: matplotlib would warn, and draw one anyway."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold"))).get_charmap()
    return "".join(sign if ord(sign) in known else "□" for sign in text)
