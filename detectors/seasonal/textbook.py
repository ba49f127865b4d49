"""Seasons as the textbook learns them: STL or MSTL over the last weeks, fitted again each week, carried forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from detectors.contract import Bools, Floats
from detectors.seasonal.calendar import Places, Profile
from detectors.stl import mstl, stl

Model = Literal["profile", "stl", "mstl"]
_SMOOTHER = 13  # 7, the usual default, follows a single spike so closely that it hides it
_DAYS = {"stl": 28, "mstl": 56}
_WEEKS = 26
_EVERY_DAY_UNTIL = 21


@dataclass(frozen=True)
class Cycles:
    """The grid of a window: ``count`` cycles (days; weeks where a bucket is a day) of ``bins`` each."""

    model: Model
    count: int
    bins: int
    is_daily: bool

    @classmethod
    def of(cls, model: Model, profiles: tuple[Profile, ...]) -> Cycles:
        if model == "profile" or not profiles or profiles[0].season not in ("day", "week"):
            return cls("profile", 0, 1, False)
        profile = profiles[0]
        if not profile.a_day:
            return cls(model, _WEEKS, profile.bins, True)
        return cls(model, _DAYS[model], profile.a_day, False)

    def periods(self) -> tuple[int, ...]:
        return (self.bins, 7 * self.bins) if self.model == "mstl" and not self.is_daily else (self.bins,)


@dataclass
class Window:
    """The readings that may teach, ``[count · bins, S]``, the last cycle being ``cycle[S]`` (−1: none yet)."""

    readings: Floats
    cycle: Floats

    @classmethod
    def none(cls, series: int, cycles: Cycles) -> Window:
        return cls(np.full((cycles.count * cycles.bins, series), np.nan), np.full(series, -1.0))

    def advance(self, day: int, cycles: Cycles) -> bool:
        """Moves on to the cycle of this local day; True where the seasons are to be learned again."""
        now = (day + 3) // 7 if cycles.is_daily else day
        before = int(self.cycle.max(initial=-1.0))
        if now == before:
            return False
        gone = cycles.count if before < 0 else min(now - before, cycles.count)
        fresh = np.full((gone * cycles.bins, self.readings.shape[1]), np.nan)
        self.readings = np.concatenate([self.readings[len(fresh) :], fresh])
        self.cycle = np.full_like(self.cycle, float(now))
        known = np.isfinite(self.readings).any(axis=1).reshape(cycles.count, cycles.bins).any(axis=1).sum()
        return cycles.is_daily or (day + 3) % 7 == 0 or int(known) < _EVERY_DAY_UNTIL

    def take(self, values: Floats, training: Bools, places: Places, cycles: Cycles) -> None:
        """Puts the rows of a block into the last cycle; readings that share a bin are averaged."""
        slots = places % cycles.bins
        last = self.readings[len(self.readings) - cycles.bins :]
        for slot in np.unique(slots):
            here = (slots == slot)[:, None] & training
            count = here.sum(axis=0)
            mean = np.where(here, values, 0.0).sum(axis=0) / np.maximum(count, 1)
            last[slot] = np.where(count > 0, mean, last[slot])

    def seasons(self, day: int, bins: Floats, cycles: Cycles) -> tuple[Floats, Bools]:
        """The bins of the profile as the cycles before the last one teach them, and which series have enough."""
        past = self.readings[: len(self.readings) - cycles.bins]
        periods = cycles.periods()
        begins = np.argmax(np.isfinite(past), axis=0) // cycles.bins * cycles.bins
        read = np.isfinite(past).any(axis=0)
        enough = read & (len(past) - begins >= 2 * periods[-1] + cycles.bins)
        found = bins.copy()
        for begin in np.unique(begins[enough]):
            columns = np.flatnonzero(enough & (begins == begin))
            parts = past[begin:, columns]
            if len(periods) == 1:
                fitted = stl(parts, periods[0], seasonal=_SMOOTHER, robust=True)
            else:
                fitted = mstl(parts, periods, windows=(_SMOOTHER, _SMOOTHER))
            season = np.sum(list(fitted.seasons.values()), axis=0)[-len(bins) :]
            # The season's last row is the day before this one; the profile begins on Monday (or at midnight).
            shift = (day + 3) % 7 * cycles.bins if len(bins) > cycles.bins else 0
            found[:, columns] = np.roll(season, shift, axis=0)
        return found, enough
