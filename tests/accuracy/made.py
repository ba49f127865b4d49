"""Tiny series for the tests of the measures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from detectors.contract import Bools, Floats
from tests.accuracy.labelled import Series

HOUR = 3600


def series(
    length: int,
    windows: Sequence[tuple[int, int]] = (),
    *,
    step_s: int = HOUR,
    warmup: int = 0,
    collection: str = "made",
    values: Floats | None = None,
    name: str = "tiny",
) -> Series:
    times_s = np.arange(length, dtype=np.int64) * step_s
    readings = np.zeros(length) if values is None else values
    return Series(collection, name, step_s, times_s, readings, tuple(windows), (), warmup)


def at(length: int, places: Iterable[int]) -> Bools:
    """True at these places."""
    flags = np.zeros(length, dtype=bool)
    flags[list(places)] = True
    return flags
