"""The scale on which distances are taken: as read, or where the variance of counts and shares does not grow."""

from __future__ import annotations

from typing import Literal

import numpy as np

from detectors.contract import Bools, Floats

Domain = Literal["auto", "real", "count", "share"]
COUNT_MEAN = 2.0


def is_small_count(readings: Floats) -> Bools:
    """True for series ``[S]`` whose readings ``[N, S]`` are whole, never negative and small on average."""
    present = np.isfinite(readings)
    whole = np.where(present, (readings >= 0) & (readings == np.floor(np.where(present, readings, 0.0))), True)
    total = np.where(present, readings, 0.0).sum(axis=0)
    small = total < COUNT_MEAN * np.maximum(present.sum(axis=0), 1)
    found: Bools = whole.all(axis=0) & small & (total > 0)
    return found


def stretched(values: Floats, counts: Bools, shares: bool) -> Floats:
    """Readings on the scale of distances. Counts: Anscombe's root; shares: the arcsine root; else as they are.

    Source: F. J. Anscombe (1948), The transformation of Poisson, binomial and negative-binomial data.
    """
    if shares:
        found: Floats = np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0)))
        return found
    if not counts.any():
        return values
    return np.where(counts, 2.0 * np.sqrt(np.maximum(values, 0.0) + 0.375), values)


def unstretched(values: Floats, counts: Bools, shares: bool) -> Floats:
    """The inverse of ``stretched``; what no reading can be (below zero, above one) becomes the nearest that can."""
    if shares:
        found: Floats = np.sin(np.clip(values, 0.0, np.pi / 2)) ** 2
        return found
    if not counts.any():
        return values
    return np.where(counts, np.maximum(np.maximum(values, 0.0) ** 2 / 4.0 - 0.375, 0.0), values)
