"""On which buckets the days of a calendar fall, in zones and over clock changes; dates from printed calendars."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.calendars import events, with_events
from config.model import Calendar, MonthDay, NthWeekday
from detectors.buckets import Bucket, as_datetime, as_instant
from detectors.contract import Event, Instants, Panel

NEW_YORK = "America/New_York"
US = Calendar("us", "US")
SALE = date(2026, 3, 29)


def hours(since: str, until: str, bucket: str = "1h", timezone: str = "UTC") -> Instants:
    first, last = (as_datetime(np.datetime64(text, "us")) for text in (since, until))
    return Bucket.parse(bucket).starts(first, last, timezone)


def dated(found: tuple[Event, ...], times: Instants, timezone: str) -> dict[str, list[str]]:
    """The local dates on which each event's buckets start."""
    return {
        event.name: sorted({f"{as_datetime(at).astimezone(ZoneInfo(timezone)):%Y-%m-%d}" for at in times[event.active]})
        for event in found
    }


def days_of(calendar: Calendar, since: str, until: str, timezone: str = "UTC") -> dict[str, list[str]]:
    times = hours(since, until)
    return dated(events([calendar], times, "1h", timezone), times, timezone)


def test_public_holidays_have_one_name_over_the_years() -> None:
    found = days_of(US, "2014-11-01", "2016-01-03", NEW_YORK)
    assert found["Thanksgiving Day"] == ["2014-11-27", "2015-11-26"]
    assert found["Christmas Day"] == ["2014-12-25", "2015-12-25"]
    assert found["New Year's Day"] == ["2015-01-01", "2016-01-01"]
    assert found["Independence Day (observed)"] == ["2015-07-03"]


def test_a_region_has_holidays_of_its_own() -> None:
    germany = days_of(Calendar("de", "DE"), "2024-01-01", "2025-01-01", "Europe/Berlin")
    bavaria = days_of(Calendar("de", "DE", "BY"), "2024-01-01", "2025-01-01", "Europe/Berlin")
    assert set(bavaria) - set(germany) == {"Epiphany", "Corpus Christi", "All Saints' Day"}
    assert germany["Good Friday"] == ["2024-03-29"]
    assert germany["German Unity Day"] == ["2024-10-03"]


def test_a_region_may_be_named_in_its_own_words() -> None:
    by_code, by_name = (days_of(Calendar("de", "DE", one), "2024-01-01", "2025-01-01") for one in ("BY", "Bayern"))
    assert by_code == by_name


def test_a_day_that_moved_into_the_next_year_is_found_from_far_away() -> None:
    # 31 December 2022 was a Saturday.
    calendar = Calendar("x", recurring=(MonthDay("x", 31, 12, weekend="after"),), after=31)
    assert "x (31 days after)" in days_of(calendar, "2023-02-02", "2023-02-03")


def test_a_day_whose_date_is_estimated_keeps_its_name() -> None:
    found = days_of(Calendar("my", "MY"), "2024-01-01", "2033-01-01", "Asia/Kuala_Lumpur")
    assert not [name for name in found if "estimated" in name]
    assert len(found["Eid al-Adha"]) >= 8


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (MonthDay("x", 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (MonthDay("x", 1), ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]),
        (MonthDay("x", 30), ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        (MonthDay("x", 25, weekend="before"), ["2026-01-23", "2026-02-25", "2026-03-25", "2026-04-24"]),
        (MonthDay("x", 25, weekend="after"), ["2026-01-26", "2026-02-25", "2026-03-25", "2026-04-27"]),
        (MonthDay("x", 14, 2), ["2026-02-14"]),
        (NthWeekday("x", 1, 2), ["2026-01-13", "2026-02-10", "2026-03-10", "2026-04-14"]),
        (NthWeekday("x", 4, 5), ["2026-01-30"]),
        (NthWeekday("x", 4, -1), ["2026-01-30", "2026-02-27", "2026-03-27", "2026-04-24"]),
        (NthWeekday("x", 0, 3, 2), ["2026-02-16"]),
    ],
)
def test_recurring_days(rule: MonthDay | NthWeekday, expected: list[str]) -> None:
    assert days_of(Calendar("x", recurring=(rule,)), "2026-01-01", "2026-05-01") == {"x": expected}


def test_black_friday_is_the_day_after_thanksgiving_and_cyber_monday_follows_it() -> None:
    rules = (NthWeekday("Black Friday", 3, 4, 11, 1), NthWeekday("Cyber Monday", 3, 4, 11, 4))
    assert days_of(Calendar("shop", recurring=rules), "2024-01-01", "2027-01-01", NEW_YORK) == {
        "Black Friday": ["2024-11-29", "2025-11-28", "2026-11-27"],
        "Cyber Monday": ["2024-12-02", "2025-12-01", "2026-11-30"],
    }


def test_days_around_have_names_of_their_own() -> None:
    found = days_of(Calendar("x", days={"Sale": (SALE,)}, before=2, after=1), "2026-03-01", "2026-05-01")
    assert found == {
        "Sale": ["2026-03-29"],
        "Sale (day before)": ["2026-03-28"],
        "Sale (2 days before)": ["2026-03-27"],
        "Sale (day after)": ["2026-03-30"],
    }


def test_days_around_a_stretch_are_around_the_whole_of_it() -> None:
    stretch = tuple(SALE + timedelta(days=number) for number in range(3))
    found = days_of(Calendar("x", days={"Sale": stretch}, before=1, after=1), "2026-03-01", "2026-05-01")
    assert found == {
        "Sale": ["2026-03-29", "2026-03-30", "2026-03-31"],
        "Sale (day before)": ["2026-03-28"],
        "Sale (day after)": ["2026-04-01"],
    }


def test_a_day_around_gives_way_to_a_yearly_day_and_not_to_a_monthly_one() -> None:
    black = NthWeekday("Black Friday", 3, 4, 11, days_after=1)
    end = MonthDay("Month end", 31)
    found = days_of(
        Calendar("us", "US", recurring=(black, end), before=1, after=1), "2014-11-20", "2015-01-05", NEW_YORK
    )
    assert "Thanksgiving Day (day after)" not in found
    assert "Black Friday (day before)" not in found
    assert found["Black Friday"] == ["2014-11-28"]
    assert found["New Year's Day (day before)"] == ["2014-12-31"]
    assert found["Month end"] == ["2014-11-30", "2014-12-31"]


@pytest.mark.parametrize(
    ("timezone", "bucket", "day", "first", "count"),
    [
        ("UTC", "1h", "2026-03-29", "2026-03-29T00:00", 24),
        ("Europe/Berlin", "1h", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "1h", "2026-10-25", "2026-10-24T22:00", 25),
        ("Europe/Berlin", "15m", "2026-10-25", "2026-10-24T22:00", 100),
        ("America/Havana", "1h", "2026-03-08", "2026-03-08T05:00", 23),
        ("Australia/Lord_Howe", "30m", "2026-04-05", "2026-04-04T13:00", 49),
        ("Australia/Lord_Howe", "30m", "2026-10-04", "2026-10-03T13:30", 47),
        # Midnight in Kathmandu is 18:15 UTC: the hour from 18:00 lies for the most part in the new day.
        ("Asia/Kathmandu", "15m", "2026-03-29", "2026-03-28T18:15", 96),
        ("Asia/Kathmandu", "1h", "2026-03-29", "2026-03-28T18:00", 24),
        ("Asia/Kolkata", "6h", "2026-03-29", "2026-03-28T18:00", 4),
        ("Pacific/Kiritimati", "1h", "2026-03-29", "2026-03-28T10:00", 24),
    ],
)
def test_a_day_is_a_day_of_the_time_zone(timezone: str, bucket: str, day: str, first: str, count: int) -> None:
    calendar = Calendar("x", days={"Day": (date.fromisoformat(day),)})
    times = hours("2026-03-01", "2026-11-05", bucket)
    (event,) = events([calendar], times, bucket, timezone)
    places = np.flatnonzero(event.active)
    assert times[places[0]] == np.datetime64(first, "us")
    assert len(places) == count
    assert (np.diff(places) == 1).all()


def test_a_bucket_of_a_day_in_another_zone_is_the_day_of_most_of_it() -> None:
    times = hours("2026-03-25", "2026-04-02", "1d")
    (event,) = events([Calendar("x", days={"Day": (SALE,)})], times, "1d", NEW_YORK)
    assert times[event.active].tolist() == [as_instant(as_datetime(np.datetime64("2026-03-29", "us"))).item()]


@pytest.mark.parametrize("timezone", ["UTC", NEW_YORK, "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("bucket", "day", "start"),
    [
        ("1w", "2026-03-29", "2026-03-23"),
        ("1w", "2026-03-30", "2026-03-30"),
        ("1mo", "2026-03-01", "2026-03-01"),
        ("1mo", "2026-03-31", "2026-03-01"),
    ],
)
def test_a_week_and_a_month_hold_their_days_in_whatever_zone_they_are_cut(
    timezone: str, bucket: str, day: str, start: str
) -> None:
    calendar = Calendar("x", days={"Day": (date.fromisoformat(day),)})
    for cut in ("UTC", NEW_YORK, "Asia/Tokyo"):
        times = hours("2026-01-01", "2026-06-01", bucket, cut)
        (event,) = events([calendar], times, bucket, timezone)
        (place,) = np.flatnonzero(event.active)
        assert f"{as_datetime(times[place]).astimezone(ZoneInfo(cut)):%Y-%m-%d}" == start


def test_only_what_is_active_somewhere_appears() -> None:
    assert [event.name for event in events([US], hours("2014-11-27T12:00", "2014-11-27T13:00"), "1h", NEW_YORK)] == [
        "Thanksgiving Day"
    ]
    assert events([US], hours("2014-11-04", "2014-11-05"), "1h", NEW_YORK) == ()
    assert events([US], hours("2014-11-27", "2014-11-27"), "1h", NEW_YORK) == ()
    assert events([], hours("2014-11-27", "2014-11-28"), "1h", NEW_YORK) == ()


def test_one_name_in_two_calendars_is_one_event_for_each_effect() -> None:
    day = {"Sale": (SALE,)}
    ours, next_day = Calendar("a", days=day), Calendar("b", days={"Sale": (SALE + timedelta(days=1),)})
    times = hours("2026-03-28", "2026-04-02")
    (event,) = events([ours, next_day], times, "1h", "UTC")
    assert (event.calendar, int(event.active.sum())) == ("a", 48)
    both = events([ours, Calendar("c", days=day, effect="mute")], times, "1h", "UTC")
    assert [(one.effect, one.calendar) for one in both] == [("model", "a"), ("mute", "c")]


@given(
    begin=st.integers(0, 800),
    length=st.integers(1, 200),
    timezone=st.sampled_from(["UTC", NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]),
)
@settings(max_examples=40, deadline=None)
def test_a_part_of_a_panel_has_the_events_of_the_whole(begin: int, length: int, timezone: str) -> None:
    calendar = Calendar("us", "US", recurring=(MonthDay("Pay day", 25, weekend="before"),), before=1, after=2)
    times = hours("2026-01-01", "2026-12-01", "6h")
    whole = {event.name: event.active for event in events([calendar], times, "6h", timezone)}
    part = times[begin : begin + length]
    found = {event.name: event.active for event in events([calendar], part, "6h", timezone)}
    expected = {name: active[begin : begin + length] for name, active in whole.items()}
    assert set(found) == {name for name, active in expected.items() if active.any()}
    assert all((found[name] == expected[name]).all() for name in found)


def test_a_panel_takes_the_events_in_place_of_its_own() -> None:
    times = hours("2014-11-26", "2014-11-29")
    bare = Panel(times, np.zeros((len(times), 1)), ({},), "1h", "UTC")
    marked = with_events(bare, [US], NEW_YORK)
    assert [event.name for event in marked.events] == ["Thanksgiving Day"]
    assert with_events(marked, [], NEW_YORK).events == ()
