"""What ``Seasonal`` keeps between calls: the readings it still needs and what it learned from them.

The state is a cache, never the truth: rows of the panel replace remembered ones, and a remembered fit is used for a
series only while the readings it was learned from are still the same.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools, Floats, Instants, Panel
from detectors.decomposition import Fit, Turn

_FORMAT = 1


@dataclass(frozen=True)
class Past:
    """Remembered rows followed by those of the panel, for the panel's series.

    ``times[T]`` · ``values[T, S]`` as read · ``training[T, S]`` the same, NaN where masked or under an event ·
    ``learned_from[T, S]`` what ``training`` was when ``fits`` were learned.
    """

    times: Instants
    values: Floats
    training: Floats
    learned_from: Floats
    fits: Mapping[Turn, Fit]

    def only(self, series: int) -> Past:
        column = slice(series, series + 1)
        fits = {turn: fit.only(series) for turn, fit in self.fits.items()}
        values, training, learned_from = (part[:, column] for part in (self.values, self.training, self.learned_from))
        return Past(self.times, values, training, learned_from, fits)

    def until(self, time: np.datetime64) -> Past:
        """The rows up to and including ``time``."""
        rows = slice(int(np.searchsorted(self.times, time, side="right")))
        return Past(self.times[rows], self.values[rows], self.training[rows], self.learned_from[rows], self.fits)


def recalled(state: bytes | None, panel: Panel) -> Past:
    """The panel with what ``state`` remembers before it. A state of another bucket, zone or format counts as none."""
    values = np.where(np.isfinite(panel.values), panel.values, np.nan)
    training = np.where(_excluded(panel), np.nan, values)
    stamps = panel.times.astype("datetime64[us]")
    stored = _unpacked(state) if state else None
    if stored is None or stored.header["panel"] != _header(panel):
        return Past(stamps, values, training, np.full_like(values, np.nan), {})
    places = _places(stored.header["labels"], panel)
    old_times = np.array(stored.header["times"], dtype=np.int64).view("datetime64[us]")
    old_values, old_training = (_columns(part, places) for part in (stored.arrays["values"], stored.arrays["training"]))
    before = old_times < (stamps[0] if len(stamps) else np.datetime64("9999", "us"))
    seams = np.searchsorted(old_times, stamps)
    shared = (seams < len(old_times)) & (old_times[np.minimum(seams, len(old_times) - 1)] == stamps)
    learned_from = np.full_like(values, np.nan)
    learned_from[shared] = old_training[seams[shared]]
    return Past(
        np.concatenate([old_times[before], stamps]),
        np.concatenate([old_values[before], values]),
        np.concatenate([old_training[before], training]),
        np.concatenate([old_training[before], learned_from]),
        _fits(stored, places),
    )


def packed(panel: Panel, past: Past, fits: Mapping[Turn, Fit], keep: Bools) -> bytes:
    """These rows of the past and these fits, as ``recalled`` reads them: a line of JSON, then plain float64 arrays."""
    arrays = {"values": past.values[keep], "training": past.training[keep]}
    for (slot, settled), fit in fits.items():
        arrays |= {f"{slot}/{settled:d}/{name}": array for name, array in _named(fit).items()}
    header = {
        "panel": _header(panel),
        "labels": [sorted(labels.items()) for labels in panel.labels],
        "times": past.times[keep].astype(np.int64).tolist(),
        "turns": [[slot, int(settled)] for slot, settled in fits],
        "arrays": {name: len(array) for name, array in arrays.items()},
    }
    rows = np.concatenate([array.astype("<f8") for array in arrays.values()])
    return zlib.compress(json.dumps(header).encode() + b"\n" + rows.tobytes(), level=1)


@dataclass(frozen=True)
class _Stored:
    header: Mapping[str, Any]
    arrays: Mapping[str, Floats]


def _header(panel: Panel) -> list[object]:
    return [_FORMAT, panel.bucket, panel.timezone]


def _unpacked(state: bytes) -> _Stored | None:
    try:
        text, _, content = zlib.decompress(state).partition(b"\n")
        header = json.loads(text)
        rows = np.frombuffer(content, dtype="<f8").reshape(sum(header["arrays"].values()), len(header["labels"]))
    except (zlib.error, ValueError, KeyError, TypeError):
        return None  # damaged, or from another version: everything is learned again from the panel
    ends = np.cumsum(list(header["arrays"].values()))
    return _Stored(header, dict(zip(header["arrays"], np.split(rows, ends[:-1]), strict=True)))


def _excluded(panel: Panel) -> Bools:
    excluded = np.zeros(panel.values.shape, dtype=bool) if panel.masked is None else panel.masked.copy()
    for event in panel.events:
        if event.effect != "annotate":
            excluded |= event.active[:, None]
    return excluded


def _places(labels: list[list[list[str]]], panel: Panel) -> NDArray[np.int64]:
    """For each series of the panel its column in the state; −1: it is new."""
    known = {tuple(map(tuple, pairs)): place for place, pairs in enumerate(labels)}
    return np.array([known.get(tuple(sorted(one.items())), -1) for one in panel.labels], dtype=np.int64)


def _columns(stored: Floats, places: NDArray[np.int64]) -> Floats:
    found = np.full((len(stored), len(places)), np.nan)
    found[:, places >= 0] = stored[:, places[places >= 0]]
    return found


def _named(fit: Fit) -> dict[str, Floats]:
    seasons = {f"season{number}": season for number, season in enumerate(fit.seasons)}
    return {
        **seasons,
        "spread": fit.spread,
        "readings": fit.readings[None],
        "learned": fit.learned[None].astype(np.float64),
    }


def _fits(stored: _Stored, places: NDArray[np.int64]) -> dict[Turn, Fit]:
    fits = {}
    for slot, settled in stored.header["turns"]:
        stem = f"{slot}/{settled}/"
        named = {
            name.removeprefix(stem): np.nan_to_num(_columns(array, places))
            for name, array in stored.arrays.items()
            if name.startswith(stem)
        }
        seasons = tuple(named[f"season{k}"] for k in range(len(named) - 3))
        fits[Turn(slot, bool(settled))] = Fit(seasons, named["spread"], named["readings"][0], named["learned"][0] == 1)
    return fits
