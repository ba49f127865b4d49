"""Buckets follow UTC when fixed and the local calendar when days, weeks or months."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detectors.buckets import Bucket, as_instant


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["1m", "5m", "15m", "30m", "1h", "2h", "12h", "1d", "1w", "1mo"])
def test_every_written_width_is_a_bucket(text: str) -> None:
    assert Bucket.parse(text).text == text


@pytest.mark.parametrize("text", ["", "0m", "7m", "24h", "2d", "h", "1M", "-1h", "90s", "1 h"])
def test_other_widths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a bucket"):
        Bucket.parse(text)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)],
)
def test_a_local_day_is_as_long_as_the_clock_change_makes_it(day: str, hours: int) -> None:
    bucket = Bucket.parse("1d")
    start = bucket.start(utc(f"{day}T12:00"), "Europe/Berlin")
    assert bucket.next(start, "Europe/Berlin") - start == timedelta(hours=hours)


def test_weeks_begin_on_monday_and_months_on_the_first_of_the_local_calendar() -> None:
    assert Bucket.parse("1w").start(utc("2026-11-22T12:00"), "UTC") == utc("2026-11-16T00:00")
    assert Bucket.parse("1mo").start(utc("2026-07-01T03:00"), "America/New_York") == utc("2026-06-01T04:00")


def test_a_day_whose_midnight_does_not_exist_begins_at_the_first_instant_that_does() -> None:
    assert Bucket.parse("1d").start(utc("2026-03-29T12:00"), "Asia/Beirut") == utc("2026-03-28T22:00")


@pytest.mark.parametrize("text", ["30m", "1h", "1d", "1w", "1mo"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_starts_are_their_own_floor_and_have_no_holes(text: str, zone: str) -> None:
    bucket = Bucket.parse(text)
    starts = bucket.starts(utc("2026-01-05T07:11"), utc("2026-12-01T00:00"), zone)
    np.testing.assert_array_equal(bucket.floor(starts, zone), starts)
    follow = [as_instant(bucket.next(start.item().replace(tzinfo=UTC), zone)) for start in starts[:-1]]
    np.testing.assert_array_equal(np.array(follow, dtype="datetime64[us]"), starts[1:])
