"""The components of a series as rows of small drawings."""

from __future__ import annotations

import numpy as np

from alerting.app.reading_parts import Parts
from alerting.web.pages.drawing import line
from detectors.contract import Floats
from notifiers.quantities import numbers

_WIDTH, _HEIGHT = 800, 64
_FLATTEST = 0.1
"""Of the range of the readings: a component that moves less is not blown up to the height of its row."""


def rows(found: Parts) -> list[tuple[str, str, str, str]]:
    """Each component: its name, how strong it is, from where to where it reaches, its line."""
    made = []
    least = _FLATTEST * _range(found.observed)
    for one in found.components:
        known = one.values[np.isfinite(one.values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
        strength = "" if one.strength is None else f"{100 * one.strength:.0f} % of what is not level"
        reach = " to ".join(numbers([low, high])) + (f" {found.unit}" if found.unit else "")
        room = max(least - (high - low), 0) / 2
        made.append((one.name, strength, reach, line(one.values, _WIDTH, _HEIGHT, low - room, high + room)))
    return made


def _range(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max() - known.min()) if len(known) else 0.0
