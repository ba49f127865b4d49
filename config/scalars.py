"""Single values as people write them: time zones, buckets, shares, names, addresses of people."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from config.durations import parse
from config.problems import suggestion
from detectors.buckets import Bucket
from detectors.hours import Hours

NAME = re.compile(r"\w[\w.\-]{0,99}")
_ONE_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SPAN = rf"^{_ONE_DAY}(/{_ONE_DAY})?$"
_LONGEST_SPAN = timedelta(days=366)
_MOST_AROUND = timedelta(days=31)


@lru_cache(maxsize=512)
def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    # OSError: the name of a folder of zones (America), ValueError: a path
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = suggestion(name, zoneinfo.available_timezones())
        raise ValueError(f"{name!r} is not a time zone{near or ' such as Europe/Berlin'}") from None
    return name


def _bucket(text: str) -> str:
    return Bucket.parse(text).text


def _share(value: object) -> float:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?%", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a share: write it in percent, 8%")
    return float(match[1]) / 100


def _slack_owner(text: str) -> str:
    if not re.fullmatch(r"[UWS][A-Z0-9]{2,30}", text):
        raise ValueError(f"{text!r} is not a Slack id: a user's begins with U or W, a user group's with S (not a name)")
    return text


def _web_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>|]+", text):
        raise ValueError(f"{text!r} is not a web address: write https://…")
    return text


def _folder_path(text: str) -> str:
    if text.startswith(("/", "~")) or ".." in re.split(r"[/\\]", text) or not text.strip():
        raise ValueError(f"{text!r} must be a path inside the folder of this configuration")
    return text


def _days(value: object) -> tuple[date, ...]:
    """One date, a stretch ``first/last`` (both included) or a list of such, as dates."""
    found = [day for text in (value if isinstance(value, list) else [value]) for day in _span(text)]
    if not found:
        raise ValueError("is empty: write a date such as 2026-11-27")
    return tuple(sorted(set(found)))


def _span(text: object) -> list[date]:
    if not isinstance(text, str) or not re.match(_SPAN, text):
        raise ValueError(f"{text!r} is not a date: write 2026-11-27, or 2026-12-24/2026-12-31 for a stretch")
    first, *rest = (_date(part) for part in text.split("/"))
    last = rest[0] if rest else first
    if last < first or last - first > _LONGEST_SPAN:
        raise ValueError(f"{text!r} is not a stretch of days: the first day, then the last, a year at most")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not in the calendar") from None


def _whole_days(value: object) -> int:
    length = parse(value) if isinstance(value, str) else None
    if length is None or length % timedelta(days=1) or length > _MOST_AROUND:
        raise ValueError(f"{value!r} is not a number of whole days: write 1d, or {_MOST_AROUND.days}d at most")
    return length.days


def _day_name(text: str) -> str:
    if not 0 < len(text.strip()) <= 60 or not text.isprintable():
        raise ValueError("a day's name is one line of 1 to 60 characters")
    return text.strip()


def _hours(text: str) -> str:
    Hours.parse(text)
    return text.strip()


TimeZone = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Berlin"]})]
BucketText = Annotated[
    str,
    AfterValidator(_bucket),
    WithJsonSchema({"type": "string", "pattern": "^([1-9][0-9]*[mh]|1d|1w|1mo)$", "examples": ["15m", "1h", "1d"]}),
]
Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,6}(\.\d{1,6})? ?%$", "examples": ["8%"]}),
]
SlackOwner = Annotated[str, AfterValidator(_slack_owner), WithJsonSchema({"type": "string", "pattern": "^[UWS]"})]
WebAddress = Annotated[str, AfterValidator(_web_address)]
FolderPath = Annotated[str, AfterValidator(_folder_path)]
_DAY_TEXT = {"type": "string", "pattern": _SPAN, "examples": ["2026-11-27", "2026-12-24/2026-12-31"]}
Days = Annotated[
    tuple[date, ...],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [_DAY_TEXT, {"type": "array", "items": _DAY_TEXT, "minItems": 1}]}),
]
WholeDays = Annotated[
    int, BeforeValidator(_whole_days), WithJsonSchema({"type": "string", "pattern": "^([0-9]+[dw]|P[0-9]+[DW])$"})
]
WeekHours = Annotated[
    str,
    AfterValidator(_hours),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\S", "examples": ["Sun 02:00-04:00", "Sat,Sun", "22:00-06:00"]}),
]
DayName = Annotated[str, AfterValidator(_day_name), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 60})]
