"""The rhythm of a bucket width: which seasons it can have, how far back to look, when to learn again.

A *slot* is a bucket's number on the local wall clock, so that 09:00 is the same place of the day all year: an hour
that the clock change removes is a slot without a bucket, one that it repeats is a slot with two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import Bucket
from detectors.contract import Instants

Slots = NDArray[np.int64]

_WEEKS_OF_HOURS = 8
_WEEKS_OF_MINUTES = 4
_FINEST_PER_DAY = 48
_MONDAY = 4  # 1970-01-05, counted in days from the epoch


@dataclass(frozen=True)
class Season:
    """A pattern that repeats every ``period`` slots; it is learned once a series reaches back ``needs`` slots."""

    name: str
    period: int
    needs: int


@dataclass(frozen=True)
class Rhythm:
    """All lengths in slots.

    ``merge`` slots are averaged into one for the decomposition, which bounds its cost for minutes · ``relearn`` how
    often a series is learned again while only its first season is known, ``relearn_settled`` once all are ·
    ``origin`` a slot at which both begin · ``parts`` of the first season whose spread is kept apart · ``window`` what
    is learned from · ``fast`` and ``slow`` the spans of the two levels · ``needed`` readings before anything is said.
    """

    seasons: tuple[Season, ...]
    merge: int
    relearn: int
    relearn_settled: int
    origin: int
    parts: int
    window: int
    fast: int
    slow: int
    needed: int

    @classmethod
    def of(cls, bucket: Bucket) -> Rhythm:
        if bucket.text == "1mo":
            return cls((Season("year", 12, 36),), 1, 1, 1, 0, 1, window=60, fast=3, slow=12, needed=18)
        if bucket.text == "1w":
            return cls((Season("year", 52, 156),), 1, 1, 1, 0, 1, window=208, fast=4, slow=13, needed=26)
        if bucket.text == "1d":
            return cls((Season("week", 7, 21),), 1, 7, 7, _MONDAY, 1, window=182, fast=7, slow=28, needed=40)
        return cls._of_clock_time(round(bucket.per_day))

    @classmethod
    def _of_clock_time(cls, per_day: int) -> Rhythm:
        weeks = _WEEKS_OF_HOURS if per_day <= _FINEST_PER_DAY else _WEEKS_OF_MINUTES
        merge = next(k for k in range(1, per_day + 1) if per_day % k == 0 and per_day // k <= _FINEST_PER_DAY)
        return cls(
            seasons=(Season("day", per_day, 3 * per_day), Season("week", 7 * per_day, 21 * per_day)),
            merge=merge,
            relearn=per_day,
            relearn_settled=7 * per_day,
            origin=_MONDAY * per_day,
            parts=per_day // merge,
            window=7 * weeks * per_day,
            fast=per_day,
            slow=7 * per_day,
            needed=max(40, 3 * per_day),
        )

    def turns(self, numbers: Slots) -> Slots:
        """The slot at or before each of these (ascending in time) at which an unsettled series was learned again."""
        return _turns(numbers, self.relearn, self.origin)

    def settled_turns(self, numbers: Slots) -> Slots:
        """The same for series that reach back far enough for every season."""
        return _turns(numbers, self.relearn_settled, self.origin)

    def history(self, bucket: Bucket) -> timedelta:
        """Look-back that makes every verdict equal to the one with all history: one window and one full cycle."""
        spare = timedelta(days=2)  # clock changes, and the turn of the day in a zone far from UTC
        return (self.window + self.relearn_settled) * bucket.longest + spare


def slots(times: Instants, bucket: Bucket, timezone: str) -> Slots:
    """The slot of each bucket start; same shape, not strictly ascending where the clock is set back."""
    import pandas as pd  # here, because commands that judge nothing must start fast

    local = pd.DatetimeIndex(times.astype("datetime64[us]")).tz_localize("UTC").tz_convert(timezone).tz_localize(None)
    if bucket.text == "1mo":
        months: Slots = local.year.to_numpy().astype(np.int64) * 12 + local.month.to_numpy() - 1
        return months
    stamps = local.to_numpy().astype("datetime64[us]").astype(np.int64)
    if bucket.text == "1w":
        days = stamps // (86_400 * 1_000_000)
        weeks: Slots = (days - _MONDAY) // 7
        return weeks
    numbers: Slots = stamps // int(bucket.nominal / timedelta(microseconds=1))
    return numbers


def _turns(numbers: Slots, every: int, origin: int) -> Slots:
    # A clock set back over midnight must not bring yesterday's fit back: that is what the maximum prevents.
    turns: Slots = np.maximum.accumulate((numbers - origin) // every * every + origin)
    return turns
