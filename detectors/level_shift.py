"""A level that moved and stayed: the last buckets against those before, with the date of the change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field

from detectors.buckets import Bucket, as_datetime
from detectors.contract import ANOMALY, OK, UNKNOWN, Bools, Detector, Explanation, Floats, Panel, Texts, Verdicts
from detectors.steps import Pace, Steps, change_row, steps


class LevelShift(Detector):
    """Anomalous when the level of the last buckets differs from that before by ``bound`` usual differences.

    level difference = median of the last ``last`` buckets − median of the buckets before (four times as many, at least
    six hours), both of the differences to the same local time one week ago; the median of this over one, two, three
    and four weeks (buckets under half an hour: days; ``1w`` and ``1mo``: of the readings). The usual difference is a
    robust standard deviation of such differences in the four weeks before (four days; 56 days for ``1d``). score =
    difference ÷ (``bound`` × usual one); expected is the reading without the difference, lower and upper what is on
    the bound.

    A shift is one episode: it begins when half of ``last`` lie behind it, and the new level is accepted when half of
    the buckets before do, about 18 buckets after the shift with the default of 6. What ends well within half of
    ``last`` is no shift. A longer outage is one, and so is the way back if the outage was accepted.

    >>> rng = np.random.default_rng(1)
    >>> hours = np.arange(24 * 60)
    >>> values = 100 + 30 * np.sin(2 * np.pi * hours / 24) + rng.normal(size=len(hours))
    >>> values[-5:] += 20
    >>> times = np.datetime64("2026-01-05", "us") + hours * np.timedelta64(1, "h")
    >>> panel = Panel(times, values[:, None], ({},), "1h", "UTC")
    >>> verdicts = LevelShift().judge(panel, since=times[-1])
    >>> verdicts.status.item(), verdicts.reason.item().partition(", ")[2]
    ('anomaly', 'since 2026-03-05 19:00')
    """

    last: int = Field(default=6, ge=2, le=48)
    """How many of the newest buckets make the level that is compared with the one before."""
    bound: float = Field(default=5.0, gt=0, le=1000)
    """How many usual differences are on the bound. Higher is quieter."""

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        rows = slice(int(np.searchsorted(panel.times, since)), None)
        values = np.where(np.isfinite(panel.values[rows]), panel.values[rows], np.nan)
        found = steps(panel, Pace.of(panel.bucket, self.last), rows.start)
        stuck = (found.usual == 0) & (found.step != 0)  # it never varied, so nothing says how far is far
        unknown = np.isnan(values + found.step + found.usual) | stuck
        blank = np.where(unknown, np.nan, 0.0)
        half = self.bound * found.usual
        score = np.divide(np.abs(found.step), half, out=np.zeros_like(half), where=half > 0) + blank
        anomalous = score > 1
        return Verdicts(
            times=panel.times[rows],
            observed=values,
            expected=values - found.step + blank,
            lower=values - found.step - half + blank,
            upper=values - found.step + half + blank,
            score=score,
            status=np.where(unknown, UNKNOWN, np.where(anomalous, ANOMALY, OK)).astype(object),
            direction=np.where(anomalous, np.sign(found.step), 0).astype(np.int8),
            reason=self._reasons(_Judged(panel, rows.start, values, found), unknown, anomalous),
        )

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """level is that before, rhythm how far this bucket usually is from it, residual the difference.

        Raises ValueError when no bucket of the panel starts at ``time``.
        """
        masked = None if panel.masked is None else panel.masked[:, [series]]
        one = replace(panel, values=panel.values[:, [series]], labels=(panel.labels[series],), masked=masked)
        said = self.judge(one, since=time)
        if len(said.times) == 0 or said.times[0] != time:
            raise ValueError(f"no bucket starts at {time}")
        found = steps(one, Pace.of(panel.bucket, self.last), int(np.searchsorted(panel.times, time)))
        is_known = said.status[0, 0] != UNKNOWN
        expected, before = float(said.expected[0, 0]), float(found.before[0, 0])
        return Explanation(
            level=before if is_known else np.nan,
            seasons={"rhythm": expected - before} if is_known else {},
            calendar=0.0 if is_known else np.nan,
            residual=float(said.observed[0, 0]) - expected,
            expected=expected,
            lower=float(said.lower[0, 0]),
            upper=float(said.upper[0, 0]),
            score=float(said.score[0, 0]),
            expected_per_month=np.nan,
            status=said.status[0, 0],
            reason=str(said.reason[0, 0]),
        )

    def history(self, panel_bucket: str) -> np.timedelta64:
        return Pace.of(panel_bucket, self.last).history(Bucket.parse(panel_bucket))

    @classmethod
    def example_parameters(cls) -> dict[str, Any]:
        return {"last": 2, "bound": 4}

    def _reasons(self, judged: _Judged, unknown: Bools, anomalous: Bools) -> Texts:
        reasons = np.full(judged.values.shape, "", dtype=object)
        for row, series in np.argwhere(unknown).tolist():
            reasons[row, series] = judged.why_unknown(row, series)
        pace = Pace.of(judged.panel.bucket, self.last)
        for row, series in np.argwhere(anomalous).tolist():
            step, usual = float(judged.found.step[row, series]), float(judged.found.usual[row, series])
            begun = change_row(judged.panel, judged.found, pace, judged.first + row, series, step)
            side = "above" if step > 0 else "below"
            level = f"the last {self.last} buckets are {abs(step) / usual:,.3g} usual differences {side} those before"
            reasons[row, series] = f"{level}, since {_local(judged.panel, begun)}"
        return reasons


@dataclass(frozen=True)
class _Judged:
    """The rows from ``first`` on of a panel, and what was found there."""

    panel: Panel
    first: int
    values: Floats
    found: Steps

    def why_unknown(self, row: int, series: int) -> str:
        if np.isnan(self.values[row, series]):
            return "no reading"
        known = int(self.found.known[row, series])
        if known < self.found.needed:
            return f"{known} of {self.found.needed} past differences"
        if np.isnan(self.found.step[row, series]):
            return "too few readings before, or at the same times in the weeks before"
        return "the first change of level there ever was"


def _local(panel: Panel, row: int) -> str:
    begun = as_datetime(panel.times[row]).astimezone(ZoneInfo(panel.timezone))
    return f"{begun:%Y-%m-%d %H:%M}" if Bucket.parse(panel.bucket).nominal < timedelta(days=1) else f"{begun:%Y-%m-%d}"
