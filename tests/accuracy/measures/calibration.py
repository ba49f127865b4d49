"""Does the budget hold: pages sent beside pages promised.

A page is the first alert after max(24 hours, 3 buckets) without one. A series is *quiet* when fewer than half an
incident a week is labelled in it: its pages should be within a factor of two of the budget. In a *busy* one the pages
outside the labels should be at most twice the budget. Both are asked of series that promise at least three pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools
from tests.accuracy.labelled import WEEK_S, Series
from tests.accuracy.measures.episodes import Reach, events, reached
from tests.accuracy.outcome import pages

FEWEST_PROMISED = 3.0
BUSY_A_WEEK = 0.5


@dataclass(frozen=True)
class Paged:
    """What one series sent after its warm-up, and what its budget promised."""

    sent: int
    outside: int
    promised: float
    incidents_a_week: float

    @property
    def is_told(self) -> bool:
        """Whether it promises enough pages to say anything."""
        return self.promised >= FEWEST_PROMISED

    @property
    def is_busy(self) -> bool:
        return self.incidents_a_week >= BUSY_A_WEEK

    @property
    def is_kept(self) -> bool:
        if self.is_busy:
            return self.outside <= 2 * self.promised
        return 0.5 <= self.sent / self.promised <= 2


@dataclass(frozen=True)
class Calibration:
    """Pages pooled over series, and of how many series the budget is kept."""

    sent: int
    promised: float
    quiet: int
    quiet_kept: int
    busy: int
    busy_kept: int

    @property
    def ratio(self) -> float:
        return self.sent / self.promised if self.promised else np.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The ratio's 90 % interval, pages being Poisson."""
        low, high = poisson_interval(self.sent)
        return (low / self.promised, high / self.promised) if self.promised else (np.nan, np.nan)


def paged(series: Series, alert: Bools, budget_a_week: float) -> Paged:
    heard = alert & series.live
    sent = pages(heard, series.step_s)
    inside = reached(series, Reach.of(series))
    weeks = float(series.live.sum()) * series.step_s / WEEK_S
    return Paged(
        sent=len(sent),
        outside=sum(not inside[place] for place in sent),
        promised=weeks * budget_a_week,
        incidents_a_week=len(events(series)) / weeks if weeks else np.nan,
    )


def calibration(pairs: Sequence[tuple[Series, Bools]], budget_a_week: float) -> Calibration:
    each = [paged(series, alert, budget_a_week) for series, alert in pairs]
    quiet = [one for one in each if one.is_told and not one.is_busy]
    busy = [one for one in each if one.is_told and one.is_busy]
    return Calibration(
        sent=sum(one.sent for one in each),
        promised=sum(one.promised for one in each),
        quiet=len(quiet),
        quiet_kept=sum(one.is_kept for one in quiet),
        busy=len(busy),
        busy_kept=sum(one.is_kept for one in busy),
    )


def poisson_interval(count: int, share: float = 0.9) -> tuple[float, float]:
    """The exact (Garwood) interval of a Poisson mean after ``count`` events.

    >>> [round(edge, 3) for edge in poisson_interval(10)]
    [5.425, 16.962]
    """
    from scipy.stats import chi2

    tail = (1 - share) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * count + 2)) / 2
