"""What rounding leaves of equal numbers is no distance."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import UNKNOWN, Panel
from detectors.seasonal import Seasonal


@pytest.mark.parametrize("value", [0.1, 7.0, 123.456, 1e15 / 3])
def test_a_series_that_never_varied_has_nothing_unusual(value: float) -> None:
    times = np.datetime64("2026-01-05", "us") + np.arange(4 * 1440) * np.timedelta64(1, "m")
    panel = Panel(times, np.full((len(times), 1), value), ({},), "1m", "UTC")
    assert (Seasonal().judge(panel, since=times[0]).status == UNKNOWN).all()
