"""Hours of the week hold the same instants one by one and as an array."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.hours import Hours

TEXTS = ["Sun 02:00-04:00", "Sat,Sun", "22:00-06:00", "Fri-Sat 22:00-02:30", "Mon-Fri 08:00-24:00"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"]
CLOCK_CHANGES = st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"])


@settings(deadline=None)
@given(CLOCK_CHANGES, st.integers(-4000, 4000), st.sampled_from(TEXTS), st.sampled_from(ZONES))
def test_one_instant_is_held_like_an_array_of_them(day: str, minutes: int, text: str, timezone: str) -> None:
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    hours = Hours.parse(text)
    array = np.array([moment.replace(tzinfo=None)], dtype="datetime64[us]")
    assert hours.holds(moment, timezone) is bool(hours.hold(array, timezone)[0])
