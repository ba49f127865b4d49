"""Single values as people write them: time zones, buckets, shares, names, addresses of people."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from config.problems import suggestion
from detectors.buckets import Bucket

NAME = re.compile(r"\w[\w.\-]{0,99}")


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
