"""Buckets of time: fixed ones aligned to UTC, calendar ones aligned to midnight of a time zone.

A bucket is named by its start, a UTC ``datetime64[us]``. ``1d``, ``1w`` (from Monday) and ``1mo`` follow the local
calendar, so a day is 23 to 25 hours long where daylight saving time says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from detectors.contract import Instants

if TYPE_CHECKING:
    import pandas as pd  # at run time only where calendar buckets are computed: it is half of the start-up time

_FIXED = {"m": timedelta(minutes=1), "h": timedelta(hours=1)}
_CALENDAR = {"1d": timedelta(days=1), "1w": timedelta(weeks=1), "1mo": timedelta(days=30)}


@dataclass(frozen=True)
class Bucket:
    """A width of time. ``nominal`` is exact for fixed widths and the usual width of calendar ones (1mo: 30 days).

    >>> Bucket.parse("1h").nominal
    datetime.timedelta(seconds=3600)
    """

    text: str
    nominal: timedelta

    @classmethod
    def parse(cls, text: str) -> Bucket:
        """Raises ValueError when ``text`` is not 1m … 12h (dividing a day), 1d, 1w or 1mo."""
        if text in _CALENDAR:
            return cls(text, _CALENDAR[text])
        match = re.fullmatch(r"([1-9]\d*)([mh])", text)
        if match:
            nominal = int(match[1]) * _FIXED[match[2]]
            if nominal <= timedelta(hours=12) and timedelta(days=1) % nominal == timedelta(0):
                return cls(text, nominal)
        raise ValueError(f"{text!r} is not a bucket: write 1m to 12h (a divisor of a day), 1d, 1w or 1mo")

    @property
    def is_calendar(self) -> bool:
        return self.text in _CALENDAR

    @property
    def longest(self) -> timedelta:
        """The width that no bucket exceeds: calendar buckets grow by a month's 31st day and a repeated hour."""
        month = timedelta(days=1) if self.text == "1mo" else timedelta(0)
        return self.nominal + month + (timedelta(hours=1) if self.is_calendar else timedelta(0))

    @property
    def per_day(self) -> float:
        return timedelta(days=1) / self.nominal

    def floor(self, times: Instants, timezone: str) -> Instants:
        """The starts of the buckets that hold these instants; same shape, NaT stays NaT."""
        stamps = times.astype("datetime64[us]")
        if not self.is_calendar:
            width = np.timedelta64(self.nominal, "us")
            floored: Instants = np.datetime64(0, "us") + (stamps - np.datetime64(0, "us")) // width * width
            return floored
        import pandas as pd

        local = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(timezone)
        days = local.tz_localize(None).normalize()
        if self.text == "1w":
            days = days - pd.to_timedelta(days.day_of_week, unit="D")
        elif self.text == "1mo":
            days = days - pd.to_timedelta(days.day - 1, unit="D")
        return _midnights(days, timezone)

    def start(self, instant: datetime, timezone: str) -> datetime:
        """The start of the bucket that holds ``instant``; both aware, the answer in UTC."""
        return as_datetime(self.floor(np.array([as_instant(instant)]), timezone)[0])

    def next(self, start: datetime, timezone: str) -> datetime:
        """The start of the following bucket, which is the end of this one."""
        if not self.is_calendar:
            return start + self.nominal
        day = start.astimezone(ZoneInfo(timezone)).date()
        return _local_midnight(_following(day, self.text), timezone)

    def starts(self, since: datetime, until: datetime, timezone: str) -> Instants:
        """The starts of all buckets with ``since`` ≤ start < ``until``, ascending, without holes."""
        first = self.start(since, timezone)
        if first < since:
            first = self.next(first, timezone)
        if not self.is_calendar:
            return np.arange(as_instant(first), as_instant(until), np.timedelta64(self.nominal, "us"))
        found = []
        while first < until:
            found.append(as_instant(first))
            first = self.next(first, timezone)
        return np.array(found, dtype="datetime64[us]")


def as_instant(moment: datetime) -> np.datetime64:
    """An aware datetime as UTC ``datetime64[us]``. Raises ValueError when it is naive."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def as_datetime(instant: np.datetime64) -> datetime:
    """A ``datetime64`` as an aware UTC datetime."""
    naive: datetime = instant.astype("datetime64[us]").item()
    return naive.replace(tzinfo=UTC)


def _following(day: date, text: str) -> date:
    if text == "1d":
        return day + timedelta(days=1)
    if text == "1w":
        return day + timedelta(days=7)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


@lru_cache(maxsize=4096)
def _local_midnight(day: date, timezone: str) -> datetime:
    import pandas as pd

    index = pd.DatetimeIndex([pd.Timestamp(day)])
    return as_datetime(_midnights(index, timezone)[0])


def _midnights(days: pd.DatetimeIndex, timezone: str) -> Instants:
    # Where the clock change removes midnight (Beirut, Havana), the day begins at the first instant that exists;
    # where it repeats midnight, the day begins at the first of the two.
    twice = np.ones(len(days), dtype=bool)
    aware = days.tz_localize(timezone, ambiguous=twice, nonexistent="shift_forward")
    instants: Instants = aware.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    return instants
