"""A change of the clock raises no alert that the same local pattern would not raise in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors import Panel
from detectors.contract import Floats
from tests.detectors.seasonal.made import anomalous, pages

ZONES = (
    "Europe/Berlin",
    "Europe/Lisbon",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)
BEFORE, AFTER, SERIES = 6 * 168, 2 * 168, 8


def local_hours(times: Floats, zone: str) -> Floats:
    """Hours of local wall time since the Monday before 1970."""
    moments = [datetime.fromtimestamp(float(time), UTC) for time in times]
    offsets = [one.astimezone(ZoneInfo(zone)).utcoffset() for one in moments]
    found: Floats = (
        times / 3600 + 72 + np.array([offset.total_seconds() / 3600 for offset in offsets if offset is not None])
    )
    return found


def changes(zone: str) -> list[float]:
    """When the clock changed in 2025, epoch seconds; for a zone where it never does: when it did in Berlin."""
    hours = np.arange(1_735_689_600.0, 1_767_225_600.0, 3600.0)
    moved = np.flatnonzero(np.diff(local_hours(hours, zone)) != 1)
    return [float(hours[place + 1]) for place in moved] or changes("Europe/Berlin")


def strong(hours: Floats) -> Floats:
    """A day and a week as strong as a shop's: half as much at weekends, a quarter at night."""
    day = 1 - 0.6 * np.cos(2 * np.pi * (hours + 0.5 - 3) / 24)
    found: Floats = 1000 * day * np.where(hours // 24 % 7 >= 5, 0.5, 1.0)
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_no_alert_more_than_in_utc_over_either_change(zone: str) -> None:
    moments = changes(zone)
    assert len(moments) == 2
    for moment in moments:
        times = moment + 3600.0 * np.arange(-BEFORE, AFTER, dtype=np.float64)
        stamps = times.astype("datetime64[s]").astype("datetime64[us]")
        # Noise without tails, of deviation 50: nothing in it is an alert by chance, so the clock is all that is left.
        noise = np.random.default_rng(12).uniform(-87, 87, (len(times), SERIES))
        labels = tuple({"n": str(place)} for place in range(SERIES))
        here, there = (
            Panel(stamps, strong(hours)[:, None] + noise, labels, "1h", known_as)
            for hours, known_as in ((local_hours(times, zone), zone), (local_hours(times, "UTC"), "UTC"))
        )
        told, told_in_utc = (pages(anomalous(one)[-AFTER:], 3600).sum() for one in (here, there))
        assert told <= told_in_utc, np.datetime_as_string(stamps[BEFORE], "h")


def test_the_same_pattern_read_in_the_wrong_zone_does_alert() -> None:
    zone = "America/New_York"
    times = changes(zone)[0] + 3600.0 * np.arange(-BEFORE, AFTER, dtype=np.float64)
    hours = local_hours(times, zone)
    opens_at_nine = np.where((hours % 24 >= 9) & (hours % 24 < 18), 1000.0, 50.0)
    values = opens_at_nine[:, None] + np.random.default_rng(1).normal(0, 10, (len(times), 1))
    stamps = times.astype("datetime64[s]").astype("datetime64[us]")
    told = {name: int(anomalous(Panel(stamps, values, ({},), "1h", name))[-AFTER:].sum()) for name in (zone, "UTC")}
    assert told[zone] == 0
    assert told["UTC"] > 0
