"""Three weeks of hourly orders with a drop on the last afternoon, made by a formula: what pictures are drawn of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.contract import Bools, Floats, Instants


class Example(NamedTuple):
    """In the order that the chart functions take them."""

    times: Instants
    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    anomalies: Bools


def three_weeks(hours: int = 21 * 24 - 8) -> Example:
    """Ends on Monday 2 February 2026, 16:00 in New York; the last three hours are 41 % below expected."""
    times = np.datetime64("2026-02-02T21:00", "us") - np.arange(hours)[::-1] * np.timedelta64(1, "h")
    local = (times - np.timedelta64(5, "h")).astype("datetime64[h]").astype(int)
    hour, weekday = local % 24, (local // 24 + 3) % 7
    shape = np.exp(-((hour - 14.5) ** 2) / 26) + 0.45 * np.exp(-((hour - 20.5) ** 2) / 8)
    expected = 120 + 900 * shape * np.where(weekday >= 5, 0.72, 1.0)
    noise = np.random.default_rng(7).normal(0, 1, hours) * (12 + 0.035 * expected)
    observed = expected + noise
    half = 2.9 * (12 + 0.035 * expected)
    anomalies = np.zeros(hours, dtype=bool)
    anomalies[-3:] = True
    observed = np.where(anomalies, expected * 0.59, np.clip(observed, expected - 0.93 * half, expected + 0.93 * half))
    return Example(times, observed, expected, expected - half, expected + half, anomalies)
