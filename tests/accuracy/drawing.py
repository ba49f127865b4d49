"""How the pictures of the documentation look: one light style, few words, and matplotlib's objects only."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter
from PIL import Image

from detectors.contract import Bools, Floats, Instants

INK, QUIET, GRID = "#1d2733", "#55606e", "#e8ebef"
BAND, USUAL, ALARM, LABEL, WARM, COOL = "#cfe0f4", "#3f78bd", "#d92d20", "#fbeecb", "#b7791f", "#2f855a"
WIDTH, DPI = 9.0, 130


def sheet(height: float, rows: int = 1, columns: int = 1, ratios: Sequence[float] | None = None) -> Figure:
    """An empty figure whose axes, ``rows`` by ``columns``, are in ``figure.axes``; height in inches."""
    engine = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.05, hspace=0.03, wspace=0.03)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white", layout=engine)
    figure.subplots(rows, columns, squeeze=False, height_ratios=ratios)
    for axes in figure.axes:
        dress(axes)
    return figure


def dress(axes: Axes) -> None:
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, labelsize=8, length=0)
    axes.margins(x=0.005)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color("#c5ccd6")


def title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=9.5, color=INK, pad=5)


def dates(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]  # matplotlib has no types there
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]  # as above


def thousands(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")))


def band(axes: Axes, times: Instants, lower: Floats, upper: Floats, text: str = "bound") -> None:
    axes.fill_between(times, lower, upper, color=BAND, linewidth=0, label=text)


def line(axes: Axes, times: Instants, values: Floats, text: str, *, colour: str = INK, width: float = 1.1) -> None:
    axes.plot(times, values, color=colour, linewidth=width, label=text, solid_joinstyle="round")


def marks(axes: Axes, times: Instants, values: Floats, which: Bools, text: str = "anomaly") -> None:
    axes.plot(times[which], values[which], "o", color=ALARM, markersize=3.2, markeredgewidth=0, label=text, zorder=4)


def spans(axes: Axes, times: Instants, windows: Sequence[tuple[int, int]], text: str = "labelled by people") -> None:
    """Shades each window, from its first to its last bucket; the legend names them once."""
    step = times[1] - times[0]
    for place, (first, last) in enumerate(windows):
        left, right = times[max(first, 0)], times[min(last, len(times) - 1)] + step
        axes.axvspan(left, right, color=LABEL, linewidth=0, zorder=0, label="" if place else text)


def legend(axes: Axes, columns: int = 4) -> None:
    axes.legend(
        loc="upper left", ncols=columns, fontsize=8, frameon=True, framealpha=0.85, edgecolor="none", labelcolor=QUIET
    )


def within(values: Floats, room: float = 0.15) -> tuple[float, float]:
    """Limits of an axis that holds these values."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return low - room * (high - low), high + room * (high - low)


def write(figure: Figure, path: Path) -> None:
    """A PNG of 256 colours: a third of the size. An octree keeps colours that are rare, as an anomaly's is."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
