from __future__ import annotations

import numpy as np
import pytest

from alerting.charts import ChartError, Small, curves, small_multiples
from tests.charts.example import three_weeks
from tests.charts.test_picture import ALARM, pixels, share


def small(title: str = "Orders, Germany", factor: float = 1.0, unusual: bool = True) -> Small:
    """The last week of the example, ``factor`` times as large."""
    weeks, last = three_weeks(), slice(-168, None)
    observed, expected, lower, upper = (
        part[last] * factor for part in (weeks.observed, weeks.expected, weeks.lower, weeks.upper)
    )
    flags = weeks.anomalies[last] if unusual else np.zeros(168, dtype=bool)
    return Small(title, "orders/h", curves(weeks.times[last], observed, expected, lower, upper, flags))


@pytest.mark.parametrize(("count", "height"), [(2, 346), (4, 616), (3, 346), (5, 616), (9, 886)])
def test_a_picture_is_as_high_as_its_charts_need(count: int, height: int) -> None:
    png = small_multiples([small(factor=3.0**n) for n in range(count)], title="Unusual", timezone="America/New_York")
    assert pixels(png).shape == (height, 1200, 4)
    assert len(png) < 400_000


def test_each_chart_has_its_own_place_and_scale() -> None:
    """The calm one beside a thousand times larger one stays without red and is drawn over its whole height."""
    png = small_multiples([small("A", 1000.0), small("B", unusual=False)], title="Unusual")
    image = pixels(png)
    ink = np.abs(image[:, :, :3] - (29, 39, 51)).max(axis=2) < 40
    right = np.flatnonzero(ink[130:, 650:].any(axis=1))
    assert np.ptp(right) > 120
    red = np.abs(image[:, :, :3] - ALARM).max(axis=2) < 6
    assert red[100:, :590].any()
    assert not red[100:, 610:].any()


@pytest.mark.parametrize("count", [0, 1, 10])
def test_it_takes_two_to_nine(count: int) -> None:
    with pytest.raises(ChartError, match=f"{count} charts"):
        small_multiples([small()] * count, title="Unusual")


def test_hostile_titles_are_drawn_as_they_are() -> None:
    png = small_multiples([small("$\\frac{1}$" + "x" * 500), small("\u202e<b>")], title="$x$")
    assert share(png, ALARM) > 0
