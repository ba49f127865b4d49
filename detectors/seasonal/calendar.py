"""Where each bucket lies in its seasons, in local time, and where learning pauses: at block edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import Bucket
from detectors.contract import Instants

Season = Literal["day", "week", "month", "year"]
SEASONS: tuple[Season, ...] = ("day", "week", "month", "year")
Places = NDArray[np.intp]
_DAY_S = 86_400


@dataclass(frozen=True)
class Profile:
    """A season as bins: ``bins`` in one cycle, ``a_day`` of them a day; ``on`` names the profile that it refines."""

    season: Season
    bins: int
    a_day: int = 0
    on: Season | None = None


def profiles(bucket: Bucket, wanted: tuple[Season, ...]) -> tuple[Profile, ...]:
    """The profiles that can be learned at this bucket width, of the seasons wanted."""
    width = int(bucket.nominal.total_seconds())
    if bucket.text in ("1w", "1mo"):
        possible = [Profile("year", 53 if bucket.text == "1w" else 12)]
    elif width >= _DAY_S:
        base: Season | None = "week" if "week" in wanted else None
        possible = [Profile("week", 7), Profile("month", 31, on=base), Profile("year", 53, on=base)]
    else:
        a_day, a_week_day = min(288, _DAY_S // width), min(72, _DAY_S // width)
        possible = [Profile("day", a_day, a_day), Profile("week", 7 * a_week_day, a_week_day)]
    return tuple(profile for profile in possible if profile.season in wanted)


def rows_of_block(bucket: Bucket) -> int:
    """Buckets after which what was seen is learned: a day, or a whole part of it with at most 120 buckets."""
    a_day = int(_DAY_S // bucket.nominal.total_seconds())
    if a_day <= 120:
        return max(1, a_day)
    return next((a_day // parts for parts in (2, 3, 4, 6, 8, 12, 24) if a_day // parts <= 120), a_day // 24)


@dataclass(frozen=True)
class Calendar:
    """Local time of each bucket: ``block[T]`` grows where a new block begins; ``second[T]`` of the local day."""

    day: Places
    second: Places
    block: Places

    @classmethod
    def of(cls, times: Instants, bucket: Bucket, timezone: str) -> Calendar:
        local = _local_seconds(times, timezone)
        day, second = np.divmod(local, _DAY_S)
        if bucket.is_calendar:
            return cls(day, second, np.arange(len(times)))
        width = rows_of_block(bucket) * int(bucket.nominal.total_seconds())
        piece = day * (_DAY_S // width) + second // width
        return cls(day, second, piece)

    def bins(self, profile: Profile) -> Places:
        """The bin of each bucket."""
        if profile.season == "day":
            return self.second * profile.bins // _DAY_S
        if profile.season == "week":
            weekday = (self.day + 3) % 7  # day 0 is a Thursday
            return weekday if not profile.a_day else weekday * profile.a_day + self.second * profile.a_day // _DAY_S
        date = self.day.astype("datetime64[D]")
        if profile.bins == 12:
            months: Places = date.astype("datetime64[M]").astype(np.intp) % 12
            return months
        since: Places = (date - date.astype("datetime64[M]" if profile.season == "month" else "datetime64[Y]")).astype(
            np.intp
        )
        return since if profile.season == "month" else since // 7

    def edges(self) -> Places:
        """The first row of each block, and the number of rows."""
        if not len(self.block):
            return np.zeros(1, dtype=np.intp)
        begins = np.flatnonzero(np.diff(self.block) != 0) + 1
        return np.concatenate([[0], begins, [len(self.block)]])


def _local_seconds(times: Instants, timezone: str) -> Places:
    """Seconds of local wall time since 1970."""
    seconds = times.astype("datetime64[s]").astype(np.int64)
    if timezone == "UTC" or not len(seconds):
        return seconds
    hours, places = np.unique(seconds // 900, return_inverse=True)
    return seconds + _offsets(hours.tobytes(), timezone)[places]


@lru_cache(maxsize=64)
def _offsets(quarters: bytes, timezone: str) -> Places:
    """Offset of local time in each quarter of an hour: clocks change at whole quarters."""
    import pandas as pd

    seconds = np.frombuffer(quarters, dtype=np.int64) * 900
    index = pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC").tz_convert(timezone)
    offsets: Places = index.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64) - seconds
    return offsets
