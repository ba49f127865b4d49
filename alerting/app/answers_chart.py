"""What the API answers about one series as a chart, as a value that becomes JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from alerting.app.answers import Answer, Number
from alerting.app.reading_chart import Chart as DrawnChart
from alerting.app.reading_chart import Episode
from alerting.core.incidents import Severity
from detectors.contract import Floats

_DIGITS = 6
"""More significant digits than a screen has rows would only be sent, not seen."""


class ChartIncident(Answer):
    """An incident of the series that overlaps the span."""

    id: str
    opened: float
    """start of its first bucket, seconds since 1970"""
    ended: float | None
    """end of its last bucket, seconds since 1970; null while it is open"""
    severity: Severity
    headline: str


class Chart(Answer):
    """One series over a span; all lists are equally long, null where there is no reading or no judgement."""

    metric: str
    labels: Mapping[str, str]
    """the series; empty = the total"""
    title: str
    unit: str | None
    timezone: str
    """time zone of the query: that of buckets of a day and longer"""
    bucket: str
    """width of a bucket as written, such as 1h"""
    bucket_s: float
    """usual width of a bucket in seconds"""
    subscription: str
    """whose band it is; empty = nobody judged the series"""
    entry: str
    """which detect entry the band is of"""
    times: list[int]
    """start of each point, seconds since 1970"""
    observed: list[Number]
    """reading, or the mean of the readings of the point"""
    low: list[Number]
    """least reading of the point; empty unless decimated"""
    high: list[Number]
    """greatest reading of the point; empty unless decimated"""
    expected: list[Number]
    lower: list[Number]
    upper: list[Number]
    anomalies: list[int]
    """places of the points that hold an anomaly"""
    incidents: list[ChartIncident]
    decimated: bool
    """true where a point stands for several buckets"""


def chart_json(chart: DrawnChart) -> str:
    """The chart as ``Chart`` describes it. Not made through it: that would cost more than reading the points."""
    names = ("metric", "title", "unit", "timezone", "bucket", "bucket_s", "subscription", "entry", "decimated")
    found: dict[str, object] = {name: getattr(chart, name) for name in names}
    found |= {name: _numbers(getattr(chart, name)) for name in ("observed", "expected", "lower", "upper")}
    found |= {name: _numbers(getattr(chart, name)) if chart.decimated else [] for name in ("low", "high")}
    found["labels"] = dict(chart.labels)
    found["times"] = chart.times.astype("datetime64[s]").astype(np.int64).tolist()
    found["anomalies"] = list(chart.anomalies)
    found["incidents"] = [_incident(one) for one in chart.incidents]
    return json.dumps(found, allow_nan=False, separators=(",", ":"))


def _incident(one: Episode) -> dict[str, object]:
    ended = None if one.ended is None else one.ended.timestamp()
    return {**asdict(one), "opened": one.opened.timestamp(), "ended": ended}


def _numbers(values: Floats) -> list[float | None]:
    known = np.isfinite(values) & (values != 0)
    scale = np.ones(len(values))
    scale[known] = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.abs(values[known]))))
    # Divided, not multiplied: 0.1 has no exact power of ten to be multiplied with.
    rounded = np.where(np.isfinite(scale), np.round(values * scale) / scale, values)
    # Whole numbers without ".0": shorter to send.
    numbers = np.where(np.isfinite(rounded), rounded, np.nan).tolist()
    return [None if one != one else int(one) if one.is_integer() else one for one in numbers]
