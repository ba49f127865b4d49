"""The project's own detectors, through the contract every detector keeps."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np

import detectors
from detectors import ANOMALY, Detector, Panel, Verdicts
from detectors.buckets import Bucket, as_datetime
from tests.accuracy.labelled import Series
from tests.accuracy.outcome import Outcome

_CODE = Path(detectors.__file__).parent


@dataclass(frozen=True)
class Ours:
    """A registered detector with these parameters (empty: its default), judged in one go on a panel of one series."""

    name: str
    detector: str = "seasonal"
    parameters: tuple[tuple[str, str], ...] = ()
    most: Mapping[str, int] = field(default_factory=dict)

    @property
    def about(self) -> str:
        chosen = ", ".join(f"{key} {value}" for key, value in self.parameters) or "default"
        return f"metricwatch {self.detector}, {chosen}; alert where its status is anomaly"

    def judge(self, series: Series) -> Outcome:
        return judged(detectors.load(self.detector, **dict(self.parameters)), series)

    def digest(self) -> str:
        told = hashlib.sha256(f"{self.detector} {self.parameters} {version('numpy')} {version('pandas')}".encode())
        for path in (Path(__file__), *sorted(_CODE.glob("**/*.py"))):
            told.update(path.read_bytes())
        return told.hexdigest()


def offers(detector: str, parameter: str) -> bool:
    """Whether a detector has this parameter."""
    return parameter in detectors.type_of(detector).model_fields


def judged(detector: Detector, series: Series) -> Outcome:
    """The verdicts of a whole series, reading by reading.

    Of several readings in one bucket the last is judged; the others are unknown, because the bucket's verdict would let
    them look ahead.
    """
    began = time.perf_counter()
    panel, places = on_grid(series)
    verdicts = detector.judge(panel, since=panel.times[0])
    took_s = time.perf_counter() - began
    superseded = np.append(places[1:] == places[:-1], False)
    return _outcome(verdicts, places, superseded, took_s)


def on_grid(series: Series) -> tuple[Panel, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """The series on the full grid of its step, NaN where it has a hole, and the bucket of each reading."""
    bucket = bucket_of(series.step_s)
    moments = series.times_s.astype("datetime64[s]").astype("datetime64[us]")
    starts = bucket.floor(moments, "UTC")
    end = as_datetime(starts[-1]) + timedelta(microseconds=1)
    times = bucket.starts(as_datetime(starts[0]), end, "UTC")
    places = np.searchsorted(times, starts)
    values = np.full((len(times), 1), np.nan)
    values[places, 0] = series.values
    return Panel(times, values, ({},), bucket.text, "UTC"), places


def bucket_of(step_s: int) -> Bucket:
    """The bucket of a nominal step. Raises ValueError when no bucket is that wide."""
    if step_s == 86400:
        return Bucket.parse("1d")
    minutes, rest = divmod(step_s, 60)
    if rest:
        raise ValueError(f"no bucket of {step_s} s")
    return Bucket.parse(f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m")


def _outcome(
    verdicts: Verdicts,
    places: np.ndarray[tuple[int], np.dtype[np.intp]],
    superseded: np.ndarray[tuple[int], np.dtype[np.bool_]],
    took_s: float,
) -> Outcome:
    score = verdicts.score[places, 0]
    return Outcome(
        score=np.where(np.isnan(score) | superseded, -np.inf, score),
        alert=np.asarray(verdicts.status[places, 0] == ANOMALY) & ~superseded,
        expected=verdicts.expected[places, 0],
        lower=verdicts.lower[places, 0],
        upper=verdicts.upper[places, 0],
        took_s=took_s,
    )
