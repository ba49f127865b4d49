"""Times as warehouses write them, as UTC instants.

One rule decides the two odd hours of a local clock, the rule that PostgreSQL and DuckDB follow in comparisons: a
local time that happens twice means the second pass, and one that never happens means the offset before the change. So
the hour that is repeated in autumn holds the rows of both passes, and the bucket of the first pass is a gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

_LATEST_EPOCH_S = 32_503_680_000  # the year 3000; larger numbers are milli- or microseconds
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ]|$)")
_MIDNIGHT = time(0)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Moment:
    """An instant; ``is_repeated``: read from a local time that happens twice, so two rows may claim it."""

    instant: datetime
    is_repeated: bool = False


class NotATime(ValueError):
    """The value cannot be read as a time; the text says which and why."""


def moment(value: object, *, naive_time: str, day_zone: str, is_calendar: bool) -> Moment:
    """The instant that a value means.

    Aware datetimes and ISO text with an offset are exact; numbers are epoch seconds. A date, and in calendar buckets
    also a midnight without a zone, is a calendar day: of ``day_zone`` when the bucket is a calendar one, else of
    ``naive_time``. Other times without a zone are local to ``naive_time``. Raises NotATime.
    """
    try:
        read = _read(value)
        if read.tzinfo is not None:
            return Moment(read.astimezone(UTC))
        if is_calendar and read.time() == _MIDNIGHT:
            return Moment(_earlier(read, ZoneInfo(day_zone)))
        return _local(read, ZoneInfo(naive_time))
    except OverflowError as exc:
        raise NotATime(f"{value!r} is outside the years 1 to 9999") from exc


def wall_edge(instant: datetime, zone: str) -> datetime:
    """The naive local time to compare with: rows before it are exactly those that ``moment`` reads before ``instant``.

    >>> wall_edge(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "America/New_York")  # inside the first pass of 01:00-02:00
    datetime.datetime(2026, 11, 1, 1, 0)
    """
    tz = ZoneInfo(zone)
    local = instant.astimezone(tz)
    wall = local.replace(tzinfo=None, fold=0)
    overlap = _utc(wall, tz, 1) - _utc(wall, tz, 0)
    if local.fold or overlap <= timedelta(0):
        return wall
    return _change(instant, overlap, tz).astimezone(tz).replace(tzinfo=None, fold=0)


def _read(value: object) -> datetime:
    match value:
        case datetime():
            return value
        case date():
            return datetime.combine(value, _MIDNIGHT)
        case bool():
            raise NotATime(f"{value!r} is not a time")
        case int() | float() | Decimal():
            return _epoch(value)
        case str():
            return _iso(value)
    raise NotATime(f"{value!r} is a {type(value).__name__}, not a time")


def _epoch(value: int | float | Decimal) -> datetime:
    if Decimal(value).is_nan() or not -_LATEST_EPOCH_S <= value <= _LATEST_EPOCH_S:
        raise NotATime(f"{value} is not epoch seconds (milliseconds? divide by 1000)")
    seconds = Decimal(value) if isinstance(value, int | Decimal) else Decimal(repr(value))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))


def _iso(text: str) -> datetime:
    # Python takes any character between date and time, even the sign of an offset.
    if not _ISO_DATE.match(text.strip()):
        raise NotATime(f"{text[:60]!r} is not an ISO 8601 time")
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise NotATime(f"{text[:60]!r} is not an ISO 8601 time") from exc


def _local(wall: datetime, tz: ZoneInfo) -> Moment:
    before, after = _utc(wall, tz, 0), _utc(wall, tz, 1)
    return Moment(max(before, after), is_repeated=after > before)


def _earlier(wall: datetime, tz: ZoneInfo) -> datetime:
    """The beginning of a day: the first of two midnights, the first instant that exists where there is none."""
    before, after = _utc(wall, tz, 0), _utc(wall, tz, 1)
    if after >= before:
        return before
    return _change(after, before - after, tz)


def _utc(wall: datetime, tz: ZoneInfo, fold: int) -> datetime:
    return wall.replace(tzinfo=tz, fold=fold).astimezone(UTC)


def _change(instant: datetime, span: timedelta, tz: ZoneInfo) -> datetime:
    """The instant of the clock change that lies in (instant, instant + span], to the second."""
    offset = instant.astimezone(tz).utcoffset()
    low, high = 0, span // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if (instant + middle * _SECOND).astimezone(tz).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return (instant + high * _SECOND).astimezone(UTC)
