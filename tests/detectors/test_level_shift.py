"""A shift is found, dated, one episode, and accepted; noise and short dips are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from alerting import sample
from detectors import ANOMALY, OK, UNKNOWN, Panel, Verdicts
from detectors.contract import Bools, Floats
from detectors.level_shift import LevelShift

HOUR = np.timedelta64(1, "h")
MONDAY = np.datetime64("2026-01-05", "us")
WEEK = 168
SHIFT = WEEK * 8 + 40


def hourly(values: Floats, timezone: str = "UTC", bucket: str = "1h", step: np.timedelta64 = HOUR) -> Panel:
    labels = tuple({"shop": str(s)} for s in range(values.shape[1]))
    return Panel(MONDAY + np.arange(len(values)) * step, values, labels, bucket, timezone)


def seasonal(weeks: int = 12, series: int = 20, seed: int = 3) -> Floats:
    at = np.arange(weeks * WEEK)[:, None]
    noise = 5 * np.random.default_rng(seed).normal(size=(len(at), series))
    values: Floats = 200 + 60 * np.sin(2 * np.pi * at / 24) + 20 * np.sin(2 * np.pi * at / WEEK) + noise
    return values


def judged(panel: Panel, detector: LevelShift | None = None) -> Verdicts:
    return (detector or LevelShift()).judge(panel, since=panel.times[0])


def begins(anomalous: Bools, quiet: int = 6) -> Bools:
    """Anomalies after six buckets without one."""
    before = np.zeros_like(anomalous)
    for rows in range(1, quiet + 1):
        before[rows:] |= anomalous[:-rows]
    return anomalous & ~before


@pytest.mark.parametrize("size", [35.0, -35.0])
def test_a_shift_is_found_in_hours_is_one_episode_and_then_accepted(size: float) -> None:
    values = seasonal()
    values[SHIFT:] += size
    found = judged(hourly(values))
    anomalous = found.status == ANOMALY
    assert not anomalous[:SHIFT].any()
    assert anomalous[SHIFT : SHIFT + 6].any(axis=0).all()
    assert (begins(anomalous).sum(axis=0) == 1).all()
    assert not anomalous[SHIFT + 22 :].any(), "no echo a week, two or three later"
    assert (found.direction[anomalous] == np.sign(size)).all()


def test_the_reason_dates_the_change_in_local_time() -> None:
    values = seasonal(series=10)
    values[SHIFT:] += 60
    panel = hourly(values, "Europe/Berlin")
    found = judged(panel)
    dated = found.reason[SHIFT + 6]
    wanted = str(panel.times[SHIFT] + HOUR)[:16].replace("T", " ")  # Berlin is an hour ahead in winter
    assert all("usual differences above those before, since " in reason for reason in dated)
    assert sum(reason.endswith(wanted) for reason in dated) == 10


def test_what_ends_well_within_half_of_the_last_buckets_is_no_shift() -> None:
    values = seasonal(series=40)
    values[SHIFT] = 0
    assert not (judged(hourly(values)).status == ANOMALY).any()


def test_an_outage_shorter_than_what_it_is_compared_with_is_one_episode() -> None:
    values = seasonal()
    values[SHIFT : SHIFT + 6] -= 100
    anomalous = judged(hourly(values)).status == ANOMALY
    assert (begins(anomalous).sum(axis=0) == 1).all()


@pytest.mark.parametrize("kind", ["white", "seasonal", "heavy", "wandering"])
def test_noise_is_called_less_than_once_in_ten_weeks(kind: str) -> None:
    rng = np.random.default_rng(17)
    weeks, series = 20, 25
    noise = rng.normal(size=(weeks * WEEK, series))
    values = {
        "white": noise,
        "seasonal": seasonal(weeks, series),
        "heavy": rng.standard_t(3, size=noise.shape),
        "wandering": np.cumsum(noise, axis=0),
    }[kind]
    found = judged(hourly(values))
    known = np.isfinite(found.score).sum() / WEEK
    assert known > 300
    assert begins(found.status == ANOMALY).sum() / known < 0.1


def test_on_the_hourly_samples_it_calls_nothing_far_from_a_label() -> None:
    for one in (one for one in sample.series() if one.bucket == "1h"):
        times, readings = one.readings()
        grid = np.arange(times[0], times[-1] + 1, HOUR)
        values = np.full((len(grid), 1), np.nan)
        values[np.searchsorted(grid, times), 0] = readings
        found = LevelShift().judge(Panel(grid, values, ({},), one.bucket, one.timezone), since=grid[0])
        assert (found.status == OK).any()
        for moment in grid[(found.status == ANOMALY)[:, 0]]:
            near = [
                label
                for label in sample.labels()
                if label.series == one.name
                and abs((np.datetime64(label.start.replace(tzinfo=None)) - moment) / np.timedelta64(1, "D")) < 2
            ]
            assert near, f"{one.name} at {moment}"


@pytest.mark.parametrize(
    ("bucket", "step", "count"),
    [
        ("10m", np.timedelta64(10, "m"), 144 * 12),
        ("1d", np.timedelta64(1, "D"), 200),
        ("1w", np.timedelta64(7, "D"), 80),
    ],
)
def test_other_buckets_have_shifts_too(bucket: str, step: np.timedelta64, count: int) -> None:
    values = 100 + np.random.default_rng(6).normal(size=(count, 5))
    values[-6:] += 12
    found = judged(hourly(values, bucket=bucket, step=step))
    assert (found.status[-1] == ANOMALY).all()
    assert not (found.status[:-6] == ANOMALY).any()


def test_a_quieter_bound_needs_a_larger_shift() -> None:
    values = seasonal()
    values[SHIFT:] += 35
    loud, quiet = (judged(hourly(values), LevelShift(bound=bound)) for bound in (5, 50))
    assert not (quiet.status == ANOMALY).any()
    np.testing.assert_allclose(loud.score / 10, quiet.score, rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (seasonal(2, 1), "0 of 168 past differences"),
        (np.where(np.arange(10 * WEEK)[:, None] > 10 * WEEK - 3, np.nan, seasonal(10, 1)), "no reading"),
        (7.0 + 5 * (np.arange(10 * WEEK)[:, None] > 10 * WEEK - 5), "the first change of level there ever was"),
    ],
)
def test_what_is_not_known_is_unknown_and_says_why(values: Floats, reason: str) -> None:
    found = judged(hourly(values))
    assert (found.status[-1, 0], found.reason[-1, 0]) == (UNKNOWN, reason)


def test_a_constant_is_ok() -> None:
    assert judged(hourly(np.full((10 * WEEK, 1), 7.0))).status[-1, 0] == OK


def test_explaining_takes_the_level_the_rhythm_and_the_step_apart() -> None:
    values = seasonal()
    values[SHIFT:] += 40
    panel = hourly(values)
    told = LevelShift().explain(panel, 3, panel.times[SHIFT + 5])
    assert told.level + sum(told.seasons.values()) + told.residual == pytest.approx(panel.values[SHIFT + 5, 3])
    assert told.residual == pytest.approx(40, abs=8)
    assert (told.upper - told.expected) * told.score == pytest.approx(told.residual)
    with pytest.raises(ValueError, match="no bucket starts"):
        LevelShift().explain(panel, 0, panel.times[-1] + np.timedelta64(30, "m"))


def test_hours_that_the_clock_moves_are_no_shift() -> None:
    at = np.arange(14 * WEEK)[:, None]
    local = at + 1 + (at >= 24 * 83 + 1)  # Berlin's clock goes forward on 29 March 2026 at 01:00 UTC
    values = 200 + 60 * np.sin(2 * np.pi * local / 24) + np.random.default_rng(9).normal(size=(len(at), 12))
    assert not (judged(hourly(values, "Europe/Berlin")).status == ANOMALY).any()


def test_masked_buckets_teach_nothing() -> None:
    values = seasonal(series=3)
    masked = np.zeros(values.shape, dtype=bool)
    masked[SHIFT - 60 : SHIFT - 30] = True
    panel = replace(hourly(values), masked=masked)
    wrecked = replace(panel, values=np.where(masked, 1e6, values))
    since = panel.times[SHIFT]
    plain, other = (LevelShift().judge(one, since=since) for one in (panel, wrecked))
    np.testing.assert_array_equal(plain.score, other.score)


@pytest.mark.parametrize("written", [{"last": 1}, {"last": 49}, {"bound": 0}, {"last": 2.5}])
def test_parameters_that_make_no_sense_are_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LevelShift.model_validate(written)
