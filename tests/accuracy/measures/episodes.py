"""What a person on call notices: incidents found, and alerts about nothing.

An *event* is a labelled window; windows closer together than the merge gap are one (NAB's are kept apart). It is
*found* when an alert lies between ``lead`` readings before and ``tail`` readings after it. A *false alert* is an
episode of alerts outside all events: alerts closer together than the merge gap are one episode, and an episode counts
again for each further ``longest`` it lasts, so that never to stop gains nothing. Alerts that carry on from an event
count only ``longest`` after it. The *rate* is per week of unlabelled time of one series, after the warm-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from tests.accuracy.labelled import WEEK_S, Series

MERGE_READINGS, MERGE_S = 3, 1800
LONGEST_READINGS, LONGEST_S = 24, 86400
BUDGETS = (0.1, 0.5, 1.0)
_PEAKS_PER_SERIES, _THRESHOLDS = 2000, 60


@dataclass(frozen=True)
class Tally:
    """Counts over one series, or the sum over several."""

    events: int = 0
    found: int = 0
    false: int = 0
    weeks: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.events + other.events, self.found + other.found, self.false + other.false, self.weeks + other.weeks
        )

    @property
    def recall(self) -> float:
        return self.found / self.events if self.events else np.nan

    @property
    def precision(self) -> float:
        alerts = self.found + self.false
        return self.found / alerts if alerts else np.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision; 0 when nothing is found, NaN when there is nothing to find."""
        return 2 * self.found / (self.events + self.found + self.false) if self.events else np.nan

    @property
    def false_a_week(self) -> float:
        return self.false / self.weeks if self.weeks else np.nan


@dataclass(frozen=True)
class Reach:
    """How many readings before and after an event an alert still finds it."""

    lead: int = 3
    tail: int = 7

    @classmethod
    def of(cls, series: Series) -> Reach:
        return cls(0, 0) if series.collection == "nab" else cls()


def events(series: Series) -> list[tuple[int, int]]:
    """First and last reading of each event that does not end in the warm-up."""
    gap_s = _gap_s(series)
    merged: list[tuple[int, int]] = []
    for first, last in sorted(series.windows):
        near = bool(merged) and series.times_s[first] - series.times_s[merged[-1][1]] <= gap_s
        if near and series.collection != "nab":
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return [(first, last) for first, last in merged if last >= series.warmup]


def reached(series: Series, reach: Reach) -> Bools:
    """True where an alert finds an event."""
    inside = np.zeros(len(series), dtype=bool)
    for first, last in events(series):
        inside[max(0, first - reach.lead) : last + reach.tail + 1] = True
    return inside


def tally(series: Series, alert: Bools, reach: Reach | None = None) -> Tally:
    """Events, those found, false alerts and weeks of unlabelled time."""
    reach = reach or Reach.of(series)
    heard = alert & series.live
    inside = reached(series, reach)
    found = [bool(heard[max(0, first - reach.lead) : last + reach.tail + 1].any()) for first, last in events(series)]
    weeks = float((~inside & series.live).sum()) * series.step_s / WEEK_S
    return Tally(len(found), sum(found), len(false_alerts(series, heard, inside)), weeks)


def false_alerts(series: Series, heard: Bools, inside: Bools) -> list[int]:
    """Where each false alert is counted."""
    gap_s, longest_s = _gap_s(series), max(LONGEST_READINGS * series.step_s, LONGEST_S)
    places = np.flatnonzero(heard)
    counted: list[int] = []
    latest = began = -(10**18)
    for place, time, known in zip(
        places.tolist(), series.times_s[places].tolist(), inside[places].tolist(), strict=True
    ):
        carries_on = time - latest <= gap_s and time - began <= longest_s
        latest = time
        if known:
            began = time
        elif not carries_on:
            counted.append(place)
            began = time
    return counted


def total(pairs: Sequence[tuple[Series, Bools]]) -> Tally:
    return sum((tally(series, alert) for series, alert in pairs), Tally())


def curve(pairs: Sequence[tuple[Series, Floats]]) -> list[Tally]:
    """What each of the sixty thresholds, one for all series, finds and costs; lowest threshold first."""
    return [total([(series, score >= threshold) for series, score in pairs]) for threshold in thresholds(pairs)]


def best_f1(curve: Sequence[Tally]) -> float:
    """The F1 of events at the threshold where it is best (0 when nothing is labelled or found)."""
    return max((heard.f1 for heard in curve if heard.events), default=0.0)


def recall_at(curve: Sequence[Tally], budgets: Sequence[float] = BUDGETS) -> dict[float, float]:
    """The best recall that a threshold reaches within each rate of false alerts."""
    best = dict.fromkeys(budgets, 0.0)
    for heard in curve:
        for budget in budgets:
            if heard.false_a_week <= budget and heard.recall > best[budget]:
                best[budget] = heard.recall
    return best


def thresholds(pairs: Sequence[tuple[Series, Floats]]) -> Floats:
    """Sixty levels among the 2,000 highest scores of each series, denser towards the highest."""
    known = [score[series.live] for series, score in pairs]
    peaks = [np.sort(score[np.isfinite(score)])[-_PEAKS_PER_SERIES:] for score in known]
    levels = np.unique(np.concatenate([*peaks, np.empty(0)]))
    if not levels.size:
        return levels
    found: Floats = np.unique(np.quantile(levels, 1 - np.geomspace(1 / levels.size, 1, _THRESHOLDS)))
    return found


def _gap_s(series: Series) -> int:
    return max(MERGE_READINGS * series.step_s, MERGE_S)
