"""Change against the same local time a day, a week or a year ago: the question people ask anyway."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from detectors.band import explained
from detectors.buckets import Bucket
from detectors.contract import ANOMALY, OK, UNKNOWN, Bools, Detector, Explanation, Floats, Panel, Texts, Verdicts
from detectors.lookback import DAYS, Against, readings_before, rows_before

_PERCENT = r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?%"
_BEFORE: dict[Against, str] = {"1d": "the day before", "1w": "the week before", "1y": "the year before"}
_ROUNDING = 1e-12


def _validated(value: object) -> float | str:
    """A text is a share of what it is compared with, a number an amount in the metric's unit."""
    if isinstance(value, str):
        match = re.fullmatch(_PERCENT, value.strip())
        if match and float(match[1]) > 0:
            return f"{match[1]}%"
    elif not isinstance(value, bool) and isinstance(value, int | float) and 0 < value < np.inf:
        return float(value)
    raise ValueError(f"{value!r} is no size of a change: write 20%, or a number above 0 in the metric's unit")


Size = Annotated[
    float | str,
    BeforeValidator(_validated),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]{1,6}(\\.[0-9]{1,6})? ?%$"},
                {"type": "number", "exclusiveMinimum": 0},
            ],
            "examples": ["20%", 150],
        }
    ),
]


class Change(Detector):
    """Anomalous when a reading differs by more than a bound from the one at the same local time before.

    score = change ÷ bound on its side (1 = on the bound; 0 on a side without bound). expected is the reading it is
    compared with, lower and upper lie the bounds below and above it (NaN: no such bound). A percentage is one of the
    absolute value of that reading.

    Times are those of the local clock: an hour that the clock repeated counts with its mean, one that it skipped has
    no reading. ``1y`` is 52 weeks, so that weekdays meet; for buckets of ``1mo`` the same month of the year before.
    Unknown where there is nothing to compare with, and where a percentage would be one of 0. Masked readings and those
    under an event are nothing to compare with.

    >>> times = np.datetime64("2026-01-05", "us") + np.arange(8) * np.timedelta64(1, "D")
    >>> values = np.array([1000.0, 900, 900, 900, 900, 1200, 1200, 660])
    >>> panel = Panel(times, values[:, None], ({},), "1d", "UTC")
    >>> verdicts = Change(below="20%", against="1w").judge(panel, since=times[-1])
    >>> verdicts.score.round(3).item(), verdicts.reason.item()
    (1.7, '34 % below the 1,000 of the week before')
    """

    bounds_in_units: ClassVar[bool] = True

    above: Size | None = None
    """Anomalous when it rises by more than this: ``20%``, or a number in the metric's unit."""
    below: Size | None = None
    """Anomalous when it falls by more than this: ``20%``, or a number in the metric's unit (both above 0)."""
    outside: Size | None = None
    """Anomalous when it rises or falls by more than this."""
    against: Against = Field(default="1w")
    """What it is compared with: the same local time ``1d``, ``1w`` or ``1y`` (52 weeks) before."""

    @model_validator(mode="after")
    def _some_bound(self) -> Change:
        if self.outside is not None and (self.below is not None or self.above is not None):
            raise ValueError("outside: already sets both bounds; leave out below and above")
        if self.outside is None and self.below is None and self.above is None:
            raise ValueError("no bound: set below (falls), above (rises) or outside (both), such as below: 20%")
        return self

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        rows = slice(int(np.searchsorted(panel.times, since)), None)
        values = np.where(np.isfinite(panel.values), panel.values, np.nan)
        before = self._before(panel, values)[rows]
        values = values[rows]
        low, high = (_bound(size, before) for size in (self.outside or self.below, self.outside or self.above))
        unknown = np.isnan(values) | np.isnan(before) | ((before == 0) & (values != 0) & self._is_relative)
        score = np.where(unknown, np.nan, _score(values - before, low, high))
        anomalous = score > 1
        blank = np.where(unknown, np.nan, 0.0)
        return Verdicts(
            times=panel.times[rows],
            observed=values,
            expected=before + blank,
            lower=before - low + blank,
            upper=before + high + blank,
            score=score,
            status=np.where(unknown, UNKNOWN, np.where(anomalous, ANOMALY, OK)).astype(object),
            direction=np.where(anomalous, np.sign(values - before), 0).astype(np.int8),
            reason=self._reasons(panel, values, before, unknown, anomalous),
        )

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """level is the reading it is compared with. Raises ValueError when no bucket starts at ``time``."""
        return explained(self.judge(panel, since=time), series, time)

    def history(self, panel_bucket: str) -> np.timedelta64:
        days = timedelta(days=366 if panel_bucket == "1mo" else DAYS[self.against])
        return np.timedelta64(days + 2 * Bucket.parse(panel_bucket).longest, "us")

    @classmethod
    def example_parameters(cls) -> dict[str, Any]:
        return {"above": "120%", "below": 150, "against": "1d"}

    @property
    def _is_relative(self) -> bool:
        """True where one of the bounds is a percentage: then nothing can be said of a change from 0."""
        return any(isinstance(size, str) for size in (self.above, self.below, self.outside))

    def _is_too_wide(self, panel: Panel) -> bool:
        return Bucket.parse(panel.bucket).nominal.days > DAYS[self.against]

    def _before(self, panel: Panel, values: Floats) -> Floats:
        if self._is_too_wide(panel):
            return np.full(values.shape, np.nan)
        taught = values if panel.masked is None else np.where(panel.masked, np.nan, values)
        for event in panel.events:
            if event.effect != "annotate":
                taught = np.where(event.active[:, None], np.nan, taught)
        return readings_before(taught, rows_before(panel, DAYS[self.against]))

    def _reasons(self, panel: Panel, values: Floats, before: Floats, unknown: Bools, anomalous: Bools) -> Texts:
        nothing = f"no reading of {_BEFORE[self.against]}"
        if self._is_too_wide(panel):
            nothing = f"a bucket of {panel.bucket} is longer than {self.against}"
        of_zero = f"{_BEFORE[self.against]} had 0: no percentage of that"
        silent = np.where(np.isnan(before), nothing, of_zero)
        reasons = np.where(unknown, np.where(np.isnan(values), "no reading", silent), "").astype(object)
        for row, series in np.argwhere(anomalous).tolist():
            reasons[row, series] = self._comparison(float(values[row, series]), float(before[row, series]))
        return reasons

    def _comparison(self, value: float, before: float) -> str:
        side = "above" if value > before else "below"
        bound = self.outside or (self.above if value > before else self.below)
        change = abs(value - before)
        size = f"{100 * (change / abs(before)):,.3g} %" if isinstance(bound, str) else f"{change:,.6g}"
        return f"{size} {side} the {before:,.6g} of {_BEFORE[self.against]}"


def _bound(size: float | str | None, before: Floats) -> Floats:
    """How far from the reading before a value may lie, in the metric's unit; NaN where there is no bound."""
    if isinstance(size, str):
        return float(size.rstrip("%")) / 100 * np.abs(before)
    return np.full(before.shape, np.nan if size is None else size)


def _score(change: Floats, low: Floats, high: Floats) -> Floats:
    bound = np.where(change < 0, low, high)
    with np.errstate(over="ignore"):  # a bound of 1e-300 puts every other value infinitely far beyond it
        score = np.divide(np.abs(change), bound, out=np.zeros_like(change), where=bound > 0)
    score = np.where(np.abs(score - 1) < _ROUNDING, 1.0, score)  # 1.1 is on the bound of 10 % above 1
    return np.minimum(score, np.finfo(np.float64).max)
