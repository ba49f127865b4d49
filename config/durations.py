"""Durations as people write them: ``15m``, ``1h30m``, ``8w``, or ISO 8601 without years and months.

>>> parse("1h30m")
datetime.timedelta(seconds=5400)
>>> parse("P7D") == parse("7d") == parse("1w")
True
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_SHORT = re.compile(rf"(?:{_PART}[smhdw])+")
_ISO = re.compile(
    rf"P(?:(?P<w>{_PART})W)?(?:(?P<d>{_PART})D)?"
    rf"(?:T(?=[0-9])(?:(?P<h>{_PART})H)?(?:(?P<m>{_PART})M)?(?:(?P<s>{_PART})S)?)?"
)
_EXAMPLES = "15m, 1h30m, 8w or PT15M"
LONGEST = timedelta(days=36500)


def parse(text: str) -> timedelta:
    """Raises ValueError that says how to write what was probably meant."""
    parts = _short_parts(text) or _iso_parts(text)
    if not parts:
        raise ValueError(_refusal(text))
    units = [unit for unit, _ in parts]
    if len(set(units)) != len(units):
        raise ValueError(f"{text!r} names a unit twice: write a duration such as {_EXAMPLES}")
    seconds = sum(float(number) * _SECONDS[unit] for unit, number in parts)
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than a hundred years")
    return timedelta(seconds=seconds)


def written(duration: timedelta) -> str:
    """The shortest text that ``parse`` reads back; fractions of a second stay.

    >>> written(timedelta(minutes=90))
    '1h30m'
    """
    rest, parts = duration, []
    for unit, size in sorted(_SECONDS.items(), key=lambda item: -item[1]):
        count, rest = divmod(rest, timedelta(seconds=size))
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        whole = parts.pop()[:-1] if parts and parts[-1].endswith("s") else "0"
        parts.append(f"{whole}.{rest.microseconds:06}".rstrip("0") + "s")
    return "".join(parts) or "0s"


def _short_parts(text: str) -> list[tuple[str, str]]:
    if not _SHORT.fullmatch(text):
        return []
    return [(unit, number) for number, unit in re.findall(rf"({_PART})([smhdw])", text)]


def _iso_parts(text: str) -> list[tuple[str, str]]:
    match = _ISO.fullmatch(text)
    return [(unit, number) for unit, number in match.groupdict().items() if number] if match else []


def _refusal(text: str) -> str:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"{text!r} has no unit: write {text}s, {text}m, {text}h or {text}d"
    if re.fullmatch(r"\d+:\d+(:\d+)?", text):
        return f"{text!r} may mean minutes or hours: write a duration such as {_EXAMPLES}"
    if re.fullmatch(r"(\d+)(mo|month|months|M|y|year|years|Y)|P.*\d[YM](?!.*T)?.*", text) and "T" not in text:
        return f"{text!r}: months and years differ in length: write days or weeks (30d, 52w)"
    return f"{text!r} is not a duration: write one such as {_EXAMPLES}"


def _validated(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"write a duration such as {_EXAMPLES}")
    return parse(str(value))


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": rf"^((?:{_PART}[smhdw])+|P(?=.)({_PART}W)?({_PART}D)?(T({_PART}H)?({_PART}M)?({_PART}S)?)?)$",
        "examples": ["15m", "1h30m", "8w", "PT15M"],
    }
)

Duration = Annotated[timedelta, BeforeValidator(_validated), _SCHEMA]
"""A pydantic type: text in the YAML, ``timedelta`` in the program; zero or more."""

PositiveDuration = Annotated[timedelta, BeforeValidator(_validated), AfterValidator(_positive), _SCHEMA]
