from __future__ import annotations

import numpy as np
import pytest

from alerting.charts.curves import curves

TIMES = np.datetime64("2026-01-05", "us") + np.arange(4) * np.timedelta64(1, "h")


@pytest.mark.parametrize(("least", "drawn"), [(0.0, 0.0), (3.0, 0.0), (-1.0, -20.0)])
def test_a_lower_bound_below_zero_is_drawn_only_where_the_metric_can_be(least: float, drawn: float) -> None:
    observed = np.array([5.0, np.nan, least, 6.0])
    shown = curves(
        TIMES, observed, np.full(4, 5.0), np.array([-20.0, -20.0, np.nan, 2.0]), np.full(4, 30.0), np.zeros(4, bool)
    )
    assert np.array_equal(shown.lower, [drawn, drawn, np.nan, 2.0], equal_nan=True)
