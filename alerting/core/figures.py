"""Numbers as people read them in causes, reasons and explanations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta


def amount(value: float, unit: str | None = None) -> str:
    """A number rounded to what matters, with its unit; NaN reads as "no reading".

    >>> amount(1020.4, "orders"), amount(0.123456), amount(-3.0), amount(float("nan"))
    ('1,020 orders', '0.1235', '-3', 'no reading')
    """
    if math.isnan(value):
        return "no reading"
    digits = f"{value:,.0f}" if 1000 <= abs(value) < math.inf else f"{value:.4g}"
    return f"{digits} {unit}" if unit else digits


def percent(share: float) -> str:
    """A share as a percentage, two digits below one hundred.

    >>> percent(0.0412), percent(0.08), percent(3.0)
    ('4.1 %', '8 %', '300 %')
    """
    return f"{share * 100:.2g} %" if abs(share) < 1 else f"{share * 100:,.0f} %"


def length(duration: timedelta) -> str:
    """A duration in its two largest units.

    >>> length(timedelta(hours=2, minutes=10, seconds=9)), length(timedelta(days=3)), length(timedelta(seconds=30))
    ('2 h 10 m', '3 d', '30 s')
    """
    seconds = max(0, int(duration.total_seconds()))
    parts = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def count(number: int, thing: str) -> str:
    """A number of things, the plural where it is due.

    >>> count(1, "bucket"), count(12, "bucket"), count(2, "series")
    ('1 bucket', '12 buckets', '2 series')
    """
    return f"{number:,} {thing}" if number == 1 or thing.endswith("s") else f"{number:,} {thing}s"


def series_name(metric: str, labels: Mapping[str, str] | None = None) -> str:
    """A series as it is written on the command line.

    >>> series_name("orders", {"country": "DE"}), series_name("orders")
    ('orders{country=DE}', 'orders')
    """
    inside = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
    return f"{metric}{{{inside}}}" if inside else metric
