from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.accuracy.made import at, series
from tests.accuracy.outcome import Outcome
from tests.accuracy.picture import HEIGHT, LANE, WIDTH, lane, picture

LENGTH = 1001
MADE = series(LENGTH, [(500, 510), (800, 810)], warmup=100, values=np.sin(np.arange(LENGTH) / 20))


def alerting(places: list[int]) -> Outcome:
    alert = at(LENGTH, places)
    return Outcome.of(alert.astype(float), alert)


def test_a_lane_marks_hits_misses_and_false_alerts_where_they_are() -> None:
    found = lane("ours", MADE, alerting([50, 300, 505]))
    assert found.hits == (round(505 / 1000 * WIDTH, 1),)
    assert [box.x for box in found.missed] == [800 / 1000 * WIDTH]
    assert found.false == (300 / 1000 * WIDTH,)  # 50 lies in the warm-up
    assert found.told == "1 of 2 found, 1 false"


@pytest.mark.parametrize("length", [2, 500, 150_000])
def test_a_picture_stays_small_however_long_the_series(length: int) -> None:
    made = series(length, values=np.random.default_rng(0).normal(size=length))
    drawn = picture(made, [])
    assert len(drawn.line) < 20_000
    numbers = [float(number) for number in re.findall(r"[\d.]+", drawn.line)]
    assert max(numbers) <= WIDTH


def test_the_line_breaks_where_readings_are_missing_and_the_band_too() -> None:
    values = MADE.values.copy()
    values[300:600] = np.nan
    outcome = alerting([])
    band = replace(outcome, expected=values, lower=values - 1, upper=values + 1)
    drawn = picture(replace(MADE, values=values), [("ours", band)])
    assert drawn.line.count("M") == 2
    assert drawn.band.count("M") == drawn.band.count("Z") == 2
    assert drawn.height == HEIGHT + LANE


def test_a_lone_extreme_does_not_flatten_the_rest() -> None:
    values = MADE.values.copy()
    values[700] = 1e6
    assert float(picture(replace(MADE, values=values), []).top) < 10


def test_a_detector_without_a_band_has_none_and_constants_can_be_drawn() -> None:
    flat = replace(MADE, values=np.full(LENGTH, 7.0))
    drawn = picture(flat, [("ours", alerting([]))])
    assert drawn.band == ""
    assert (drawn.bottom, drawn.top) == ("6.5", "7.5")
    assert picture(replace(MADE, values=np.full(LENGTH, np.nan)), []).line == ""
