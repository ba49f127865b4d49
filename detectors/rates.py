"""How often something may happen, as people write it: ``2/month``, ``1/week``, ``0.5/day``, ``10/year``.

In the program a rate is a number of events per week. A month has 30 days, a year 365.

>>> round(parse("3/month"), 3)
0.7
>>> written(parse("3/month"))
'3/month'
"""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_DAYS = {"day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}
_PATTERN = r"[0-9]{1,6}(\.[0-9]{1,6})? ?/ ?(day|week|month|year)"
_EXAMPLES = "2/month, 1/week, 0.5/day or 10/year"
_MOST_PER_WEEK = 10_000.0


def parse(text: str) -> float:
    """Events per week. Raises ValueError, which names the forms there are."""
    match = re.fullmatch(_PATTERN, text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rate: write how often, {_EXAMPLES}, or a number of events per week")
    count, _, unit = text.partition("/")
    return _plausible(float(count) * 7.0 / _DAYS[unit.strip()], text)


def written(per_week: float) -> str:
    """The rate as a whole or short number of events per week, month, year or day, whichever reads best."""
    if not (math.isfinite(per_week) and per_week > 0):
        return f"{per_week:g}/week"
    counts = {unit: per_week / 7.0 * _DAYS[unit] for unit in ("week", "month", "year", "day")}
    whole = (unit for unit, count in counts.items() if count >= 1 and abs(count - round(count)) < 1e-9 * count)
    unit = next(whole, None) or next((unit for unit, count in counts.items() if count >= 1), "year")
    return f"{counts[unit]:.6g}/{unit}"


def per_month(per_week: float) -> float:
    """The same rate in events per 30 days."""
    return per_week * _DAYS["month"] / 7.0


def _plausible(per_week: float, said: object) -> float:
    if not 0 < per_week <= _MOST_PER_WEEK:
        raise ValueError(f"{said!r} must be more than 0 and at most {_MOST_PER_WEEK:.0f}/week")
    return per_week


def _validated(value: object) -> float:
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"write how often, {_EXAMPLES}, or a number of events per week")
    return _plausible(float(value), value)


Rate = Annotated[
    float,
    BeforeValidator(_validated),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{_PATTERN}$"},
                {"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_PER_WEEK},
            ],
            "examples": ["2/month", "1/week", "0.5/day", "10/year"],
        }
    ),
]
"""A pydantic type: ``2/month`` in the YAML (a bare number: events per week), events per week in the program."""
