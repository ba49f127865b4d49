"""What ``Seasonal`` keeps between calls: what was known when the latest block began, and the rows read since.

The state is a cache, never the truth: it is used only where the panel does not reach further back than these rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.contract import Bools, Event, Floats, Instants, Panel
from detectors.seasonal.calendar import Places
from detectors.seasonal.knowledge import Knowledge
from detectors.seasonal.learner import Method

_FORMAT = 3


@dataclass(frozen=True)
class Past:
    """``knowledge`` of the series of a panel before ``times[T]``, and the rows that it has not taken in."""

    knowledge: Knowledge
    times: Instants
    values: Floats
    masked: Bools
    events: tuple[Event, ...] = ()


def recalled(state: bytes | None, panel: Panel, key: str, method: Method) -> Past:
    """The panel after what ``state`` remembers. A state of another bucket, zone, method or format counts as none."""
    values = np.where(np.isfinite(panel.values), panel.values, np.nan)
    masked = np.zeros(values.shape, dtype=bool) if panel.masked is None else panel.masked
    times = panel.times.astype("datetime64[us]")
    stored = _unpacked(state, _header(panel, key), method) if state else None
    if stored is None or (len(times) and times[0] < stored.since):
        return Past(Knowledge.none(len(panel.labels), method), times, values, masked, panel.events)
    places = _places(stored.labels, panel)
    before = stored.times < times[0] if len(times) else np.ones(len(stored.times), dtype=bool)
    return Past(
        stored.knowledge.of(places, method),
        np.concatenate([stored.times[before], times]),
        np.concatenate([_columns(stored.values, places)[before], values]),
        np.concatenate([_columns(stored.masked, places)[before] > 0, masked]),
        _joined(stored.events, before, panel),
    )


def is_usable(state: bytes, panel: Panel, key: str, method: Method) -> bool:
    """Whether ``recalled`` would go on from this state."""
    stored = _unpacked(state, _header(panel, key), method)
    return stored is not None and not (len(panel.times) and panel.times[0] < stored.since)


def packed(knowledge: Knowledge, since: np.datetime64, rows: Past, panel: Panel, key: str) -> bytes:
    """``knowledge`` before ``since``, and the rows from there on: a line of JSON, then float64 arrays, series last."""
    kept = rows.times >= since
    arrays = knowledge.arrays() | {"values": rows.values[kept], "masked": rows.masked[kept].astype(np.float64)}
    header = {
        "panel": _header(panel, key),
        "since": int(since.astype("datetime64[us]").astype(np.int64)),
        "labels": [sorted(labels.items()) for labels in panel.labels],
        "times": rows.times[kept].astype(np.int64).tolist(),
        "effects": list(knowledge.effects),
        "events": [
            [one.name, one.effect, one.calendar, one.active[kept].tolist()]
            for one in rows.events
            if one.active[kept].any()
        ],
        "arrays": {path: array.shape for path, array in arrays.items()},
    }
    parts = [np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays.values()]
    return json.dumps(header).encode() + b"\n" + b"".join(parts)


@dataclass(frozen=True)
class _Stored:
    knowledge: Knowledge
    since: np.datetime64
    labels: list[Any]
    times: Instants
    values: Floats
    masked: Floats
    events: list[Any]


def _header(panel: Panel, key: str) -> list[object]:
    return [_FORMAT, panel.bucket, panel.timezone, key]


def _unpacked(state: bytes, wanted: list[object], method: Method) -> _Stored | None:
    text, _, content = state.partition(b"\n")
    try:
        header = json.loads(text)
        if header["panel"] != wanted:
            return None
        numbers = np.frombuffer(content, dtype="<f8")
        shapes = header["arrays"]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
        parts = np.split(numbers, ends[:-1])
        arrays = {path: part.reshape(shape) for (path, shape), part in zip(shapes.items(), parts, strict=True)}
        knowledge = Knowledge.none(len(header["labels"]), method, header["effects"])
        knowledge.replace(arrays)
        times = np.array(header["times"], dtype=np.int64).view("datetime64[us]")
        since = np.int64(header["since"]).view("datetime64[us]")
        return _Stored(knowledge, since, header["labels"], times, arrays["values"], arrays["masked"], header["events"])
    except (ValueError, KeyError, TypeError):
        return None  # damaged, or from another version: everything is learned again from the panel


def _joined(stored: list[Any], before: Bools, panel: Panel) -> tuple[Event, ...]:
    """The events of remembered rows and of the panel's."""
    earlier = {
        (name, effect, calendar): np.array(active, dtype=bool)[before] for name, effect, calendar, active in stored
    }
    later = {(one.name, one.effect, one.calendar): one.active for one in panel.events}
    none = np.zeros(int(before.sum()), dtype=bool), np.zeros(len(panel.times), dtype=bool)
    return tuple(
        Event(name, effect, np.concatenate([earlier.get(key, none[0]), later.get(key, none[1])]), calendar)
        for key in dict.fromkeys([*earlier, *later])
        for name, effect, calendar in [key]
    )


def _places(labels: list[list[list[str]]], panel: Panel) -> Places:
    """For each series of the panel its column in the state; −1: it is new."""
    known = {tuple(map(tuple, pairs)): place for place, pairs in enumerate(labels)}
    return np.array([known.get(tuple(sorted(one.items())), -1) for one in panel.labels], dtype=np.intp)


def _columns(stored: Floats, places: Places) -> Floats:
    found = np.full((len(stored), len(places)), np.nan)
    found[:, places >= 0] = stored[:, places[places >= 0]]
    return found
