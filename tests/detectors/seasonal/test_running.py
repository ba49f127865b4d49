"""Running means and their company are what plain loops over the readings say."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.buckets import Bucket
from detectors.seasonal.calendar import SEASONS, Calendar, profiles
from detectors.seasonal.forecasters import Lags
from detectors.seasonal.running import Mean, Scale, filled, ninth, weight
from detectors.seasonal.runs import Runs

RNG = np.random.default_rng(6)


@pytest.mark.parametrize("half_life", [0.5, 1.0, 28.0, 400.0])
def test_after_its_half_life_a_reading_weighs_half(half_life: float) -> None:
    assert (1.0 - weight(half_life)) ** half_life == pytest.approx(0.5)


def test_a_running_mean_is_the_weighted_mean_of_the_readings_before() -> None:
    values, present, alpha = RNG.normal(size=(60, 2)), RNG.random((60, 2)) > 0.3, 0.1
    mean = Mean.none(2)
    followed = np.concatenate(
        [
            mean.follow(part, seen, alpha)
            for part, seen in zip(np.split(values, [7, 30]), np.split(present, [7, 30]), strict=True)
        ]
    )
    for series in range(2):
        for row in range(60):
            ages = row - 1 - np.arange(row)
            weights = 0.9**ages * present[:row, series]
            wanted = np.average(values[:row, series], weights=weights) if weights.sum() else np.nan
            assert followed[row, series] == pytest.approx(wanted, rel=1e-12, nan_ok=True)


def test_a_scale_counts_an_error_as_at_most_five_scales_once_it_has_seen_twenty() -> None:
    scale, alpha = Scale.none(1), weight(50.0)
    errors = RNG.normal(size=(40, 1))
    errors[[10, 30]] = 1000.0
    found = scale.follow(errors[:25], 5.0, alpha)
    before = scale.value[0]
    scale.follow(errors[25:30], 5.0, alpha)
    calm, count = scale.mean.total[0], scale.mean.count[0]
    limit = 5.0 * scale.value[0]
    scale.follow(errors[30:31], 5.0, alpha)
    assert np.isnan(found[0, 0])
    assert before > 10  # the first 1,000 came before anything was clipped
    assert scale.mean.total[0] == pytest.approx((1 - alpha) * calm + min(limit, 1250.0))
    assert scale.mean.count[0] == pytest.approx((1 - alpha) * count + 1)


def test_a_scale_of_normal_errors_is_their_standard_deviation() -> None:
    scale = Scale.none(1)
    scale.learn(np.random.default_rng(0).normal(0, 3.0, (20_000, 1)), 5.0, 1.0)
    assert scale.value[0] == pytest.approx(3.0, rel=0.02)


def test_what_is_missing_is_filled_with_the_last_reading() -> None:
    rows = np.array([[np.nan], [2.0], [np.nan], [np.nan], [5.0]])
    assert filled(rows, np.array([[1.0]]))[:, 0].tolist() == [1, 1, 2, 2, 2, 5]


def test_ninth_is_the_median_of_the_medians_of_three_threes() -> None:
    rows = RNG.normal(size=(40, 2))
    found = ninth(rows)
    for row in range(len(found)):
        for series in range(2):
            threes = rows[row : row + 9, series].reshape(3, 3)
            assert found[row, series] == np.median(np.median(threes, axis=1))


def test_lags_forecast_by_the_least_squares_of_all_blocks_before() -> None:
    line = np.zeros((24 * 12, 2))
    noise = np.random.default_rng(8).normal(size=line.shape)
    for row in range(3, len(line)):
        line[row] = 0.6 * line[row - 1] - 0.3 * line[row - 2] + 0.1 * line[row - 3] + noise[row]
    lags = Lags.none(2, 3)
    seen = np.ones((24, 2), dtype=bool)
    told = np.concatenate([lags.follow(line[k : k + 24], seen, 1.0, 1e9) for k in range(0, len(line), 24)])
    padded = np.concatenate([np.zeros((3, 2)), line])
    for series in range(2):
        earlier = np.stack([padded[2 - k : 2 - k + len(line), series] for k in range(3)], axis=1)
        past, target = earlier[: 24 * 11], line[: 24 * 11, series]
        products = past.T @ past
        ridge = 1e-3 * np.trace(products) / 3 * np.eye(3)
        factors = np.linalg.solve(products + ridge, past.T @ target)
        np.testing.assert_allclose(told[24 * 11 :, series], earlier[24 * 11 :] @ factors, rtol=1e-8, atol=1e-10)
        assert factors == pytest.approx([0.6, -0.3, 0.1], abs=0.15)


def test_runs_are_those_of_a_loop() -> None:
    going_on, counts = RNG.random((50, 2)) < 0.7, RNG.random((50, 2)) < 0.9
    runs = Runs.none(2)
    length, longest = runs.follow(going_on, counts, 1.0)
    for series in range(2):
        now = most = 0
        for row in range(50):
            before = most
            if counts[row, series] and not going_on[row, series]:
                most, now = max(most, now), 0
            elif counts[row, series]:
                now += 1
            assert length[row, series] == now
            assert longest[row, series] in (before, most)
        assert runs.longest[series] == most


ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "America/Havana")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("bucket", ["5m", "15m", "1h", "6h", "1d", "1w", "1mo"])
def test_bins_are_those_of_the_local_date_and_time(bucket: str, zone: str) -> None:
    begin, end = (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 4, 12 if bucket.endswith(("m", "h")) else 30, tzinfo=UTC),
    )
    if bucket.startswith("1") and bucket[1:] in ("d", "w", "mo"):
        begin, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    times = Bucket.parse(bucket).starts(begin, end, zone)
    calendar = Calendar.of(times, Bucket.parse(bucket), zone)
    stamps = times.astype("datetime64[s]").astype(np.int64)
    local = [datetime.fromtimestamp(int(stamp), UTC).astimezone(ZoneInfo(zone)) for stamp in stamps]
    for profile in profiles(Bucket.parse(bucket), SEASONS):
        places = calendar.bins(profile)
        assert places.min() >= 0
        assert places.max() < profile.bins
        wanted = {
            "day": [(one.hour * 3600 + one.minute * 60) * profile.bins // 86_400 for one in local],
            "week": [
                one.weekday() * max(profile.a_day, 1) + (one.hour * 3600 + one.minute * 60) * profile.a_day // 86_400
                for one in local
            ],
            "month": [one.day - 1 for one in local],
            "year": [one.month - 1 if profile.bins == 12 else (one.timetuple().tm_yday - 1) // 7 for one in local],
        }
        assert places.tolist() == wanted[profile.season]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("bucket", ["5m", "1h", "6h"])
def test_a_block_never_spans_two_local_days_and_all_blocks_are_the_panel(bucket: str, zone: str) -> None:
    times = Bucket.parse(bucket).starts(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 12, tzinfo=UTC), zone)
    calendar = Calendar.of(times, Bucket.parse(bucket), zone)
    edges = calendar.edges()
    assert (edges[0], edges[-1]) == (0, len(times))
    for begin, end in pairwise(edges):
        assert end > begin
        assert len(np.unique(calendar.day[begin:end])) == 1
