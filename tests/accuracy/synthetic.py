"""Series made by a known law and without incidents: whatever pages on them was bought with the budget."""

from __future__ import annotations

import numpy as np

from detectors.contract import Floats
from tests.accuracy.labelled import WEEK_S, Series

LAWS = ("white", "seasonal", "heavy")
WEEKS = {60: 8, 300: 16, 900: 26, 3600: 52, 86400: 312}
"""How many weeks for each step: pages enough to count, readings few enough to wait for."""
SEEDS = (0, 1, 2)
_LEVEL, _NOISE = 1000.0, 50.0
_FROM_S = 1_704_067_200  # Monday, 1 January 2024


def synthetic(law: str, step_s: int, seed: int) -> Series:
    """White noise, day and week sines with it, or Student's t with three degrees of freedom, around 1,000."""
    count = WEEKS[step_s] * WEEK_S // step_s
    times_s = _FROM_S + step_s * np.arange(count, dtype=np.int64)
    random = np.random.default_rng([seed, step_s, LAWS.index(law)])
    noise = random.standard_t(3, count) / np.sqrt(3) if law == "heavy" else random.standard_normal(count)
    season = _season(times_s, step_s) if law == "seasonal" else np.zeros(count)
    values = _LEVEL * (1 + season) + _NOISE * noise
    name = f"{law}-{step_s}s-{seed}"
    return Series("synthetic", name, step_s, times_s, values, warmup=int(0.15 * count))


def _season(times_s: np.ndarray[tuple[int], np.dtype[np.int64]], step_s: int) -> Floats:
    week = 0.1 * np.sin(2 * np.pi * times_s / WEEK_S)
    day = 0.3 * np.sin(2 * np.pi * times_s / 86400) if step_s < 86400 else 0.0
    found: Floats = week + day
    return found
