"""Weekly hours as people write them: ``Mon-Fri 08:00-23:00``, ``Sat,Sun``, ``22:00-06:00``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from detectors.contract import Bools, Instants

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_PER_DAY = 24 * 60
_PATTERN = re.compile(
    r"(?:(?P<days>[a-z]{3}(?:\s*[-,]\s*[a-z]{3})*))?\s*(?:(?P<start>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d))?"
)


@dataclass(frozen=True)
class Hours:
    """One stretch of the day on some weekdays (Monday 0). ``end`` ≤ ``start`` ends on the next day; both in minutes.

    >>> Hours.parse("Fri-Sat 22:00-02:00")
    Hours(days=(4, 5), start=1320, end=120)
    """

    days: tuple[int, ...]
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Raises ValueError when ``text`` is neither days, nor hours, nor days and hours."""
        match = _PATTERN.fullmatch(text.strip().lower())
        if match is None or not text.strip():
            raise ValueError(f"{text!r} is not a time of the week: write Mon-Fri 08:00-23:00, Sat,Sun or 22:00-06:00")
        days = _days(match["days"], text) if match["days"] else tuple(range(7))
        if match["start"] is None:
            return cls(days, 0, _MINUTES_PER_DAY)
        start, end = _minutes(match["start"], text), _minutes(match["end"], text)
        if start == end:
            raise ValueError(f"{text!r} is empty: it ends when it starts")
        return cls(days, start, end)

    def holds(self, moment: datetime, timezone: str) -> bool:
        """Whether an aware instant falls inside, by the local clock: an hour that is repeated is inside both times."""
        local = moment.astimezone(ZoneInfo(timezone))
        today, minute = local.weekday(), local.hour * 60 + local.minute
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        return (today in self.days and minute >= self.start) or ((today - 1) % 7 in self.days and minute < self.end)

    def hold(self, times: Instants, timezone: str) -> Bools:
        """Which of these instants fall inside, by the local clock; same shape."""
        import pandas as pd  # here, because commands that judge nothing must start fast

        local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(timezone)
        day = local.day_of_week.to_numpy()
        minute = local.hour.to_numpy() * 60 + local.minute.to_numpy()
        today, since_yesterday = np.isin(day, self.days), np.isin((day - 1) % 7, self.days)
        started, not_ended = minute >= self.start, minute < self.end
        if self.start < self.end:
            held: Bools = today & started & not_ended
        else:
            held = (today & started) | (since_yesterday & not_ended)
        return held

    def hold_days(self, times: Instants, timezone: str) -> Bools:
        """The same for buckets of a day and longer: only the weekday on which they start counts."""
        import pandas as pd  # here, because commands that judge nothing must start fast

        local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(timezone)
        return np.isin(local.day_of_week.to_numpy(), self.days)


def _days(text: str, whole: str) -> tuple[int, ...]:
    found: set[int] = set()
    for piece in text.replace(" ", "").split(","):
        first, _, last = piece.partition("-")
        for name in filter(None, (first, last)):
            if name not in _DAYS:
                raise ValueError(f"{name!r} in {whole!r} is not a day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun")
        if last.count("-"):
            raise ValueError(f"{piece!r} in {whole!r} has more than two ends")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return tuple(sorted(found))


def _minutes(text: str, whole: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > _MINUTES_PER_DAY:
        raise ValueError(f"{text} in {whole!r} is not a time of day: write 00:00 to 24:00")
    return hour * 60 + minute
