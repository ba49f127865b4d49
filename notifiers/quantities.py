"""Numbers, durations and instants as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LARGE = ((1e12, " tn"), (1e9, " bn"), (1e6, " M"))
_NOMINAL = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_RATES = {"1m": "/min", "1h": "/h", "1d": "/day", "1w": "/week", "1mo": "/month"}


def number(value: float, digits: int = 3) -> str:
    """``value`` rounded to ``digits`` significant digits, grouped by thousands; integers below 1,000 are exact.

    >>> number(1143.2), number(0.01234), number(1_234_567), number(-612.0)
    ('1,140', '0.0123', '1.23 M', '-612')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "?"
    rounded = _significant(value, digits)
    for size, suffix in _LARGE:
        if abs(rounded) >= size:
            return _plain(_significant(value / size, digits)) + suffix
    return _plain(rounded)


def numbers(values: Sequence[float]) -> list[str]:
    """Each value as ``number``, with as many digits as it takes to tell different ones apart (at most 7).

    >>> numbers([1021.0, 1019.0])
    ['1,021', '1,019']
    """
    distinct = len({value for value in values if math.isfinite(value)})
    for digits in range(3, 8):
        texts = [number(value, digits) for value in values]
        if len({text for text in texts if text != "?"}) == distinct:
            return texts
    return texts


def per_bucket(unit: str | None, bucket: str | None, additive: bool) -> str:
    """The unit behind a number, with the time it counts over where the value is a sum.

    >>> per_bucket("orders", "1h", True), per_bucket("%", "1h", False), per_bucket("orders", "15m", True)
    (' orders/h', ' %', ' orders in 15 min')
    """
    name = f" {unit}" if unit else ""
    if not additive or bucket is None:
        return name
    return name + _RATES.get(bucket, f" in {duration(width(bucket))}")


def width(bucket: str | None) -> timedelta:
    """How long a bucket usually is (1mo: 30 days); zero where the text says nothing."""
    match = re.fullmatch(r"(\d+)(mo|[mhdw])", bucket or "")
    if not match:
        return timedelta(0)
    return int(match[1]) * (timedelta(days=30) if match[2] == "mo" else _NOMINAL[match[2]])


def duration(span: timedelta) -> str:
    """The two largest parts that matter.

    >>> [duration(timedelta(minutes=m)) for m in (0.5, 45, 120, 130, 60 * 50, 60 * 24 * 12)]
    ['30 s', '45 min', '2 h', '2 h 10 m', '2 d 2 h', '12 d']
    """
    seconds = max(round(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" + (f" {minutes} m" if minutes and hours < 24 else "")
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d" + (f" {hours} h" if hours and days < 7 else "")


def zone(name: str) -> tzinfo:
    """The zone, or UTC where there is no such name: a message in the wrong zone beats no message."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def instant(at: datetime, where: tzinfo, near: datetime) -> str:
    """``Mon 14:00`` within six days of ``near``, else with its date (and year, where that differs)."""
    local, reference = at.astimezone(where), near.astimezone(where)
    clock = f"{local:%H:%M}"
    if abs(local - reference) < timedelta(days=6):
        return f"{_DAYS[local.weekday()]} {clock}"
    return f"{day(at, where, near)} {clock}"


def day(at: datetime, where: tzinfo, near: datetime) -> str:
    """``Mon 12 Nov``, with the year where it is not that of ``near``."""
    local = at.astimezone(where)
    year = f" {local.year}" if local.year != near.astimezone(where).year else ""
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}{year}"


def in_utc(at: datetime, where: tzinfo) -> str:
    """``18:00 UTC``, or with the weekday where that differs; empty where ``where`` tells UTC's time itself."""
    local, universal = at.astimezone(where), at.astimezone(UTC)
    if local.utcoffset() == timedelta(0):
        return ""
    if local.date() == universal.date():
        return f"{universal:%H:%M} UTC"
    return f"{_DAYS[universal.weekday()]} {universal:%H:%M} UTC"


def weekdays(at: datetime, where: tzinfo) -> str:
    """The weekday of ``at`` in the plural: ``Mondays``."""
    return _LONG_DAYS[at.astimezone(where).weekday()]


def _significant(value: float, digits: int) -> float:
    if abs(value) < 1000 and float(value).is_integer():
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def _plain(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.3g}"
    return f"{value:,.7f}".rstrip("0").rstrip(".")
