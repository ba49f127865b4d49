"""Labelled real series that the demo replays: taxi rides in New York, purchases in an online store.

>>> [one.name for one in series()]
['nyc-taxi', 'purchase-02', 'purchase-04', 'purchase-05']
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from detectors.buckets import Bucket
from detectors.contract import Floats, Instants


@dataclass(frozen=True)
class SampleSeries:
    """One CSV file with the columns ``time`` (naive local time of ``timezone``, a bucket start) and ``value``."""

    name: str
    title: str
    bucket: str
    timezone: str
    unit: str
    source: str
    licence: str

    @property
    def file(self) -> Traversable:
        return files(__name__) / f"{self.name}.csv"

    def path(self) -> Path:
        """The file on disk. Raises FileNotFoundError when the package is not installed as files."""
        with as_file(self.file) as path:
            if path.exists():
                return path
        raise FileNotFoundError(f"{self.file} is not a file on disk")

    def rows(self) -> list[tuple[datetime, float]]:
        """The readings as written: naive local time and value."""
        with self.file.open("r", encoding="utf-8") as stream:
            return [(datetime.fromisoformat(row["time"]), float(row["value"])) for row in csv.DictReader(stream)]

    def utc_end(self) -> datetime:
        """When the newest reading's bucket ended, aware UTC."""
        local = self.rows()[-1][0]
        return utc(local, self.timezone) + Bucket.parse(self.bucket).nominal

    def readings(self) -> tuple[Instants, Floats]:
        """UTC bucket starts and values, ascending.

        New York's clock was set back on 2 November 2014, so the UTC hour after the repeated local hour has no row
        (and holds no reading): the source counted its rides into the hour before.
        """
        rows = self.rows()
        times = [utc(time, self.timezone).replace(tzinfo=None) for time, _ in rows]
        return np.array(times, dtype="datetime64[us]"), np.array([value for _, value in rows])


@dataclass(frozen=True)
class Label:
    """What people marked as anomalous: from ``start`` until ``end`` (not included), aware UTC."""

    series: str
    name: str
    start: datetime
    end: datetime
    note: str = ""


_NAB = "github:numenta/NAB@ea702d75cc2258d9d7dd35ca8e5e2539d71f3140 data/realKnownCause/nyc_taxi.csv"
_CLOUD = (
    "github:microsoft/cloud-monitoring-dataset@6a07a53c2fac495fb6831811df4c980d6c04bd10 data/consumer-purchase-rate/"
)


def series() -> tuple[SampleSeries, ...]:
    """Taxi first, then the three purchase series that people labelled most; these carry no zone and are read as UTC."""
    taxi = SampleSeries("nyc-taxi", "Taxi passengers in New York", "30m", "America/New_York", "passengers", _NAB, "MIT")
    purchases = (
        SampleSeries(
            name, f"In-app purchases in one market ({name})", "1h", "UTC", "purchases", f"{_CLOUD}{name}.csv", "MIT"
        )
        for name in ("purchase-02", "purchase-04", "purchase-05")
    )
    return taxi, *purchases


def labels() -> tuple[Label, ...]:
    """Every labelled interval, in the order of ``series()`` and of time."""
    zones = {one.name: one.timezone for one in series()}
    written = json.loads((files(__name__) / "labels.json").read_text(encoding="utf-8"))
    return tuple(
        Label(
            row["series"],
            row["name"],
            utc(datetime.fromisoformat(row["start"]), zones[row["series"]]),
            utc(datetime.fromisoformat(row["end"]), zones[row["series"]]),
            row.get("note", ""),
        )
        for row in written
    )


def utc(local: datetime, timezone: str) -> datetime:
    """A naive local time as aware UTC; of a repeated hour the first."""
    return local.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
