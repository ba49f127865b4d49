"""``make pictures``: draws the pictures of docs/how-it-decides.md from the shipped series."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detectors import ANOMALY, Explanation, Panel, Verdicts
from detectors.contract import Bools
from detectors.seasonal import Seasonal
from tests.accuracy import drawing
from tests.accuracy.labelled import Series, collection
from tests.accuracy.measures.calibration import paged
from tests.accuracy.ours import on_grid
from tests.accuracy.outcome import Outcome
from tests.accuracy.synthetic import LAWS, SEEDS, synthetic
from tests.accuracy.together import judged_together

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TAXI, THANKSGIVING = "realKnownCause.nyc_taxi", np.datetime64("2014-11-27T08:00", "us")
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Seen:
    """A shipped series on its grid with the verdicts of `seasonal`."""

    series: Series
    panel: Panel
    verdicts: Verdicts
    windows: tuple[tuple[int, int], ...]

    @property
    def anomalous(self) -> Bools:
        found: Bools = self.verdicts.status[:, 0] == ANOMALY
        return found


def series_of(name: str, place: str) -> Series:
    return next(series for series in collection(name) if series.name == place)


def seen(series: Series, detector: Seasonal | None = None) -> Seen:
    panel, places = on_grid(series)
    verdicts = (detector or Seasonal()).judge(panel, since=panel.times[0])
    windows = tuple((int(places[first]), int(places[last])) for first, last in series.windows)
    return Seen(series, panel, verdicts, windows)


def explained(panel: Panel, begin: np.datetime64, end: np.datetime64) -> list[Explanation]:
    """What `explain` says of each bucket from ``begin`` on, from a state as the daemon would have kept it."""
    detector = Seasonal()
    state = detector.judge(_between(panel, panel.times[0], begin), since=begin - DAY).state
    later = _between(panel, begin, end)
    return [detector.explain(later, 0, time, state=state) for time in later.times]


def _between(panel: Panel, begin: np.datetime64, end: np.datetime64) -> Panel:
    rows = (panel.times >= begin) & (panel.times < end)
    return Panel(panel.times[rows], panel.values[rows], panel.labels, panel.bucket, panel.timezone)


def decomposition() -> Figure:
    """The week of Thanksgiving 2014, taken apart bucket by bucket."""
    panel, _ = on_grid(series_of("nab", TAXI))
    begin, end = np.datetime64("2014-11-24", "us"), np.datetime64("2014-12-01", "us")
    told, week = explained(panel, begin, end), _between(panel, begin, end)
    times, observed = week.times, week.values[:, 0]
    expected, lower, upper, level = (
        np.array([getattr(one, name) for one in told]) for name in ("expected", "lower", "upper", "level")
    )
    flagged = np.array([one.status == ANOMALY for one in told])
    figure = drawing.sheet(7.6, rows=5, ratios=(2.4, 1, 1, 1, 1.5))
    top, *middle, bottom = figure.axes
    drawing.band(top, times, lower, upper)
    drawing.line(top, times, expected, "expected", colour=drawing.USUAL, width=1.4)
    drawing.line(top, times, observed, "observed")
    drawing.marks(top, times, observed, flagged)
    drawing.title(top, "Taxi rides in New York per half hour, 24 to 30 November 2014: Thursday is Thanksgiving")
    drawing.legend(top)
    parts = {"= level: what came just before, seasons taken out": level}
    for name, text in (("day", "+ day: what every day has at this hour"), ("week", "+ week: what this weekday adds")):
        parts[text] = np.array([one.seasons.get(name, 0.0) for one in told])
    for axes, (text, values) in zip(middle, parts.items(), strict=True):
        drawing.line(axes, times, values, text, colour=drawing.USUAL)
        drawing.title(axes, text)
    drawing.band(bottom, times, lower - expected, upper - expected)
    drawing.line(bottom, times, observed - expected, "residual")
    drawing.marks(bottom, times, observed - expected, flagged)
    drawing.title(bottom, "+ residual: what nobody expected, beside the bound")
    for axes in figure.axes:
        drawing.dates(axes)
        drawing.thousands(axes)
    for axes in figure.axes[:-1]:
        axes.tick_params(labelbottom=False)
    return figure


def bound() -> Figure:
    """A purchase series from its first reading, and the same incident at three budgets."""
    found = seen(series_of("mscloud", "purchase-04"))
    times, observed, verdicts = found.panel.times, found.panel.values[:, 0], found.verdicts
    figure = drawing.sheet(5.6, rows=2, ratios=(1, 1.1))
    top, bottom = figure.axes
    drawing.spans(top, times, found.windows)
    drawing.band(top, times, verdicts.lower[:, 0], verdicts.upper[:, 0], "bound, two a month")
    drawing.line(top, times, observed, "observed", width=0.8)
    drawing.marks(top, times, observed, found.anomalous)
    drawing.title(top, "Purchases per hour: nothing is said of the first 40, then the bound is wide, then it learns")
    top.set_ylim(*drawing.within(observed, 0.3))
    last = found.windows[-1]
    shown = slice(max(last[0] - 72, 0), min(last[1] + 48, len(times)))
    for budget, colour in (("1/year", "#e3edf8"), ("2/month", "#bcd4ee"), ("1/week", "#8fb6e0")):
        said = seen(found.series, Seasonal.model_validate({"budget": budget})).verdicts
        lower, upper = said.lower[shown, 0], said.upper[shown, 0]
        bottom.fill_between(times[shown], lower, upper, color=colour, linewidth=0, label=budget.replace("/", " a "))
    drawing.line(bottom, times[shown], verdicts.expected[shown, 0], "expected", colour=drawing.USUAL, width=1.3)
    drawing.line(bottom, times[shown], observed[shown], "observed")
    drawing.marks(bottom, times[shown], observed[shown], found.anomalous[shown], "anomaly at 2 a month")
    drawing.title(bottom, "The bound at three budgets, around the labelled incident")
    bottom.set_ylim(*drawing.within(observed[shown], 0.3))
    for axes in figure.axes:
        drawing.dates(axes)
        drawing.thousands(axes)
    drawing.legend(top)
    drawing.legend(bottom, columns=6)
    return figure


def minutes() -> Figure:
    """Hours of a minute series around an incident, and the incident closer."""
    figure = drawing.sheet(5.0, rows=2, ratios=(1.3, 1))
    found = seen(series_of("kpi", "c69a50cf"))
    first, last = _found_late(found, least=10)
    _around(figure.axes[0], found, first - 1200, last + 600)
    _around(figure.axes[1], found, first - 60, last + 60)
    drawing.title(figure.axes[0], "A service metric, a reading a minute: the hours around an incident")
    drawing.title(figure.axes[1], "The same incident, closer")
    drawing.legend(figure.axes[0], columns=5)
    return figure


def _found_late(found: Seen, least: int) -> tuple[int, int]:
    """The last labelled window as long as this with an anomaly inside: by then the series is well known."""
    for first, last in reversed(found.windows):
        if last - first >= least and found.anomalous[first : last + 1].any():
            return first, last
    raise LookupError(f"nothing is found in {found.series.key}")


def missed() -> Figure:
    """What is not found: a shift inside a wide bound, and incidents so frequent that they are usual."""
    figure = drawing.sheet(5.0, rows=2)
    top, bottom = figure.axes
    shifting = seen(series_of("kpi", "ba5f3328"))
    first, last = max(shifting.windows[-30:], key=lambda window: window[1] - window[0])
    _around(top, shifting, first - 400, last + 400)
    drawing.title(top, "A shift of six hours in a series that has fallen to zero before: inside the bound")
    frequent = seen(series_of("mscloud", "app1-04"))
    _around(bottom, frequent, 0, len(frequent.panel.times))
    drawing.title(
        bottom, "Incidents every other day: the later ones are less rare than the earlier ones, and are missed"
    )
    drawing.legend(top, columns=5)
    return figure


def _around(axes: Axes, found: Seen, begin: int, end: int) -> None:
    """Readings, expectation, bound, labels and anomalies from one bucket to another."""
    shown = slice(max(begin, 0), min(end, len(found.panel.times)))
    times, observed, said = found.panel.times[shown], found.panel.values[shown, 0], found.verdicts
    inside = [(a - shown.start, b - shown.start) for a, b in found.windows if b >= shown.start and a < shown.stop]
    drawing.spans(axes, times, inside)
    drawing.band(axes, times, said.lower[shown, 0], said.upper[shown, 0])
    drawing.line(axes, times, said.expected[shown, 0], "expected", colour=drawing.USUAL, width=0.9)
    drawing.line(axes, times, observed, "observed", width=0.9)
    drawing.marks(axes, times, observed, found.anomalous[shown])
    axes.set_ylim(*drawing.within(observed, 0.3))
    drawing.dates(axes)


def budgets() -> Figure:
    """Pages sent beside pages promised, pooled and series by series."""
    figure = drawing.sheet(4.3, columns=2)
    left, right = figure.axes
    rates = np.geomspace(0.1, 2.0, 11)
    for (name, several), colour in zip(_calm().items(), ("#3f78bd", "#b7791f", "#2f855a"), strict=True):
        outcomes = judged_together(Seasonal(), several)
        each = [
            [paged(one, _at(said, rate), rate) for one, said in zip(several, outcomes, strict=True)] for rate in rates
        ]
        a_week = [
            sum(one.sent for one in of) / sum(one.promised for one in of) * rate
            for of, rate in zip(each, rates, strict=True)
        ]
        left.plot(rates, a_week, "o-", color=colour, markersize=3, linewidth=1.2, label=name)
        weekly = [paged(one, _at(said, 1.0), 1.0) for one, said in zip(several, outcomes, strict=True)]
        right.plot([one.promised for one in weekly], [one.sent for one in weekly], "o", color=colour, markersize=4)
    for axes, reach in ((left, (0.1, 2.0)), (right, (8.0, 60.0))):
        line = np.array(reach)
        axes.fill_between(line, line / 2, line * 2, color="#eef3f8", linewidth=0, zorder=0)
        axes.plot(line, line, color=drawing.QUIET, linewidth=0.8)
        axes.set_xscale("log")
        axes.set_yscale("log")
    for axes, across, up in ((left, "budget, pages a week", "sent"), (right, "pages promised at one a week", "sent")):
        axes.set_xlabel(across, fontsize=8, color=drawing.QUIET)
        axes.set_ylabel(up, fontsize=8, color=drawing.QUIET)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
    right.set_xticks([10, 20, 50])
    right.xaxis.set_minor_formatter("")
    drawing.title(left, "Pooled: pages a week beside the budget")
    drawing.title(right, "Each series at one page a week (grey: within a factor of two)")
    drawing.legend(left, columns=1)
    return figure


def _calm() -> dict[str, list[Series]]:
    """Series of one step without labelled incidents: whatever pages on them was bought with the budget."""
    made = [synthetic(law, 3600, seed) for law in LAWS for seed in SEEDS]
    found = {"plain, hourly": collection("plain_hourly"), "made by a law, hourly": made}
    found["made by a law, 5 minutes"] = [synthetic(law, 300, seed) for law in LAWS for seed in SEEDS]
    return found


def _at(outcome: Outcome, rate: float) -> Bools:
    """The alerts at another budget: it moves all scores by its power of ten."""
    found: Bools = outcome.score + np.log10(rate / Seasonal().rate) > 1.0
    return found


PICTURES: dict[str, Callable[[], Figure]] = {
    "how-decomposition": decomposition,
    "how-bound": bound,
    "how-minutes": minutes,
    "how-budgets": budgets,
    "how-missed": missed,
}


def main(names: Sequence[str]) -> int:
    for name, draw in PICTURES.items():
        if not names or name in names:
            drawing.write(draw(), IMAGES / f"{name}.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
