"""Fixed bounds in the metric's unit: the detector people trust on day one."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat, field_validator, model_validator

from detectors.band import explained
from detectors.buckets import Bucket
from detectors.contract import (
    ANOMALY,
    OK,
    UNKNOWN,
    Bools,
    Detector,
    Explanation,
    Floats,
    Instants,
    Panel,
    Texts,
    Verdicts,
)
from detectors.hours import Hours

_MARGIN = 0.01
_HELD_FOR = 12
_HELD_UNTIL_CLEAR_FOR = 288
_JUST_ABOVE_ONE = np.nextafter(1.0, 2.0)

Sides = NDArray[np.int8]
_BELOW, _NEAR_LOW, _INSIDE, _NEAR_HIGH, _ABOVE, _NO_READING = -2, -1, 0, 1, 2, 3


class Threshold(Detector):
    """Anomalous when a reading is below ``below``, above ``above``, or outside ``[a, b]``; it needs no history.

    score = 1 + distance beyond the bound ÷ abs(bound) (a bound of 0: in the metric's unit); below 1 inside, never
    below 0; a reading on the bound is inside. expected is the nearest value inside the bounds.

    Hysteresis: after an anomaly a reading back inside stays anomalous, with a score just above 1, until one lies
    inside by 1 % of the bound, for at most 12 buckets. With ``clear`` it stays so until a reading is back at or past
    that value, for at most 288 buckets. Outside ``during`` nothing is judged: status ``ok``, score 0, no bounds, and
    hysteresis starts anew. A bucket counts by its local start; ``1d`` and longer by its weekday.

    >>> panel = Panel(np.array(["2026-01-05T09"], "datetime64[us]"), np.array([[40.0]]), ({},), "1h", "UTC")
    >>> verdicts = Threshold(below=50).judge(panel, since=panel.times[0])
    >>> verdicts.status.item(), verdicts.score.item(), verdicts.reason.item()
    ('anomaly', 1.2, '40 is below 50')
    """

    bounds_in_units: ClassVar[bool] = True

    below: FiniteFloat | None = None
    """Anomalous below this value, in the metric's unit."""
    above: FiniteFloat | None = None
    """Anomalous above this value, in the metric's unit."""
    outside: tuple[FiniteFloat, FiniteFloat] | None = None
    """Anomalous outside these two values: ``[10, 90]`` is ``below: 10`` and ``above: 90``."""
    clear: FiniteFloat | None = None
    """Once anomalous it stays so until a reading is back at this value or past it; needs ``above`` or ``below``."""
    during: tuple[str, ...] = ()
    """Local hours in which it is judged: ``Mon-Fri 08:00-23:00``, or a list of such; empty: always."""
    timezone: str | None = None
    """IANA zone of ``during``; default: the metric's."""

    @field_validator("during", mode="before")
    @classmethod
    def _one_or_many(cls, written: object) -> object:
        return (written,) if isinstance(written, str) else written

    @field_validator("during")
    @classmethod
    def _readable(cls, during: tuple[str, ...]) -> tuple[str, ...]:
        for text in during:
            Hours.parse(text)
        return during

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, timezone: str | None) -> str | None:
        try:
            return timezone and ZoneInfo(timezone).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError(f"{timezone!r} is not a time zone: write Europe/Berlin or UTC") from exc

    @model_validator(mode="after")
    def _some_bound(self) -> Threshold:
        if self.outside is not None and (self.below is not None or self.above is not None):
            raise ValueError("outside: already sets both bounds; leave out below and above")
        low, high = self._bounds
        if np.isnan(low) and np.isnan(high):
            raise ValueError("no bound: set below, above or outside")
        if low > high:
            raise ValueError(f"every value is anomalous: the lower bound {low:g} is above the upper bound {high:g}")
        return self

    @model_validator(mode="after")
    def _clear_inside(self) -> Threshold:
        if self.clear is None:
            return self
        if self.outside is not None:
            raise ValueError("clear: goes with above or below; for outside write both of them")
        if self.below is not None and self.clear < self.below:
            raise ValueError(f"clear: {self.clear:g} is still below the bound {self.below:g}: nothing would end there")
        if self.above is not None and self.clear > self.above:
            raise ValueError(f"clear: {self.clear:g} is still above the bound {self.above:g}: nothing would end there")
        return self

    @property
    def _bounds(self) -> tuple[float, float]:
        """Lower and upper, NaN where there is none."""
        if self.outside is not None:
            return self.outside
        return (np.nan if self.below is None else self.below, np.nan if self.above is None else self.above)

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        values = np.where(np.isfinite(panel.values), panel.values, np.nan)
        times, sides = self._remembered(state, panel)
        before = len(times)
        times = np.concatenate([times, panel.times.astype("datetime64[us]")])
        open_hours = self._judged(panel)
        sides = np.concatenate([sides, self._sides(values, open_hours)])
        held = _held(sides, self._held_for)[before:]
        rows = slice(int(np.searchsorted(panel.times, since)), None)
        kept = self._state(panel, times, sides)
        return self._verdicts(panel.times[rows], values[rows], open_hours[rows], held[rows], kept)

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """level is the nearest value inside the bounds, residual how far beyond them the reading lies.

        Raises ValueError when no bucket of the panel starts at ``time``.
        """
        return explained(self.judge(panel, since=time, state=state), series, time)

    def history(self, panel_bucket: str) -> np.timedelta64:
        return np.timedelta64(self._held_for * Bucket.parse(panel_bucket).longest, "us")

    @classmethod
    def example_parameters(cls) -> dict[str, Any]:
        return {"outside": [10, 1000], "during": ["Mon-Sat 06:00-23:00", "Sun"]}

    @property
    def _held_for(self) -> int:
        """After how many buckets without another anomaly hysteresis ends."""
        return _HELD_FOR if self.clear is None else _HELD_UNTIL_CLEAR_FOR

    def _judged(self, panel: Panel) -> Bools:
        """Which buckets ``[T]`` fall into ``during``."""
        zone = self.timezone or panel.timezone
        whole_days = Bucket.parse(panel.bucket).is_calendar
        judged = np.full(len(panel.times), not self.during)
        for text in self.during:
            hours = Hours.parse(text)
            judged |= (hours.hold_days if whole_days else hours.hold)(panel.times, zone)
        return judged

    def _sides(self, values: Floats, open_hours: Bools) -> Sides:
        """Where each reading lies. Near: inside, by less than the margin; outside hours counts as inside."""
        low, high = self._bounds
        sides = np.full(values.shape, _INSIDE, dtype=np.int8)
        back_from_high, back_from_low = self.clear, self.clear
        if back_from_high is None or back_from_low is None:
            back_from_high, back_from_low = high - _MARGIN * abs(high), low + _MARGIN * abs(low)
        if not np.isnan(high):
            sides[values > back_from_high] = _NEAR_HIGH
        if not np.isnan(low):
            sides[values < back_from_low] = _NEAR_LOW
        sides[values > high] = _ABOVE
        sides[values < low] = _BELOW
        sides[np.isnan(values)] = _NO_READING
        sides[~open_hours] = _INSIDE
        return sides

    def _verdicts(self, times: Instants, values: Floats, open_hours: Bools, held: Sides, state: bytes) -> Verdicts:
        low, high = self._bounds
        nearest = np.fmax(np.fmin(values, high), low) + 0 * values
        with np.errstate(over="ignore"):  # a bound of 1e-300 puts every other value infinitely far beyond it
            beyond = np.fmax((low - values) / (abs(low) or 1.0), (values - high) / (abs(high) or 1.0))
        score = np.where(held != 0, _JUST_ABOVE_ONE, np.clip(1 + beyond, 0.0, np.finfo(np.float64).max))
        direction = np.sign(values - nearest)
        direction = np.where(held != 0, held, direction)
        closed = ~open_hours[:, None] & np.isfinite(values)
        score = np.where(closed, 0.0, score)
        unknown = np.isnan(values)
        anomalous = (score > 1) & ~unknown
        bounds = np.where(unknown | closed, np.nan, 0.0)
        return Verdicts(
            times=times,
            observed=values,
            expected=np.where(closed, values, nearest),
            lower=low + bounds,
            upper=high + bounds,
            score=score,
            status=np.where(unknown, UNKNOWN, np.where(anomalous, ANOMALY, OK)).astype(object),
            direction=np.where(anomalous, direction, 0).astype(np.int8),
            reason=self._reasons(values, anomalous, held, closed, direction),
            state=state,
        )

    def _reasons(self, values: Floats, anomalous: Bools, held: Sides, closed: Bools, direction: Floats) -> Texts:
        low, high = self._bounds
        reasons = np.where(np.isnan(values), "no reading", np.where(closed, "outside hours", "")).astype(object)
        for row, series in np.argwhere(anomalous).tolist():
            side, bound = ("below", low) if direction[row, series] < 0 else ("above", high)
            value = values[row, series]
            if held[row, series]:
                margin = f"within 1 % of the bound {bound:g}" if self.clear is None else f"not yet at {self.clear:g}"
                reasons[row, series] = f"{value:g} is back, but {margin}"
            else:
                reasons[row, series] = f"{value:g} is {side} {bound:g}"
        return reasons

    def _header(self) -> list[object]:
        return [1, *(None if np.isnan(bound) else bound for bound in self._bounds), *self.during, self.timezone]

    def _state(self, panel: Panel, times: Instants, sides: Sides) -> bytes:
        if self.clear is not None:
            return b""  # 288 buckets are cheaper read again than kept twice
        kept = {
            "header": self._header(),
            "labels": [sorted(labels.items()) for labels in panel.labels],
            "times": times[-_HELD_FOR:].astype(np.int64).tolist(),
            "sides": sides[-_HELD_FOR:].tolist(),
        }
        return json.dumps(kept).encode()

    def _remembered(self, state: bytes | None, panel: Panel) -> tuple[Instants, Sides]:
        """The buckets before the panel and their sides; none where the state is damaged or of other parameters."""
        nothing = np.zeros(0, dtype="datetime64[us]"), np.zeros((0, len(panel.labels)), dtype=np.int8)
        try:
            kept = json.loads(state or b"null")
        except ValueError:
            return nothing
        if kept is None or kept["header"] != self._header():
            return nothing
        times = np.array(kept["times"], dtype=np.int64).view("datetime64[us]")
        columns = {tuple(map(tuple, pairs)): column for column, pairs in enumerate(kept["labels"])}
        stored = np.array(kept["sides"], dtype=np.int8).reshape(len(times), len(columns))
        sides = np.full((len(times), len(panel.labels)), _NO_READING, dtype=np.int8)
        for series, labels in enumerate(panel.labels):
            column = columns.get(tuple(sorted(labels.items())))
            if column is not None:
                sides[:, series] = stored[:, column]
        before = times < (panel.times[0] if len(panel.times) else np.datetime64("9999", "us"))
        return times[before], sides[before]


def _held(sides: Sides, most: int) -> Sides:
    """Where a reading back inside, but close to the bound, carries on an anomaly of the last ``most`` buckets.

    −1: one below, 1: one above, 0: none.
    """
    low, high = _carried(sides, _BELOW, _NEAR_LOW, most), _carried(sides, _ABOVE, _NEAR_HIGH, most)
    return high.astype(np.int8) - low.astype(np.int8)


def _carried(sides: Sides, beyond: int, near: int, most: int) -> Bools:
    rows = np.arange(len(sides))[:, None]
    decisive = (sides != near) & (sides != _NO_READING)
    last = np.maximum.accumulate(np.where(decisive, rows, -1), axis=0) if len(sides) else rows
    came_from = np.where(last >= 0, np.take_along_axis(sides, np.maximum(last, 0), axis=0), _INSIDE)
    carried: Bools = (sides == near) & (came_from == beyond) & (rows - last <= most)
    return carried
