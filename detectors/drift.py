"""Slow change: the level of a week against the one some weeks ago, as rare as this series makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, WithJsonSchema

from detectors.buckets import Bucket
from detectors.contract import ANOMALY, OK, UNKNOWN, Bools, Detector, Explanation, Floats, Panel, Texts, Verdicts
from detectors.rates import Rate, parse, per_month
from detectors.weekly import Pace, Shifts, shifts

_LEAST_WEEKS, _MOST_WEEKS = 1, 26
# Calibrated on white noise, random walks, AR(1) and heavy tails; detectors/README.md has the table.
_TRIALS_PER_WEEK = 1.5
_NOISY, _WANDERING = 20.0, 5.0
_MOST_LIKELY = 0.5
_FARTHEST = 1e6


def _weeks(text: str) -> str:
    number = text.removesuffix("w")
    if not (text.endswith("w") and number.isdigit() and _LEAST_WEEKS <= int(number) <= _MOST_WEEKS):
        raise ValueError(f"{text!r} is not a number of weeks: write {_LEAST_WEEKS}w to {_MOST_WEEKS}w")
    return text


Weeks = Annotated[
    str,
    AfterValidator(_weeks),
    WithJsonSchema({"type": "string", "pattern": "^([1-9]|1[0-9]|2[0-6])w$", "examples": ["4w"]}),
]


class Drift(Detector):
    """Anomalous when the level of the last seven days differs from that some weeks ago more than it usually does.

    level difference = mean of the middle three of the last seven complete local days, each day's mean against that of
    the same weekday ``against`` earlier: two odd days on either side count for nothing, seasons of day and week not at
    all. How far such differences usually are is learned from those of the half year before (the last two weeks left
    out, so that a drift does not excuse itself), and never less than the scatter of the days says. A series that
    wanders all the time is therefore quiet.

    score = 1 + log10(budget ÷ expected rate of differences as large): 1 is the budget, 2 ten times rarer; below 1
    inside, also negative. expected is the reading without the difference, lower and upper show how large a difference
    is on the budget. Days change once a day, so buckets of one day have one score.

    Unknown until there are 42 such past differences: 13 weeks with the default. Buckets of ``1w`` and ``1mo`` are
    their own level.

    >>> days = np.arange(200)
    >>> values = 1000 + 2.0 * ((days * 7919) % 13 - 6)
    >>> values[160:] *= 1 - 0.003 * np.arange(40)
    >>> times = np.datetime64("2026-01-05", "us") + days * np.timedelta64(1, "D")
    >>> panel = Panel(times, values[:, None], ({},), "1d", "UTC")
    >>> Drift().judge(panel, since=times[-1]).status.item()
    'anomaly'
    """

    against: Weeks = Field(default="4w")
    """How long ago the level was that it is compared with, in weeks."""
    budget: Rate = Field(default=parse("1/month"))
    """How often it may call, ``1/month`` or a number per week, spread over all series of the entry."""

    def shared_by(self, series: int) -> Drift:
        return self.model_copy(update={"budget": self.budget / series})

    def spends(self) -> float:
        return self.budget

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        rows = slice(int(np.searchsorted(panel.times, since)), None)
        values = np.where(np.isfinite(panel.values[rows]), panel.values[rows], np.nan)
        found = shifts(panel, int(self.against[:-1]), rows)
        stuck = (found.usual == 0) & (found.shift != 0)  # it never varied, so nothing says how far is far
        unknown = np.isnan(values + found.shift + found.usual) | stuck
        blank = np.where(unknown, np.nan, 0.0)
        tail = _Tail.of(found)
        score = 1 + np.log10(self._budget / tail.rate(found.shift)) + blank
        half = tail.reach(self._budget) * found.usual
        anomalous = score > 1
        return Verdicts(
            times=panel.times[rows],
            observed=values,
            expected=values - found.shift + blank,
            lower=values - found.shift - half + blank,
            upper=values - found.shift + half + blank,
            score=score,
            status=np.where(unknown, UNKNOWN, np.where(anomalous, ANOMALY, OK)).astype(object),
            direction=np.where(anomalous, np.sign(found.shift), 0).astype(np.int8),
            reason=self._reasons(values, found, unknown, anomalous),
        )

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """level is that of the week before, rhythm how far this bucket usually is from it, residual the difference.

        Raises ValueError when no bucket of the panel starts at ``time``.
        """
        masked = None if panel.masked is None else panel.masked[:, [series]]
        one = replace(panel, values=panel.values[:, [series]], labels=(panel.labels[series],), masked=masked)
        said = self.judge(one, since=time)
        row = int(np.searchsorted(panel.times, time))
        if len(said.times) == 0 or said.times[0] != time:
            raise ValueError(f"no bucket starts at {time}")
        found = shifts(one, int(self.against[:-1]), slice(row, row + 1))
        expected, observed = float(said.expected[0, 0]), float(said.observed[0, 0])
        before = float((found.level - found.shift)[0, 0])
        is_known = said.status[0, 0] != UNKNOWN
        rate = float(_Tail.of(found).rate(found.shift)[0, 0])
        return Explanation(
            level=before if is_known else np.nan,
            seasons={"rhythm": expected - before} if is_known else {},
            calendar=0.0 if is_known else np.nan,
            residual=observed - expected,
            expected=expected,
            lower=float(said.lower[0, 0]),
            upper=float(said.upper[0, 0]),
            score=float(said.score[0, 0]),
            expected_per_month=per_month(rate) if is_known else np.nan,
            status=said.status[0, 0],
            reason=str(said.reason[0, 0]),
        )

    def history(self, panel_bucket: str) -> np.timedelta64:
        return Pace.of(panel_bucket, int(self.against[:-1])).history(Bucket.parse(panel_bucket))

    @classmethod
    def example_parameters(cls) -> dict[str, Any]:
        return {"against": "1w", "budget": "1/month"}

    @property
    def _budget(self) -> float:
        """No more often than a difference that is nearer to usual than not."""
        return min(self.budget, _MOST_LIKELY * _TRIALS_PER_WEEK)

    def _reasons(self, values: Floats, found: Shifts, unknown: Bools, anomalous: Bools) -> Texts:
        reasons = np.full(values.shape, "", dtype=object)
        for row, series in np.argwhere(anomalous).tolist():
            level, shift = float(found.level[row, series]), float(found.shift[row, series])
            before, side = level - shift, "above" if shift > 0 else "below"
            share = f"{100 * abs(shift / before):,.3g} %" if before else f"{abs(shift):,.6g}"
            ago = f"{self.against[:-1]} weeks ago" if self.against != "1w" else "a week ago"
            reasons[row, series] = f"the level of the week, {level:,.6g}, is {share} {side} that of {ago}"
        for row, series in np.argwhere(unknown).tolist():
            reasons[row, series] = _why_unknown(values, found, row, series)
        return reasons


def _why_unknown(values: Floats, found: Shifts, row: int, series: int) -> str:
    if np.isnan(values[row, series]):
        return "no reading"
    known = int(found.known[row, series])
    if known < found.needed:
        return f"{known} of {found.needed} past differences"
    if np.isnan(found.shift[row, series]):
        return "too few readings in the last week, or in that it is compared with"
    return "the first change of level there ever was"


@dataclass(frozen=True)
class _Tail:
    """How often differences of some size are expected: Student's t, wider the more the series wanders. ``[J, S]``"""

    usual: Floats
    freedom: NDArray[np.float64]

    @classmethod
    def of(cls, found: Shifts) -> _Tail:
        # A half year holds some twenty independent differences of noise, but only five of a random walk.
        quiet = np.divide(found.noise, found.usual, out=np.ones_like(found.usual), where=found.usual > 0)
        return cls(found.usual, _WANDERING + (_NOISY - _WANDERING) * np.clip(quiet, 0.0, 1.0) ** 2)

    def rate(self, shift: Floats) -> Floats:
        """Expected events per week with a difference at least as large."""
        from scipy.special import stdtr  # here, because commands that judge nothing must start fast

        far = np.divide(np.abs(shift), self.usual, out=np.zeros_like(shift), where=self.usual > 0)
        rate: Floats = _TRIALS_PER_WEEK * 2 * stdtr(self.freedom, -np.minimum(far, _FARTHEST))
        return rate

    def reach(self, rate: float) -> Floats:
        """The difference that is expected at this rate, in usual ones."""
        from scipy.special import stdtrit

        reach: Floats = -stdtrit(self.freedom, rate / _TRIALS_PER_WEEK / 2)
        return reach
