from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from alerting.app import App
from alerting.app.reading import OutsideReadings, UnknownSeries
from alerting.app.reading_parts import MOST_BUCKETS, Parts, _taken_apart, parts
from alerting.core.calendars import events
from config.model import Calendar
from detectors.buckets import as_datetime
from detectors.contract import Floats, Panel
from tests.app.world import DROP_DE, FIRST, HOUR, NOW
from tests.figures import Figure

DE = {"country": "DE"}


def named(found: Parts) -> dict[str, Floats]:
    return {one.name: one.values for one in found.components}


def panel(values: Floats, start: str, bucket: str = "1h", timezone: str = "UTC") -> Panel:
    step = np.timedelta64(1, "D") if bucket == "1d" else np.timedelta64(1, "h")
    times = np.datetime64(start, "us") + np.arange(len(values)) * step
    return Panel(times, values[:, None], ({},), bucket, timezone)


def test_components_add_up_to_the_readings(app: App) -> None:
    found = parts(app, "shop.orders", DE, FIRST, NOW)
    assert [one.name for one in found.components] == ["level", "day", "week", "residual"]
    np.testing.assert_allclose(sum(named(found).values()), found.observed)
    assert found.title == "shop.orders{country=DE}"


@pytest.mark.parametrize("weeks", [3, 4, 5])
def test_incidents_stay_in_the_residual_and_do_not_bend_the_seasons(app: App, weeks: int) -> None:
    since = NOW.replace(minute=0) - timedelta(weeks=weeks)
    found = parts(app, "shop.orders", DE, since)
    drop = slice(int((DROP_DE - since) / HOUR), int((DROP_DE - since) / HOUR) + 6)
    residual = named(found)["residual"]
    assert np.all(residual[drop] < -60), "200 orders an hour lost 40 %"
    assert np.nanmax(np.abs(np.delete(residual, drop))) < 15
    assert found.components[1].strength == pytest.approx(1, abs=0.05), "night and day are all there is"


def test_a_season_of_the_day_keeps_its_hours_when_clocks_change() -> None:
    times = panel(np.zeros(24 * 28), "2026-03-15T00", timezone="Europe/Berlin").times
    offset = np.where(times < np.datetime64("2026-03-29T01"), 1, 2)  # Berlin's summer time began on 29 March, 01:00 UTC
    hours = (times.astype("datetime64[h]").astype(int) + offset) % 24
    shown = panel(np.where((hours >= 8) & (hours < 20), 200.0, 100.0), "2026-03-15T00", timezone="Europe/Berlin")
    components, _ = _taken_apart(shown, (), np.zeros(len(shown.times), dtype=bool))
    residual = components[-1].values
    assert np.abs(residual).max() < 1, "on a clock of UTC the hours at 8 and 20 would be off by 100 for weeks"


def test_a_named_day_is_an_effect_and_no_residual() -> None:
    rng = np.random.default_rng(3)
    values = 1000 + 100 * np.sin(2 * np.pi * np.arange(70) / 7) + rng.normal(0, 5, 70)
    values[40] += 500
    shown = panel(values, "2026-01-01", "1d")
    fair = Calendar("shop", days={"Fair": (date(2026, 1, 1) + timedelta(days=40),)})
    components, _ = _taken_apart(shown, events([fair], shown.times, "1d", "UTC"), np.zeros(70, dtype=bool))
    found = {one.name: one.values for one in components}
    assert found["calendar"][40] == pytest.approx(500, abs=60)
    assert np.count_nonzero(found["calendar"]) == 1
    assert abs(found["residual"][40]) < 1e-6


def test_a_short_span_has_a_level_and_says_which_seasons_it_cannot_tell(app: App) -> None:
    found = parts(app, "shop.weight", since=NOW - 40 * HOUR)
    assert [one.name for one in found.components] == ["level", "residual"]
    assert len(found.notes) == 2
    assert as_datetime(found.times[0]) == (NOW - 40 * HOUR).replace(minute=0), "the bucket in which the span begins"
    assert found.notes[0] == "too short a span for a season of the day: it takes more than two"


def test_a_span_without_readings_is_refused_and_one_of_missing_readings_has_no_components(app: App) -> None:
    with pytest.raises(OutsideReadings, match=r"shop\.weight has nothing in this span: there are buckets from"):
        parts(app, "shop.weight", since=NOW + HOUR)
    before_any = parts(app, "shop.weight", until=datetime(2025, 12, 20, tzinfo=UTC))
    assert (before_any.components, before_any.notes[-1]) == ((), "there is no ordinary reading in this span")
    with pytest.raises(UnknownSeries):
        parts(app, "shop.orders", {"country": "XX"})


def test_the_longest_span_is_taken_apart_within_seconds(figure: Figure) -> None:
    rng = np.random.default_rng(1)
    values = 100 + 10 * np.sin(np.arange(MOST_BUCKETS) / 4) + rng.normal(0, 1, MOST_BUCKETS)
    values[::97] = np.nan
    began = time.monotonic()
    _taken_apart(panel(values, "2026-01-01T00"), (), np.zeros(MOST_BUCKETS, dtype=bool))
    took = time.monotonic() - began
    figure("page", f"{MOST_BUCKETS:,} buckets taken apart in {took:.2f} s")
    assert took < 5
