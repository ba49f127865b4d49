"""What is special about ``change``: what it compares with, over clock changes too, and which sides count."""

import numpy as np
import pytest
from pydantic import ValidationError

from detectors import ANOMALY, OK, UNKNOWN, Event, Panel, Verdicts
from detectors.change import Change
from detectors.contract import Floats

HOUR = np.timedelta64(1, "h")


def daily(*values: float) -> Panel:
    times = np.datetime64("2026-01-05", "us") + np.arange(len(values)) * np.timedelta64(1, "D")
    return Panel(times, np.array(values, dtype=float)[:, None], ({},), "1d", "UTC")


def hourly(first: str, hours: int, timezone: str, values: Floats | None = None, bucket: str = "1h") -> Panel:
    width = np.timedelta64(int(bucket[:-1]), "h")
    times = np.datetime64(first, "us") + np.arange(hours) * width
    readings = np.arange(hours, dtype=float) + 100 if values is None else values
    return Panel(times, readings[:, None], ({},), bucket, timezone)


def last(detector: Change, panel: Panel) -> Verdicts:
    return detector.judge(panel, since=panel.times[-1])


@pytest.mark.parametrize(
    ("detector", "now", "status", "score", "reason"),
    [
        (Change(below="20%"), 79, ANOMALY, 1.05, "21 % below the 100 of the week before"),
        (Change(below="20%"), 80, OK, 1.0, ""),
        (Change(below="20%"), 500, OK, 0.0, ""),
        (Change(above="20%"), 121, ANOMALY, 1.05, "21 % above the 100 of the week before"),
        (Change(above="20%"), 0, OK, 0.0, ""),
        (Change(above=30), 131, ANOMALY, 31 / 30, "31 above the 100 of the week before"),
        (Change(outside="10%"), 85, ANOMALY, 1.5, "15 % below the 100 of the week before"),
        (Change(outside="10%"), 115, ANOMALY, 1.5, "15 % above the 100 of the week before"),
        (Change(above="10%", below=50), 45, ANOMALY, 1.1, "55 below the 100 of the week before"),
    ],
)
def test_a_change_beyond_the_bound_of_its_side_is_an_anomaly(
    detector: Change, now: float, status: str, score: float, reason: str
) -> None:
    found = last(detector, daily(100, 1, 2, 3, 4, 5, 6, now))
    assert found.status.item() == status
    assert found.score.item() == pytest.approx(score)
    assert found.reason.item() == reason
    assert found.expected.item() == 100


def test_a_reading_on_the_bound_is_inside_whatever_the_rounding() -> None:
    for before in (1.0, 0.1, 3.3, 1e15, 7e-9):
        found = last(Change(above="10%"), daily(before, 0, 0, 0, 0, 0, 0, before + before * 0.1))
        assert found.score.item() == 1.0


def test_a_side_without_bound_has_none_on_the_chart() -> None:
    found = last(Change(below="20%"), daily(100, 0, 0, 0, 0, 0, 0, 100))
    assert found.lower.item() == 80
    assert np.isnan(found.upper.item())


def test_a_fall_of_a_negative_value_is_a_percentage_of_its_size() -> None:
    found = last(Change(below="20%", against="1d"), daily(-100, -130))
    assert found.status.item() == ANOMALY
    assert found.lower.item() == -120


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((1, 2), "no reading of the week before"),
        ((np.nan, 2, 3, 4, 5, 6, 7, 8), "no reading of the week before"),
        ((0, 2, 3, 4, 5, 6, 7, 8), "the week before had 0: no percentage of that"),
        ((1, 2, 3, 4, 5, 6, 7, np.nan), "no reading"),
    ],
)
def test_what_cannot_be_compared_is_unknown_and_says_why(values: tuple[float, ...], reason: str) -> None:
    found = last(Change(outside="20%"), daily(*values))
    assert found.status.item() == UNKNOWN
    assert found.reason.item() == reason


def test_a_number_can_be_compared_with_zero_and_zero_with_zero() -> None:
    assert last(Change(above=5), daily(0, 0, 0, 0, 0, 0, 0, 6)).status.item() == ANOMALY
    assert last(Change(above="5%"), daily(0, 0, 0, 0, 0, 0, 0, 0)).status.item() == OK


def test_buckets_longer_than_the_comparison_are_unknown_with_that_reason() -> None:
    times = np.array(["2026-01-01", "2026-02-01"], "datetime64[us]")
    panel = Panel(times, np.array([[1.0], [2.0]]), ({},), "1mo", "UTC")
    found = last(Change(above="5%", against="1w"), panel)
    assert found.reason.item() == "a bucket of 1mo is longer than 1w"


def test_a_year_is_the_same_weekday_and_for_months_the_same_month() -> None:
    days = daily(*range(1, 400))
    assert last(Change(above="5%", against="1y"), days).expected.item() == 399 - 364
    months = np.arange("2025-01", "2026-03", dtype="datetime64[M]").astype("datetime64[us]")
    panel = Panel(months, np.arange(14.0)[:, None], ({},), "1mo", "UTC")
    assert last(Change(above="5%", against="1y"), panel).expected.item() == 1.0


def test_a_day_before_is_the_same_hour_of_the_local_clock_over_the_change_of_it() -> None:
    # Berlin sets its clock forward on 29 March 2026: 12:00 there is 11:00 UTC the day before and 10:00 UTC that day.
    panel = hourly("2026-03-28T00", 35, "Europe/Berlin")
    assert panel.times[-1] == np.datetime64("2026-03-29T10", "us")
    assert last(Change(above=1, against="1d"), panel).expected.item() == panel.values[11, 0]


def test_an_hour_that_the_clock_skipped_has_no_reading_the_day_before() -> None:
    panel = hourly("2026-03-28T00", 49, "Europe/Berlin")  # the last bucket is 02:00 on 30 March
    found = last(Change(above=1, against="1d"), panel)
    assert found.reason.item() == "no reading of the day before"


def test_an_hour_that_the_clock_repeated_counts_with_its_mean() -> None:
    panel = hourly("2026-10-25T00", 26, "Europe/Berlin")  # 02:00 is 00:00 and 01:00 UTC on the 25th; now 02:00
    assert panel.times[-1] == np.datetime64("2026-10-26T01", "us")
    assert last(Change(above=1, against="1d"), panel).expected.item() == (100 + 101) / 2


def test_wide_buckets_are_compared_with_the_one_that_holds_the_local_time() -> None:
    panel = hourly("2026-03-27T00", 20, "Europe/Berlin", bucket="3h")
    found = Change(above=1, against="1d").judge(panel, since=panel.times[8])
    assert (found.status != UNKNOWN).all()


def test_a_day_marked_by_people_is_nothing_to_compare_with() -> None:
    panel = daily(100, 1, 2, 3, 4, 5, 6, 100)
    holiday = Event("holiday", "model", np.arange(8) == 0)
    marked = Panel(panel.times, panel.values, panel.labels, "1d", "UTC", events=(holiday,))
    noted = Panel(
        panel.times, panel.values, panel.labels, "1d", "UTC", events=(Event("note", "annotate", holiday.active),)
    )
    assert last(Change(above="5%"), marked).status.item() == UNKNOWN
    assert last(Change(above="5%"), noted).status.item() == OK


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "no bound: set below"),
        ({"above": "20"}, "write 20%, or a number above 0"),
        ({"above": "-20%"}, "write 20%, or a number above 0"),
        ({"below": -5}, "write 20%, or a number above 0"),
        ({"below": "0%"}, "write 20%, or a number above 0"),
        ({"below": True}, "write 20%, or a number above 0"),
        ({"outside": "5%", "below": "5%"}, "leave out below and above"),
        ({"below": "5%", "against": "2w"}, "'1d', '1w' or '1y'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(written: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Change.model_validate(written)
