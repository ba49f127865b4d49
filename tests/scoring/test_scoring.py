"""`score` says of each line what could have been said when it arrived."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import sample, scoring
from alerting.scoring import Judged, UnreadableSeries
from detectors import Detector, load

HEADER = "time,value\n"
QUIET = load("threshold", below=10)


def scored(
    text: str, detector: Detector = QUIET, bucket: str | None = "1h", timezone: str = "UTC"
) -> list[tuple[str, ...]]:
    lines = scoring.read(text.splitlines(keepends=True), "FILE.csv", timezone)
    judged = scoring.score(lines, detector, bucket=bucket, timezone=timezone)
    header, *rows = csv.reader(scoring.write(lines, judged))
    assert header == ["time", "value", "expected", "lower", "upper", "score", "status"]
    return [tuple(row) for row in rows]


def hourly(count: int) -> str:
    rng = np.random.default_rng(7)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    values = 100 + 30 * np.sin(np.arange(count) * np.pi / 12) + rng.normal(0, 3, count)
    values[-30] += 90
    return HEADER + "".join(
        f"{(start + timedelta(hours=k)).isoformat()},{value:.3f}\n" for k, value in enumerate(values)
    )


def test_a_line_of_the_answer_repeats_time_and_value_as_written() -> None:
    assert scored(HEADER + "2026-01-05 09:00, 8\n") == [("2026-01-05 09:00", " 8", "10", "10", "", "1.2", "anomaly")]


@pytest.mark.parametrize("empty", ["", "NaN", "null", "inf", "-inf"])
def test_a_line_without_a_reading_is_unknown_and_its_numbers_empty(empty: str) -> None:
    assert scored(HEADER + f"2026-01-05T09:00,{empty}\n") == [("2026-01-05T09:00", empty, "", "", "", "", "unknown")]


@pytest.mark.parametrize(
    ("written", "timezone", "meant"),
    [
        ("1767607200", "Europe/Berlin", "2026-01-05T10:00Z"),
        ("1767607200.0", "UTC", "2026-01-05T10:00Z"),
        ("2026-01-05T10:00", "Europe/Berlin", "2026-01-05T09:00Z"),
        ("2026-01-05 10:00:00", "UTC", "2026-01-05T10:00Z"),
        ("2026-01-05T10:00:00+05:45", "UTC", "2026-01-05T04:15Z"),
        ("2026-01-05T10:00:00Z", "Europe/Berlin", "2026-01-05T10:00Z"),
        ("2026-01-05", "UTC", "2026-01-05T00:00Z"),
        ("2014-11-02T01:30", "America/New_York", "2014-11-02T05:30Z"),  # the first of the two
    ],
)
def test_times_are_epoch_seconds_or_iso_8601_with_naive_ones_local(written: str, timezone: str, meant: str) -> None:
    (line,) = scoring.read([HEADER, f"{written},1"], "FILE.csv", timezone)
    assert line.instant == datetime.fromisoformat(meant)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE.csv:1: no column time (or timestamp); there are: none"),
        ("day,value\n", "FILE.csv:1: no column time (or timestamp); there are: day, value"),
        ("time,count\n", "FILE.csv:1: no column value; there are: time, count"),
        (HEADER + "2026-01-05,1\nyesterday,1\n", "FILE.csv:3: time 'yesterday' is neither ISO 8601 nor epoch seconds"),
        (HEADER + "1767607200000,1\n", "FILE.csv:2: time '1767607200000' is not in epoch seconds (are these millis"),
        (HEADER + "2026-01-05,many\n", "FILE.csv:2: value 'many' is not a number"),
        (HEADER + "2026-01-05\n", "FILE.csv:2: 1 fields where the header has more"),
    ],
)
def test_a_file_that_is_no_series_is_refused_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UnreadableSeries) as refused:
        scored(text)
    assert str(refused.value).startswith(message)


def test_times_too_far_apart_for_the_bucket_are_refused() -> None:
    with pytest.raises(UnreadableSeries, match="too many buckets of 1m"):
        scored(HEADER + "1900-01-01,1\n2026-01-01,1\n", bucket="1m")


def test_other_columns_are_ignored_wherever_they_stand() -> None:
    assert scored("value,label,timestamp\n8,1,1767607200\n") == [("1767607200", "8", "10", "10", "", "1.2", "anomaly")]


def test_without_a_bucket_the_first_forty_lines_are_unknown() -> None:
    rows = scored(hourly(60), bucket=None)
    assert [row[6] for row in rows] == ["unknown"] * 40 + ["ok"] * 20
    assert {row[6] for row in scored(hourly(40), bucket=None)} == {"unknown"}


@pytest.mark.parametrize(
    ("step", "bucket"),
    [
        (timedelta(seconds=10), "1m"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=7), "6m"),
        (timedelta(hours=1), "1h"),
        (timedelta(days=1), "1d"),
        (timedelta(days=7), "1w"),
        (timedelta(days=31), "1mo"),
    ],
)
def test_the_bucket_is_the_commonest_spacing(step: timedelta, bucket: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    instants = [start + step * k for k in range(40)]
    instants[10] = instants[9]
    instants[20] += timedelta(seconds=1)
    assert scoring.commonest_spacing(instants).text == bucket


def test_times_that_are_all_equal_are_minutes() -> None:
    assert scoring.commonest_spacing([datetime(2026, 1, 1, tzinfo=UTC)] * 40).text == "1m"


def test_off_grid_times_are_kept_and_judged_at_their_bucket() -> None:
    rows = scored(HEADER + "2026-01-05T09:07:31,8\n2026-01-05T09:40,12\n")
    assert [(row[0], row[6]) for row in rows] == [("2026-01-05T09:07:31", "anomaly"), ("2026-01-05T09:40", "ok")]


def test_of_several_lines_in_a_bucket_each_is_judged_by_its_own_value() -> None:
    rows = scored(HEADER + "2026-01-05T09:00,12\n2026-01-05T09:00,8\n2026-01-05T09:00,12\n")
    assert [row[6] for row in rows] == ["ok", "anomaly", "ok"]


def test_a_line_that_comes_late_is_judged_but_teaches_nothing() -> None:
    text = hourly(24 * 12)
    late = "2026-01-10T05:00:00+00:00,900\n"
    lines = text.splitlines(keepends=True)
    mixed = scored("".join([*lines[:250], late, *lines[250:]]), load("seasonal"))
    assert mixed[249][6] == "anomaly"
    assert mixed[:249] + mixed[250:] == scored(text, load("seasonal"))


def test_a_line_before_the_first_bucket_is_unknown() -> None:
    assert scored(HEADER + "2026-01-05T09:00,8\n2026-01-05T01:00,8\n")[1][6] == "unknown"


@pytest.mark.parametrize("detector", [load("seasonal"), load("threshold", outside=[80, 120])])
@pytest.mark.parametrize("bucket", ["1h", None])
def test_truncating_the_file_changes_no_line_that_is_left(detector: Detector, bucket: str | None) -> None:
    lines = hourly(24 * 14).splitlines(keepends=True)
    lines[120:120] = [lines[119].replace(",", ",1"), "2026-01-08T00:00:00+00:00,1\n"]  # a duplicate and a late line
    whole = scored("".join(lines), detector, bucket)
    assert {"ok", "anomaly"} <= {row[6] for row in whole}
    for length in (30, 41, 119, 121, 122, 130, 200, 307, len(lines) - 2):
        assert scored("".join(lines[: length + 1]), detector, bucket) == whole[:length]


@settings(max_examples=60, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 600), min_size=1, max_size=60),
    values=st.lists(st.one_of(st.just(math.nan), st.floats(0, 20)), min_size=60, max_size=60),
    cut=st.integers(1, 60),
)
def test_whatever_the_order_of_lines_a_line_depends_on_those_before_it(
    minutes: list[int], values: list[float], cut: int
) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        f"{(start + timedelta(minutes=m)).isoformat()},{value}\n" for m, value in zip(minutes, values, strict=False)
    ]
    whole = scored(HEADER + "".join(rows), bucket="1h")
    assert len(whole) == len(rows)
    assert scored(HEADER + "".join(rows[:cut]), bucket="1h") == whole[:cut]


def test_progress_is_told_up_to_the_last_bucket() -> None:
    lines = scoring.read(hourly(50).splitlines(keepends=True), "FILE.csv", "UTC")
    told: list[tuple[int, int]] = []
    scoring.score(lines, QUIET, bucket="1h", timezone="UTC", progress=lambda done, total: told.append((done, total)))
    assert told == [(50, 50)]


def test_unknown_is_what_a_line_is_until_it_is_judged() -> None:
    assert Judged().status == "unknown"
    assert math.isnan(Judged().score)


def test_the_half_hours_of_the_clock_change_are_found_in_the_taxi_series() -> None:
    one = sample.series()[0]
    text = one.path().read_text(encoding="utf-8")
    window = [row for row in text.splitlines(keepends=True)[1:] if "2014-10-06" <= row < "2014-11-03"]
    rows = scored(HEADER + "".join(window), load("seasonal"), "30m", one.timezone)
    found = [row[0] for row in rows if row[6] == "anomaly" and row[0] > "2014-11-02"]
    assert found[:2] == ["2014-11-02T01:00", "2014-11-02T01:30"]
