"""The series shipped in ``series/``: readings, and the windows that people labelled as anomalous."""

from __future__ import annotations

import hashlib
import json
import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools, Floats

FOLDER = Path(__file__).parent / "series"
WEEK_S = 7 * 86400
LABELLED_COLLECTIONS = ("nab", "mscloud", "kpi")
PLAIN_COLLECTIONS = ("plain_hourly", "plain_daily")

Seconds = NDArray[np.int64]


class UnknownCollection(LookupError):
    """No collection has this name."""


@dataclass(frozen=True)
class Series:
    """One series: ``times_s[N]`` epoch seconds, strictly ascending, ``values[N]`` with NaN = no reading.

    ``windows`` first and last index, both included · ``onsets`` where inside each window the anomaly begins (NAB's
    windows surround theirs) · ``warmup`` readings at the start that no measure counts · ``step_s`` nominal.
    """

    collection: str
    name: str
    step_s: int
    times_s: Seconds
    values: Floats
    windows: tuple[tuple[int, int], ...] = ()
    onsets: tuple[int, ...] = ()
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.times_s.shape != self.values.shape:
            raise ValueError(f"{self.key}: {len(self.times_s)} times for {len(self.values)} values")
        if self.onsets and len(self.onsets) != len(self.windows):
            raise ValueError(f"{self.key}: {len(self.onsets)} onsets for {len(self.windows)} windows")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def key(self) -> str:
        return f"{self.collection}/{self.name}"

    @property
    def label(self) -> Bools:
        """True inside a labelled window."""
        inside = np.zeros(len(self), dtype=bool)
        for first, last in self.windows:
            inside[first : last + 1] = True
        return inside

    @property
    def live(self) -> Bools:
        """True after the warm-up."""
        return np.arange(len(self)) >= self.warmup

    @property
    def begins(self) -> tuple[int, ...]:
        """Where the anomaly of each window begins."""
        return self.onsets or tuple(first for first, _ in self.windows)

    def digest(self) -> str:
        """Names the readings (not the labels): equal for equal times, values and step."""
        told = hashlib.sha256(f"{self.step_s} {len(self)}".encode())
        told.update(self.times_s.astype("<i8").tobytes())
        told.update(self.values.astype("<f8").tobytes())
        return told.hexdigest()


def collection(name: str, folder: Path = FOLDER) -> list[Series]:
    """All series of a collection in the order of their names. Raises UnknownCollection."""
    rows = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = [row for row in rows if row["collection"] == name]
    if not found:
        raise UnknownCollection(
            f"no collection {name!r}; there are {', '.join(sorted({r['collection'] for r in rows}))}"
        )
    return [_series(row, folder) for row in sorted(found, key=lambda row: str(row["name"]))]


def parsed(text: str, step_s: int) -> tuple[Seconds, Floats]:
    """Times and values of a file: a value a line, one step after the one before unless ``@`` and epoch seconds follow.

    >>> times, values = parsed("3@120\\n\\n4.5\\n7@600\\n", step_s=60)
    >>> times.tolist(), values.tolist()
    ([120, 180, 240, 600], [3.0, nan, 4.5, 7.0])
    """
    times, values, clock = [], [], 0
    for line in text.removesuffix("\n").split("\n"):
        value, _, at = line.partition("@")
        clock = int(at) if at else clock + step_s
        times.append(clock)
        values.append(float(value) if value else np.nan)
    return np.array(times, dtype=np.int64), np.array(values)


def _series(row: dict[str, object], folder: Path) -> Series:
    path = folder / str(row["collection"]) / f"{row['name']}.txt.xz"
    step_s = int(str(row["step_s"]))
    times, values = parsed(lzma.decompress(path.read_bytes()).decode("utf-8"), step_s)
    windows = json.loads(json.dumps(row["windows"]))
    return Series(
        collection=str(row["collection"]),
        name=str(row["name"]),
        step_s=step_s,
        times_s=times,
        values=values,
        windows=tuple((int(first), int(last)) for first, last in windows),
        onsets=tuple(int(onset) for onset in json.loads(json.dumps(row["onsets"]))),
        warmup=int(str(row["warmup"])),
    )
