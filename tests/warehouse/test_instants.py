from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.warehouse.instants import NotATime, moment, wall_edge

ZONES = ["UTC", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"]


def read(
    value: object, naive_time: str = "America/New_York", day_zone: str = "Europe/Berlin", days: bool = False
) -> str:
    found = moment(value, naive_time=naive_time, day_zone=day_zone, is_calendar=days)
    return f"{found.instant:%Y-%m-%d %H:%M:%S}" + (" repeated" if found.is_repeated else "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-05T10:00:00Z", "2026-01-05 10:00:00"),
        ("2026-01-05 10:00:00+02:00", "2026-01-05 08:00:00"),
        ("2026-01-05 10:00", "2026-01-05 15:00:00"),
        (datetime.fromisoformat("2026-07-05T10:00:00"), "2026-07-05 14:00:00"),
        (datetime(2026, 1, 5, 10, tzinfo=ZoneInfo("Asia/Kathmandu")), "2026-01-05 04:15:00"),
        (date(2026, 1, 5), "2026-01-05 05:00:00"),
        (1767607200, "2026-01-05 10:00:00"),
        (1767607200.5, "2026-01-05 10:00:00"),
        (Decimal("1767607200"), "2026-01-05 10:00:00"),
        ("2025-11-02 00:59", "2025-11-02 04:59:00"),
        ("2025-11-02 01:30", "2025-11-02 06:30:00 repeated"),
        ("2025-11-02 02:00", "2025-11-02 07:00:00"),
        ("2026-03-08 02:30", "2026-03-08 07:30:00"),
    ],
)
def test_time_is_read_as_written(value: object, expected: str) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 7, 5), "2026-07-04 22:00:00"),
        ("2026-07-05", "2026-07-04 22:00:00"),
        ("2026-07-05 00:00:00", "2026-07-04 22:00:00"),
        ("2026-07-05 01:00:00", "2026-07-05 05:00:00"),
        ("2026-07-05T00:00:00Z", "2026-07-05 00:00:00"),
    ],
)
def test_midnight_in_a_calendar_bucket_is_a_day_of_the_query(value: object, expected: str) -> None:
    assert read(value, days=True) == expected


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        ("2025-03-30", "Asia/Beirut", "2025-03-29 22:00:00"),  # no midnight: the day begins at 01:00
        ("2025-11-02", "America/Havana", "2025-11-02 04:00:00"),  # two midnights: the first
    ],
)
def test_day_begins_at_its_first_instant(day: str, zone: str, expected: str) -> None:
    assert read(date.fromisoformat(day), day_zone=zone, days=True) == expected


@pytest.mark.parametrize(
    "value",
    [
        "noon",
        "",
        True,
        None,
        [1],
        1767607200000,
        float("nan"),
        float("inf"),
        Decimal("sNaN"),
        "0001-01-01T00:00+14:00",
        "2026-01-05+02:00",
        "1767607200",
        b"x",
    ],
)
def test_value_that_is_no_time_is_named(value: object) -> None:
    with pytest.raises(NotATime):
        read(value)


@given(
    zone=st.sampled_from(ZONES),
    edge=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    minutes=st.integers(-180, 180),
)
def test_edge_divides_local_times_as_reading_them_does(zone: str, edge: datetime, minutes: int) -> None:
    edge = edge.replace(second=0, microsecond=0)
    local = (edge + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    found = moment(local, naive_time=zone, day_zone=zone, is_calendar=False)
    assert (local < wall_edge(edge, zone)) == (found.instant < edge)


@pytest.mark.parametrize("zone", ZONES)
def test_edges_and_readings_agree_in_every_minute_around_the_clock_changes(zone: str) -> None:
    for day in (
        datetime(2025, 11, 2, tzinfo=UTC),
        datetime(2025, 10, 26, tzinfo=UTC),
        datetime(2026, 4, 4, tzinfo=UTC),
    ):
        edges = [day + timedelta(minutes=15 * n) for n in range(96)]
        walls = [wall_edge(edge, zone) for edge in edges]
        assert walls == sorted(walls)
        for edge, wall in zip(edges, walls, strict=True):
            assert moment(wall, naive_time=zone, day_zone=zone, is_calendar=False).instant >= edge
