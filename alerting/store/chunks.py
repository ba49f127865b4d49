"""Sealed weeks: all versions of old buckets of one query, compressed, in parts of some hundred series.

A part holds the series side by side in time and their bytes sorted by significance: neighbours that barely differ
compress well, and one series' year touches 52 parts, not the whole query.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Floats

WEEK_US = 7 * 24 * 3600 * 1_000_000
PART = 512
_LEVEL = 1  # float noise hardly shrinks further; level 6 takes five times as long


@dataclass(frozen=True)
class Versions:
    """V versions of buckets of one query: ``buckets[V]`` and ``seen[V]`` in microseconds, ``values[V, N]``.

    Sorted by bucket, then by when they were first seen: the last version of a bucket is the current one.
    """

    buckets: NDArray[np.int64]
    seen: NDArray[np.int64]
    values: Floats

    def ordered(self) -> Versions:
        order = np.lexsort((self.seen, self.buckets))
        return Versions(self.buckets[order], self.seen[order], self.values[order])

    def current(self) -> Versions:
        """The last version of each bucket; needs ``ordered``."""
        is_last = np.append(self.buckets[1:] != self.buckets[:-1], True)[: len(self.buckets)]
        return Versions(self.buckets[is_last], self.seen[is_last], self.values[is_last])


def pack(versions: Versions) -> bytes:
    by_series = np.ascontiguousarray(versions.values.T, dtype="<f8")
    by_significance = np.ascontiguousarray(by_series.view(np.uint8).reshape(-1, 8).T)
    head = versions.buckets.astype("<i8").tobytes() + versions.seen.astype("<i8").tobytes()
    return zlib.compress(head + by_significance.tobytes(), _LEVEL)


def unpack(packed: bytes, count: int, width: int, columns: NDArray[np.intp] | None = None) -> Versions:
    """The part, or only ``columns`` of it: of one series only its own bytes are put together, of none the stamps."""
    if columns is not None and not len(columns):
        stamps = np.frombuffer(zlib.decompressobj().decompress(packed, 16 * count), dtype="<i8").reshape(2, count)
        return Versions(stamps[0], stamps[1], np.empty((count, 0)))
    plain = np.frombuffer(zlib.decompress(packed), dtype=np.uint8)
    head, body = plain[: 16 * count], plain[16 * count :]
    stamps = head.view("<i8").reshape(2, count)
    by_byte = body.reshape(8, width, count)
    picked = by_byte if columns is None else by_byte[:, columns]
    values = np.ascontiguousarray(picked.reshape(8, -1).T).view("<f8").reshape(-1, count)
    return Versions(stamps[0], stamps[1], values.T)


def joined(pieces: Sequence[Versions]) -> Versions:
    if len(pieces) == 1:
        return pieces[0]
    return Versions(
        np.concatenate([piece.buckets for piece in pieces]),
        np.concatenate([piece.seen for piece in pieces]),
        np.concatenate([piece.values for piece in pieces]),
    )


def stacked(vectors: Sequence[bytes], columns: NDArray[np.intp]) -> Floats:
    """Vectors on top of each other at the places wanted; NaN at place −1 and beyond the width of an old vector."""
    is_all = bool((columns == np.arange(len(columns))).all())
    values = np.full((len(vectors), len(columns)), np.nan)
    for row, packed in zip(values, vectors, strict=True):
        one = np.frombuffer(packed, dtype="<f8")
        if is_all:
            row[: min(len(one), len(row))] = one[: len(row)]
        else:
            is_there = (columns >= 0) & (columns < len(one))
            row[is_there] = one[columns[is_there]]
    return values
