"""Answers as plain objects for ``--json``: instants are ISO 8601 in UTC, what is not known is null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

from alerting.app.reading import Shown, ShownSeries
from alerting.core.calendars import names_at
from detectors.buckets import as_datetime

Plain = Mapping[str, object]


def shown(found: Shown) -> Plain:
    return {
        "metric": found.metric,
        "bucket": found.bucket,
        "unlisted": found.unlisted,
        "series": [_series(one) for one in found.series],
    }


def plain(value: object) -> object:
    """What JSON can hold of a value: dataclasses become objects.

    >>> plain((datetime(2026, 1, 5, 14, tzinfo=UTC), float("nan"), {"country": "DE"}))
    ['2026-01-05T14:00:00Z', None, {'country': 'DE'}]
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _series(one: ShownSeries) -> Plain:
    trace = one.trace
    columns = zip(trace.times, trace.observed, trace.expected, trace.lower, trace.upper, trace.anomalies, strict=True)
    days = [names_at(trace.events, place) or None for place in range(len(trace.times))]
    points = [
        {
            "time": plain(as_datetime(time)),
            "observed": plain(float(observed)),
            "expected": plain(float(expected)),
            "lower": plain(float(lower)),
            "upper": plain(float(upper)),
            "anomaly": bool(anomaly),
            "calendar": days[place],
        }
        for place, (time, observed, expected, lower, upper, anomaly) in enumerate(columns)
    ]
    judged_by = {"subscription": one.subscription or None, "entry": one.entry or None}
    return {"labels": dict(one.labels), "unit": trace.unit, "timezone": trace.timezone, **judged_by, "points": points}
