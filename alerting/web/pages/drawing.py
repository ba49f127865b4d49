"""Lines as the paths of an SVG, made on the server: they are there without any script."""

from __future__ import annotations

import math

import numpy as np

from detectors.contract import Floats

MOST_POINTS = 600
"""More are thinned: least and greatest of as many neighbours as it takes, so that no peak is lost."""


def line(values: Floats, width: float, height: float, low: float = math.nan, high: float = math.nan) -> str:
    """The path of ``values[T]`` in a box; NaN is a gap. ``low`` and ``high`` are its edges (NaN: those of the values).

    >>> line(np.array([0.0, 5.0, np.nan, 10.0]), 30, 10)
    'M0 10L10 5M30 0h0'
    """
    shown = _thinned(values)
    known = np.isfinite(shown)
    if not known.any():
        return ""
    low = float(shown[known].min()) if math.isnan(low) else low
    high = float(shown[known].max()) if math.isnan(high) else high
    reach = high - low
    heights = np.full(len(shown), height / 2) if reach <= 0 else height * (high - shown) / reach
    step = width / max(len(shown) - 1, 1)
    pieces = []
    for place in np.flatnonzero(known).tolist():
        begins = not place or not known[place - 1]
        pieces.append(f"{'M' if begins else 'L'}{place * step:.4g} {heights[place]:.4g}")
        if begins and (place + 1 == len(shown) or not known[place + 1]):
            pieces.append("h0")  # a reading between two gaps is a dot
    return "".join(pieces)


def _thinned(values: Floats) -> Floats:
    if len(values) <= MOST_POINTS:
        return values
    bins = np.array_split(values, MOST_POINTS // 2)
    found = [(np.nan, np.nan) if np.isnan(one).all() else (np.nanmin(one), np.nanmax(one)) for one in bins]
    return np.array(found).ravel()
