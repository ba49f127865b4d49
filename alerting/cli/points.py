"""Series and times as people write them on a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime


def parsed_series(text: str) -> tuple[str, Mapping[str, str]]:
    """A metric and the dimensions in its braces. Raises ValueError.

    >>> parsed_series("shop.orders{country=DE,channel=web, app}")
    ('shop.orders', {'country': 'DE', 'channel': 'web, app'})
    """
    match = re.fullmatch(r"([^{}]+)(?:\{(.*)\})?", text, re.DOTALL)
    if match is None:
        raise ValueError(f"{text!r} is not a metric: write METRIC or METRIC{{name=value,…}}")
    pairs = [part.partition("=") for part in re.split(r",(?=[^,=]+=)", match[2] or "") if part.strip()]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise ValueError(f"{text!r}: write the dimensions as {{name=value,…}}")
    return match[1].strip(), {name.strip(): value.strip("\"'") for name, _, value in pairs}


def parsed_time(text: str) -> datetime:
    """An instant, without a zone where none is written. Raises ValueError."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time: write it like 2026-01-14T15:00") from None


def say_when(target: str) -> ValueError:
    return ValueError(f"say when: metricwatch why '{target}' 2026-01-14T15:00")
