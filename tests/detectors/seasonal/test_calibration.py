"""Pages come about as often as the budget says, and what is far from usual is found early: on laws of chance."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import Floats
from detectors.seasonal import Seasonal
from tests.detectors.seasonal.made import WIDTH_S, anomalous, pages, panel_of, shop, waves

LAWS = ("white", "seasonal", "student", "lognormal")
EACH = 15
WEEKS = {"1m": 2.0, "5m": 4.0, "15m": 8.0, "1h": 26.0, "6h": 52.0, "1d": 78.0}


def series_of_every_law(bucket: str) -> Floats:
    """``EACH`` columns of each law in turn, around 1,000 with a standard deviation of about 50."""
    width = WIDTH_S[bucket]
    rows = int(WEEKS[bucket] * 604_800 // width)
    random = np.random.default_rng(width)
    hours = np.arange(rows) * width / 3600
    season = 1000 * (waves(hours, day=0.3 if width < 86_400 else 0.0) - 1)
    shape = (rows, EACH)
    columns = [
        random.normal(0, 50, shape),
        season[:, None] + random.normal(0, 50, shape),
        50 / np.sqrt(3) * random.standard_t(3, shape),
        40 * random.lognormal(0, 0.7, shape),
    ]
    return 1000 + np.concatenate(columns, axis=1)


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, float]]:
    """Pages for each law and bucket after the first three tenths, at one a week."""
    found: dict[str, dict[str, float]] = {law: {} for law in LAWS}
    for bucket, width in WIDTH_S.items():
        if bucket in WEEKS:
            values = series_of_every_law(bucket)
            flags = anomalous(panel_of(values, bucket), Seasonal(budget="1/week"))[int(0.3 * len(values)) :]
            for k, law in enumerate(LAWS):
                found[law][bucket] = float(pages(flags[:, k * EACH : (k + 1) * EACH], width).sum())
    return found


def budget_of(bucket: str) -> float:
    return WEEKS[bucket] * 0.7 * EACH


@pytest.mark.parametrize("law", LAWS)
def test_pages_at_one_a_week_are_within_a_factor_of_two_for_each_law(
    law: str, told: dict[str, dict[str, float]]
) -> None:
    by_bucket = {bucket: round(count / budget_of(bucket), 2) for bucket, count in told[law].items()}
    pooled = sum(told[law].values()) / sum(map(budget_of, WEEKS))
    print(f"pages / budget, {law}: {pooled:.2f} in all, {by_bucket}")  # noqa: T201 - the figures are the point
    assert 0.5 <= pooled <= 2.0


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("bucket", WEEKS)
def test_no_law_pages_more_than_twice_its_budget_at_any_bucket(
    law: str, bucket: str, told: dict[str, dict[str, float]]
) -> None:
    assert told[law][bucket] <= 2.0 * budget_of(bucket)


def test_in_the_third_and_fourth_week_large_incidents_are_found() -> None:
    """Spikes and dips of ten standard deviations, and outages of four hours, in 60 hourly series."""
    values = shop(28, series=60, seed=21)
    begins = np.random.default_rng(22).integers(14 * 24, 28 * 24 - 4, 60)
    lasts = np.where(np.arange(60) % 3 == 2, 4, 1)
    for place, (begin, hours) in enumerate(zip(begins, lasts, strict=True)):
        rows = slice(begin, begin + hours)
        values[rows, place] = 0.0 if hours == 4 else values[rows, place] + (500 if place % 3 else -500)
    flags = anomalous(panel_of(values))
    found = [flags[begin : begin + hours, k].any() for k, (begin, hours) in enumerate(zip(begins, lasts, strict=True))]
    print(f"found in days 15 to 28: {np.mean(found):.2f}")  # noqa: T201 - the figure is the point
    assert np.mean(found) >= 0.8
