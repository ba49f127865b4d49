"""Blocks: what a pull brings and what the point store keeps, before metrics select and roll up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from detectors.contract import Floats, Instants


@dataclass(frozen=True, order=True)
class ColumnKey:
    """One value column at one combination of the query's dimension columns (name–value pairs, sorted by name)."""

    value: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Block:
    """Readings of one query. ``times[T]`` UTC bucket starts, ascending; ``values[T, N]``, NaN = no reading.

    A bucket that is in ``times`` has been pulled, even where its whole row is NaN (the warehouse had no row).
    """

    times: Instants
    keys: tuple[ColumnKey, ...]
    values: Floats


def fingerprint(metric: str, labels: Mapping[str, str]) -> str:
    """Names a series for ever: sha256 over canonical JSON of the metric and its dimensions sorted by name.

    >>> fingerprint("orders", {"b": "2", "a": "1"}) == fingerprint("orders", {"a": "1", "b": "2"})
    True
    """
    canonical = json.dumps([metric, sorted(labels.items())], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
