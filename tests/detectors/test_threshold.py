"""A threshold says what people wrote, in the metric's unit and at the hours they meant."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors import Panel, Verdicts
from detectors.threshold import Threshold
from tests.detectors.conformance import CHECKS, Check

START = np.datetime64("2026-01-05T00:00", "us")  # a Monday


def hourly(*values: float, timezone: str = "UTC", start: np.datetime64 = START) -> Panel:
    times = start + np.arange(len(values)) * np.timedelta64(1, "h")
    return Panel(times, np.array(values, dtype=float)[:, None], ({},), "1h", timezone)


def judged(detector: Threshold, panel: Panel) -> Verdicts:
    return detector.judge(panel, since=panel.times[0])


@pytest.mark.parametrize(
    ("parameters", "value", "score", "direction"),
    [
        ({"below": 50}, 40, 1.2, -1),
        ({"below": 50}, 50, 1.0, 0),
        ({"below": 50}, 75, 0.5, 0),
        ({"below": 50}, 1000, 0.0, 0),
        ({"above": 50}, 75, 1.5, 1),
        ({"above": -50}, -25, 1.5, 1),
        ({"above": 0}, 3, 4.0, 1),
        ({"above": 0}, -3, 0.0, 0),
        ({"outside": [10, 20]}, 5, 1.5, -1),
        ({"outside": [10, 20]}, 30, 1.5, 1),
        ({"outside": [10, 20]}, 15, 0.75, 0),
        ({"below": 10, "above": 20}, 30, 1.5, 1),
    ],
)
def test_the_score_is_one_plus_the_distance_beyond_the_bound_in_bounds(
    parameters: dict[str, Any], value: float, score: float, direction: int
) -> None:
    found = judged(Threshold(**parameters), hourly(value))
    assert found.score.item() == pytest.approx(score)
    assert found.direction.item() == direction
    assert found.status.item() == ("anomaly" if score > 1 else "ok")


def test_the_first_point_is_judged() -> None:
    found = judged(Threshold(below=50), hourly(40))
    assert (found.status.item(), found.reason.item()) == ("anomaly", "40 is below 50")
    assert (found.expected.item(), found.lower.item()) == (50, 50)
    assert math.isnan(found.upper.item())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_reading_is_unknown(value: float) -> None:
    found = judged(Threshold(below=50), hourly(value))
    assert (found.status.item(), found.reason.item()) == ("unknown", "no reading")
    assert math.isnan(found.lower.item())


def test_an_anomaly_stays_until_the_value_is_back_by_one_percent() -> None:
    found = judged(Threshold(below=50), hourly(50.2, 49, 50.2, 50.49, 50.5, 50.2))
    assert found.status[:, 0].tolist() == ["ok", "anomaly", "anomaly", "anomaly", "ok", "ok"]
    assert found.score[2, 0] == np.nextafter(1, 2)
    assert found.reason[2, 0] == "50.2 is back, but within 1 % of the bound 50"
    assert found.direction[2, 0] == -1


def test_an_anomaly_above_does_not_hold_a_value_close_to_the_lower_bound() -> None:
    assert judged(Threshold(outside=[10, 20]), hourly(25, 10.05)).status[:, 0].tolist() == ["anomaly", "ok"]


def test_a_missing_reading_does_not_end_hysteresis() -> None:
    found = judged(Threshold(above=50), hourly(60, math.nan, 49.9))
    assert found.status[:, 0].tolist() == ["anomaly", "unknown", "anomaly"]


def test_hysteresis_ends_after_twelve_buckets() -> None:
    found = judged(Threshold(above=50), hourly(60, *[49.9] * 14))
    assert found.status[:, 0].tolist() == ["anomaly"] * 13 + ["ok"] * 2


@pytest.mark.parametrize(
    ("parameters", "values", "anomalous"),
    [
        ({"below": 50, "clear": 60}, [55, 49, 55, 59.9, 60, 55], [1, 2, 3]),
        ({"above": 50, "clear": 30}, [40, 51, 40, 31, 30, 40], [1, 2, 3]),
        ({"below": 10, "above": 50, "clear": 30}, [9, 20, 31, 20, 51, 40, 29, 40], [0, 1, 4, 5]),
        ({"below": 50, "clear": 50}, [49, 50, 50], [0]),
        ({"below": 50, "clear": 60}, [49, math.nan, 55, 60], [0, 2]),
        ({"below": 50, "clear": 60}, [49, *[55] * 290], list(range(289))),
    ],
)
def test_with_clear_an_anomaly_stays_until_a_reading_is_back_at_it(
    parameters: dict[str, Any], values: list[float], anomalous: list[int]
) -> None:
    found = judged(Threshold(**parameters), hourly(*values))
    assert np.flatnonzero(found.status[:, 0] == "anomaly").tolist() == anomalous


def test_what_clear_holds_says_what_it_waits_for() -> None:
    found = judged(Threshold(below=50, clear=60), hourly(49, 55))
    assert (found.reason[1, 0], found.direction[1, 0]) == ("55 is back, but not yet at 60", -1)
    assert found.score[1, 0] == np.nextafter(1, 2)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_threshold_with_clear_owes_the_same_as_every_detector(check: Check) -> None:
    if "changes_no_score" not in check.__name__:  # its bounds are in the metric's unit
        check(Threshold(above=1000, clear=900))


@pytest.mark.parametrize(
    ("during", "judged_hours"),
    [
        ("08:00-11:00", [8, 9, 10]),
        ("Mon 08:00-10:00", [8, 9]),
        ("Tue-Sun", []),
        ("22:00-02:00", [0, 1, 22, 23]),
        ("Sun 22:00-02:00", [0, 1]),
        ("Fri-Mon 23:00-24:00", [23]),
        (["08:00-09:00", "Mon,Wed 20:00-21:00"], [8, 20]),
        ([], list(range(24))),
    ],
)
def test_only_hours_that_are_written_are_judged(during: str | list[str], judged_hours: list[int]) -> None:
    found = judged(Threshold.model_validate({"below": 50, "during": during}), hourly(*[40] * 24))
    assert np.flatnonzero(found.status[:, 0] == "anomaly").tolist() == judged_hours


def test_outside_hours_it_is_ok_without_bounds_and_hysteresis_starts_anew() -> None:
    found = judged(
        Threshold.model_validate({"below": 50, "during": ["00:00-01:00", "02:00-24:00"]}), hourly(40, 40, 50.2)
    )
    assert found.status[:, 0].tolist() == ["anomaly", "ok", "ok"]
    assert (found.reason[1, 0], found.score[1, 0], found.expected[1, 0]) == ("outside hours", 0, 40)
    assert np.isnan(found.lower[1, 0])


def test_hours_are_local_to_the_panel_or_to_the_zone_that_is_written() -> None:
    summer = np.datetime64("2026-07-06T00:00", "us")
    panel = hourly(*[40] * 24, timezone="America/New_York", start=summer)
    here = Threshold.model_validate({"below": 50, "during": "Mon 08:00-09:00"})
    there = here.model_copy(update={"timezone": "Europe/Berlin"})
    assert np.flatnonzero(judged(here, panel).status[:, 0] == "anomaly").tolist() == [12]
    assert np.flatnonzero(judged(there, panel).status[:, 0] == "anomaly").tolist() == [6]


def test_a_day_counts_by_its_weekday() -> None:
    times = START + np.arange(7) * np.timedelta64(1, "D")
    panel = Panel(times, np.full((7, 1), 40.0), ({},), "1d", "UTC")
    found = judged(Threshold.model_validate({"below": 50, "during": "Mon-Fri 08:00-20:00"}), panel)
    assert (found.status[:, 0] == "anomaly").tolist() == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "no bound: set below, above or outside"),
        ({"below": 9, "above": 3}, "every value is anomalous: the lower bound 9 is above the upper bound 3"),
        ({"outside": [9, 3]}, "every value is anomalous"),
        ({"outside": [1, 2], "below": 1}, "outside: already sets both bounds"),
        ({"below": math.nan}, "finite number"),
        ({"below": 1, "during": "Mon-Fry 08:00-10:00"}, "'fry' in 'Mon-Fry 08:00-10:00' is not a day"),
        ({"below": 1, "during": "08:00"}, "'08:00' is not a time of the week"),
        ({"below": 1, "during": ""}, "'' is not a time of the week"),
        ({"below": 1, "during": "25:00-26:00"}, "25:00 in '25:00-26:00' is not a time of day"),
        ({"below": 1, "during": "08:00-08:00"}, "is empty: it ends when it starts"),
        ({"below": 1, "timezone": "Mars/Olympus"}, "'Mars/Olympus' is not a time zone"),
        ({"below": 50, "clear": 40}, "clear: 40 is still below the bound 50"),
        ({"above": 50, "clear": 60}, "clear: 60 is still above the bound 50"),
        ({"above": 50, "below": 10, "clear": 5}, "clear: 5 is still below the bound 10"),
        ({"outside": [10, 50], "clear": 30}, "clear: goes with above or below"),
        ({"clear": 30}, "no bound: set below, above or outside"),
        ({"below": 1, "clear": math.inf}, "finite number"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        Threshold.model_validate(parameters)


@given(st.lists(st.one_of(st.just(math.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=40), st.floats(-100, 100))
def test_without_hysteresis_a_point_score_does_not_know_its_neighbours(values: list[float], bound: float) -> None:
    found = judged(Threshold(above=bound), hourly(*values))
    for value, score, status in zip(values, found.score[:, 0], found.status[:, 0], strict=True):
        if math.isnan(value):
            assert status == "unknown"
        elif value > bound:
            assert score == pytest.approx(min(1 + (value - bound) / (abs(bound) or 1), sys.float_info.max))
        else:
            assert score <= 1 or score == np.nextafter(1, 2)


def test_explaining_a_bucket_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no bucket starts at"):
        Threshold(below=50).explain(hourly(40), 0, START + np.timedelta64(30, "m"))
