"""Seasonal finds what is unusual for the hour and the day of the week, and is quiet otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import sample
from detectors import Event, Panel, Verdicts
from detectors.buckets import Bucket
from detectors.contract import Bools, Floats
from detectors.decomposition import learn
from detectors.rhythm import Rhythm, slots
from detectors.seasonal import Seasonal

MONDAY = np.datetime64("2026-06-01", "us")
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")


def shop(weeks: int = 5, noise: float = 4.0, seed: int = 1) -> Floats:
    """Hourly orders: a daily wave, half as many at weekends."""
    hours = np.arange(weeks * 7 * 24)
    weekend = np.where(hours // 24 % 7 >= 5, 0.5, 1.0)
    wave = (200 + 100 * np.sin(hours * 2 * np.pi / 24)) * weekend
    return wave + np.random.default_rng(seed).normal(0, noise, len(hours))


def hourly(values: Floats, timezone: str = "UTC", masked: Bools | None = None, events: tuple[Event, ...] = ()) -> Panel:
    columns = values if values.ndim == 2 else values[:, None]
    times = MONDAY + np.arange(len(columns)) * HOUR
    labels = tuple({"n": str(k)} for k in range(columns.shape[1]))
    return Panel(times, columns, labels, "1h", timezone, masked, events)


def last(panel: Panel, rows: int) -> Verdicts:
    return Seasonal().judge(panel, since=panel.times[-rows])


def test_an_ordinary_week_is_ok_and_a_drop_of_a_third_an_anomaly() -> None:
    values = shop()
    assert set(last(hourly(values), 168).status[:, 0]) == {"ok"}
    values[-64:-61] *= 2 / 3  # Friday, 8 to 11
    found = last(hourly(values), 66)
    assert found.status[:6, 0].tolist() == ["ok", "ok", "anomaly", "anomaly", "anomaly", "ok"]
    assert found.direction[2:5, 0].tolist() == [-1, -1, -1]
    assert found.reason[2, 0].endswith("times the usual error below the forecast")


def test_a_weekday_value_on_a_sunday_is_an_anomaly_once_weeks_are_known() -> None:
    values = shop()
    values[-12:] *= 2
    assert "anomaly" in last(hourly(values), 12).status[:, 0]


def test_the_forecast_follows_the_local_clock_over_a_clock_change() -> None:
    times = np.datetime64("2026-09-21T00:00", "us") + np.arange(24 * 49) * HOUR  # the clock falls back on 25 October
    hour_in_berlin = (np.arange(24 * 49) + np.where(times < np.datetime64("2026-10-25T01:00"), 2, 1)) % 24
    opens_at_nine = np.where((hour_in_berlin >= 9) & (hour_in_berlin < 18), 300.0, 20.0)
    values = opens_at_nine + np.random.default_rng(0).normal(0, 5, len(times))
    here = Seasonal().judge(Panel(times, values[:, None], ({},), "1h", "Europe/Berlin"), since=times[-14 * 24])
    there = Seasonal().judge(Panel(times, values[:, None], ({},), "1h", "UTC"), since=times[-14 * 24])
    assert np.sum(here.status == "anomaly") == 0
    assert np.sum(there.status == "anomaly") > 0


def test_a_repeated_hour_is_averaged_and_a_removed_one_is_missing() -> None:
    berlin = "Europe/Berlin"
    autumn = np.datetime64("2026-10-25T00:00", "us") + np.arange(3) * HOUR
    spring = np.datetime64("2026-03-29T00:00", "us") + np.arange(2) * HOUR
    assert np.diff(slots(autumn, Bucket.parse("1h"), berlin)).tolist() == [0, 1]
    assert np.diff(slots(spring, Bucket.parse("1h"), berlin)).tolist() == [2]


@pytest.mark.parametrize("readings", [1, 12, 71])
def test_a_short_history_is_unknown_with_the_count(readings: int) -> None:
    panel = hourly(shop()[: readings + 1])
    found = last(panel, 1)
    assert (found.status.item(), found.reason.item()) == ("unknown", f"{readings} of 72 buckets")
    assert np.isnan(found.score.item())


def test_judging_begins_at_the_first_midnight_with_three_days() -> None:
    found = last(hourly(shop()[: 24 * 4]), 24 * 4)
    assert set(found.status[:72, 0]) == {"unknown"}
    assert set(found.status[72:, 0]) == {"ok"}


def test_a_shift_is_one_episode_and_accepted_after_half_a_day() -> None:
    values = shop(weeks=6)
    values[-24 * 7 :] += 45  # a little more than one half-band
    found = last(hourly(values), 24 * 7)
    anomalous = np.flatnonzero(found.status[:, 0] == "anomaly")
    assert len(anomalous) > 0
    assert anomalous.max() <= 14


def test_a_large_shift_is_accepted_after_half_a_week() -> None:
    values = shop(weeks=6)
    values[-24 * 7 :] += 500
    by_day = (last(hourly(values), 24 * 7).status[:, 0] == "anomaly").reshape(7, 24).sum(axis=1)
    assert by_day[:3].tolist() == [24, 24, 24]
    assert by_day[4:].tolist() == [0, 0, 0]


def test_an_outage_does_not_become_normal_overnight() -> None:
    values = shop(weeks=6)
    values[-72:] = 0
    by_day = (last(hourly(values), 72).status[:, 0] == "anomaly").reshape(3, 24).sum(axis=1)
    assert (by_day >= 12).all()  # at weekend nights hardly anyone orders anyway


def test_a_return_to_normal_is_no_second_anomaly() -> None:
    values = shop(weeks=6)
    values[-48:-24] += 60
    found = last(hourly(values), 24)
    assert "anomaly" not in found.status[:, 0]


def test_a_series_that_never_varied_is_unknown_when_it_first_moves() -> None:
    values = np.full(24 * 28, 7.0)
    values[-1] = 8
    found = last(hourly(values), 2)
    assert found.status[:, 0].tolist() == ["ok", "unknown"]
    assert found.reason[1, 0].startswith("the first change in")


def test_single_events_in_a_sparse_count_are_ok() -> None:
    values = np.zeros(24 * 35)
    values[::97] = 1
    values[-2] = 2
    assert "anomaly" not in last(hourly(values), 24 * 7).status[:, 0]


def test_quiet_nights_do_not_page() -> None:
    hours = np.arange(24 * 42)
    busy = np.where(hours % 24 >= 8, 400.0, 0.0)
    counts = np.random.default_rng(5).poisson(np.maximum(busy, 0.3)).astype(float)
    found = last(hourly(counts), 24 * 14)
    assert np.sum(found.status == "anomaly") == 0


def test_the_spread_of_busy_hours_does_not_hide_a_quiet_one() -> None:
    values = shop()
    busy = np.arange(len(values)) % 24 < 12
    values += np.where(busy, np.random.default_rng(2).normal(0, 30, len(values)), 0)
    panel = hourly(values)
    quiet_hour = MONDAY + 34 * DAY + 18 * HOUR
    busy_hour = MONDAY + 34 * DAY + 6 * HOUR
    told = [Seasonal().explain(panel, 0, when) for when in (quiet_hour, busy_hour)]
    assert told[0].upper - told[0].lower < 0.7 * (told[1].upper - told[1].lower)


@pytest.mark.parametrize("how", ["masked", "event"])
def test_masked_days_do_not_teach(how: str) -> None:
    values = shop(weeks=6)
    teaching = np.arange(len(values)) < len(values) - 48
    values[-24 * 8 : -48] *= 3
    excluded = np.zeros((len(values), 1), dtype=bool)
    excluded[-24 * 8 : -48] = True
    taught = hourly(values)
    masked = hourly(values, masked=excluded)
    event = hourly(values, events=(Event("sale", "mute", excluded[:, 0] & teaching),))
    panel = masked if how == "masked" else event
    assert np.sum(last(panel, 48).status == "anomaly") == 0
    wide, narrow = last(taught, 1), last(panel, 1)
    assert (narrow.upper - narrow.lower).item() < (wide.upper - wide.lower).item()


def test_holes_in_the_history_do_not_stop_the_fit() -> None:
    values = shop()
    values[np.random.default_rng(0).random(len(values)) < 0.3] = np.nan
    values[-1] = shop()[-1]
    assert last(hourly(values), 1).status.item() == "ok"


def test_after_a_long_gap_it_waits_for_recent_readings() -> None:
    values = shop(weeks=6)
    values[-24 * 8 : -1] = np.nan
    found = last(hourly(values), 1)
    assert (found.status.item(), found.reason.item()) == ("unknown", "too few recent readings for a level")


def test_the_learned_seasons_are_those_that_made_the_series() -> None:
    hours = np.arange(8 * 7 * 24)
    made = 50 * np.sin(hours * 2 * np.pi / 24) + np.where(hours // 24 % 7 >= 5, -80.0, 0.0)
    noise = np.random.default_rng(4).normal(0, 2, len(hours))
    fit = learn((1000 + made + noise)[:, None], 0, Rhythm.of(Bucket.parse("1h")), np.array([True]))
    learned = fit.seasons[0][hours[:168] % 24, 0] + fit.seasons[1][hours[:168], 0]
    error = (learned - learned.mean()) - (made[:168] - made[:168].mean())
    assert np.abs(error).max() < 6
    assert fit.spread.max() < 25


def test_explain_names_the_seasons_of_the_bucket() -> None:
    panel = hourly(shop())
    told = Seasonal().explain(panel, 0, panel.times[-1])
    assert list(told.seasons) == ["day", "week"]
    assert told.level + sum(told.seasons.values()) + told.calendar == pytest.approx(told.expected, abs=1e-9)
    with pytest.raises(ValueError, match="no bucket starts at"):
        Seasonal().explain(panel, 0, panel.times[-1] + HOUR)


@pytest.mark.parametrize(("bucket", "weeks"), [("1m", 5), ("1h", 9), ("12h", 9), ("1d", 27), ("1w", 209), ("1mo", 265)])
def test_history_is_what_a_fit_needs_and_a_cycle(bucket: str, weeks: int) -> None:
    days = Seasonal().history(bucket) / DAY
    assert weeks * 7 <= days <= weeks * 7 * 1.2 + 2


def test_a_smaller_bound_finds_at_least_as_much() -> None:
    values = shop()
    values[-10:] *= np.linspace(1, 0.3, 10)
    panel = hourly(values)
    strict, lax = (Seasonal(bound=bound).judge(panel, since=panel.times[-10]) for bound in (2, 8))
    assert np.sum(strict.status == "anomaly") > np.sum(lax.status == "anomaly")


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    holes=st.floats(0, 0.9),
    spikes=st.lists(st.tuples(st.integers(0, 24 * 30 - 1), st.floats(-1e9, 1e9)), max_size=8),
    cut=st.integers(1, 23),
)
def test_whatever_the_readings_verdicts_are_causal_and_complete(
    seed: int, holes: float, spikes: list[tuple[int, float]], cut: int
) -> None:
    rng = np.random.default_rng(seed)
    values = shop(weeks=5)[: 24 * 30]
    values[rng.random(len(values)) < holes] = np.nan
    for place, height in spikes:
        values[place] = height
    whole = last(hourly(values), 24)
    assert set(whole.status[:, 0]) <= {"ok", "anomaly", "unknown"}
    np.testing.assert_array_equal(np.isnan(whole.score), whole.status == "unknown")
    assert all(whole.reason[whole.status != "ok"])
    shorter = last(hourly(values[: len(values) - 24 + cut]), cut)
    np.testing.assert_allclose(shorter.score, whole.score[:cut], rtol=1e-9, atol=1e-9)


def test_in_new_york_the_holidays_and_the_blizzard_are_found_and_little_else() -> None:
    taxi = sample.series()[0]
    read, values = taxi.readings()
    times = np.arange(read[0], read[-1] + np.timedelta64(30, "m"), np.timedelta64(30, "m"))
    grid = np.full((len(times), 1), np.nan)
    grid[np.searchsorted(times, read), 0] = values
    found = Seasonal().judge(Panel(times, grid, ({},), taxi.bucket, taxi.timezone), since=times[0])
    opened = _incidents(found.status[:, 0] == "anomaly")
    labels = [label for label in sample.labels() if label.series == taxi.name]
    windows = [
        (np.datetime64(one.start.replace(tzinfo=None)), np.datetime64(one.end.replace(tzinfo=None))) for one in labels
    ]
    hits = {label.name for label, (a, b) in zip(labels, windows, strict=True) if any(a <= times[k] < b for k in opened)}
    false = [k for k in opened if not any(a <= times[k] < b for a, b in windows)]
    assert {"Thanksgiving", "Christmas", "New Year", "blizzard"} <= hits
    assert len(false) / (len(times) / (7 * 48)) < 0.5


def _incidents(anomalous: Bools) -> list[int]:
    """Rows at which an incident opens: two anomalous buckets in a row, after three clean ones."""
    opened, streak, clean, is_open = [], 0, 0, False
    for row, flag in enumerate(anomalous):
        streak, clean = (streak + 1, 0) if flag else (0, clean + 1)
        if not is_open and streak == 2:
            opened.append(row)
            is_open = True
        elif is_open and clean == 3:
            is_open = False
    return opened


def test_a_restated_series_is_learned_again_and_the_others_are_not() -> None:
    values = np.stack([shop(seed=1), shop(seed=2)], axis=1)
    panel = hourly(values)
    state = last(panel, 1).state
    restated = values.copy()
    restated[-24 * 20 :: 24, 0] += 30
    found = Seasonal().judge(hourly(restated), since=panel.times[-1], state=state)
    fresh = last(hourly(restated), 1)
    np.testing.assert_allclose(found.score, fresh.score, rtol=1e-9)
    assert found.score[0, 1] == last(panel, 1).score[0, 1]
    assert found.score[0, 0] != last(panel, 1).score[0, 0]


def test_a_new_series_beside_remembered_ones_is_learned_from_the_panel() -> None:
    values = np.stack([shop(seed=1), shop(seed=2)], axis=1)
    both = hourly(values)
    one = Panel(both.times, both.values[:, :1], both.labels[:1], "1h", "UTC")
    found = Seasonal().judge(both, since=both.times[-1], state=last(one, 1).state)
    np.testing.assert_allclose(found.score, last(both, 1).score, rtol=1e-9)
