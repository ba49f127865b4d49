"""Whatever rows come: a block that tells the truth, or a BadResult; never a foreign error."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.blocks import Block
from alerting.warehouse.cells import label
from alerting.warehouse.errors import BadResult
from alerting.warehouse.readings import Reading, read
from alerting.warehouse.table import Column, Table
from detectors.buckets import as_datetime
from tests.warehouse.contract import query, utc, window

DAY = window("2026-01-05T00:00", "2026-01-06T00:00")
HOURLY = query("SELECT 1")
LAST = datetime.fromisoformat("9999-12-31T23:59:59")


def table(**columns: list[object]) -> Table:
    return Table(
        tuple(Column(name, "plain", cells) for name, cells in columns.items()), len(next(iter(columns.values())))
    )


def taken(found: Table, *values: str) -> Reading:
    return read(found, HOURLY, DAY, values or ("n",), "UTC")


def cells(block: Block) -> dict[tuple[datetime, tuple[str, ...]], float]:
    """Every reading by bucket and dimension values."""
    return {
        (as_datetime(at), tuple(value for _, value in key.dimensions)): float(block.values[t, k])
        for t, at in enumerate(block.times)
        for k, key in enumerate(block.keys)
        if not math.isnan(block.values[t, k])
    }


def test_mixed_numbers_of_one_column_are_read_alike() -> None:
    hours: list[object] = [f"2026-01-05 {n:02}:00" for n in range(6)]
    found = taken(table(time=hours, n=[1, 2.5, Decimal("3.5"), True, None, 10**400]))
    np.testing.assert_array_equal(found.block.values[:6, 0], [1, 2.5, 3.5, 1, np.nan, np.nan])
    assert found.warnings == ("column n: 1 values were NaN or infinite and count as no reading",)


@pytest.mark.parametrize("strange", ["12", b"12", timedelta(1), [1], {"a": 1}, date(2026, 1, 5), 1j])
def test_value_that_is_no_number_is_refused(strange: object) -> None:
    with pytest.raises(BadResult, match="query orders_hourly: column n holds"):
        taken(table(time=["2026-01-05", "2026-01-05 01:00"], n=[1, strange]))


@pytest.mark.parametrize("kind", ["instant", "wall", "day"])
def test_column_of_times_is_no_value(kind: str) -> None:
    times = np.array(["2026-01-05"], dtype="datetime64[us]")
    column = Column("n", kind, times)  # type: ignore[arg-type]  # parametrised text
    with pytest.raises(BadResult, match="column n holds times, not numbers"):
        taken(Table((Column("time", "instant", times), column), 1))


def test_dimension_that_holds_lists_is_refused() -> None:
    with pytest.raises(BadResult, match="query orders_hourly: column tags holds values of type list"):
        taken(table(time=["2026-01-05"], tags=[["a"]], n=[1]))


def test_numbers_that_look_alike_stay_different_series() -> None:
    found = taken(table(time=["2026-01-05"] * 4, kind=[1, 1.0, True, "1.0 "], n=[1, 2, 3, 4]))
    assert cells(found.block) == {
        (DAY.since, (name,)): number for name, number in {"1": 1.0, "1.0": 2.0, "true": 3.0, "1.0 ": 4.0}.items()
    }


def test_two_values_with_one_text_are_one_series_and_so_a_duplicate() -> None:
    with pytest.raises(BadResult, match=r"duplicate rows: 2 for the bucket 2026-01-05T00:00:00.* and kind=1"):
        taken(table(time=["2026-01-05"] * 2, kind=[1, "1"], n=[1, 2]))


def test_keys_are_sorted_by_value_column_then_dimensions() -> None:
    found = taken(table(time=["2026-01-05"] * 2, b=["y", "x"], a=["1", "2"], n=[1, 2], m=[3, 4]), "n", "m")
    assert [(key.value, key.dimensions) for key in found.block.keys] == [
        ("n", (("a", "1"), ("b", "y"))),
        ("n", (("a", "2"), ("b", "x"))),
        ("m", (("a", "1"), ("b", "y"))),
        ("m", (("a", "2"), ("b", "x"))),
    ]
    assert found.block.values[0].tolist() == [1, 2, 3, 4]


def test_column_names_differ_only_in_case() -> None:
    assert taken(table(TIME=["2026-01-05"], N=[5])).block.values[0, 0] == 5


def test_null_in_an_array_is_no_reading_and_nan_is_said() -> None:
    times = np.array(["2026-01-05T00", "2026-01-05T01", "2026-01-05T02"], dtype="datetime64[us]")
    numbers = Column("n", "number", np.array([1.0, np.nan, 9.0]), np.array([False, False, True]))
    found = taken(Table((Column("time", "instant", times), numbers), 3))
    np.testing.assert_array_equal(found.block.values[:3, 0], [1, np.nan, np.nan])
    assert found.warnings == ("column n: 1 values were NaN or infinite and count as no reading",)


def test_time_that_the_database_calls_infinite_is_refused() -> None:
    times = np.array([np.iinfo(np.int64).max], dtype="datetime64[us]")
    with pytest.raises(BadResult, match=r"column time: .* is outside the years 1 to 9999"):
        taken(Table((Column("time", "instant", times), Column("n", "plain", [1])), 1))


def test_query_without_value_columns_still_needs_its_time() -> None:
    assert read(table(time=["2026-01-05"]), HOURLY, DAY, (), "UTC").block.values.shape == (24, 0)


TIMES = st.one_of(
    st.integers(-3, 30).map(lambda hour: DAY.since + timedelta(hours=hour)),
    st.integers(-90, 1500).map(lambda minute: (DAY.since + timedelta(minutes=minute)).replace(tzinfo=None)),
    st.integers(0, 23).map(lambda hour: (DAY.since + timedelta(hours=hour)).astimezone(timezone(timedelta(hours=-7)))),
    st.integers(0, 23).map(lambda hour: (DAY.since + timedelta(hours=hour)).isoformat()),
    st.integers(0, 23).map(lambda hour: int((DAY.since + timedelta(hours=hour)).timestamp())),
)
NO_TIMES = st.sampled_from(
    [None, "noon", True, float("nan"), float("inf"), date(2026, 1, 5), 10**18, LAST, b"", [1], Decimal("sNaN")]
)
LABELS = st.sampled_from(["de", "us", "", 1, 1.0, True, Decimal("2"), date(2026, 1, 1), b"x", "\x00", "\ud800", None])
NO_LABELS = st.sampled_from([["x"], {"a": 1}, object()])
VALUES = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.booleans(),
)
NO_VALUES = st.sampled_from(["", "12", "nan", b"1", [1], 1j, timedelta(1)])
ROWS = st.one_of(
    st.lists(st.tuples(TIMES, LABELS, VALUES), max_size=12),
    st.lists(st.tuples(TIMES | NO_TIMES, LABELS | NO_LABELS, VALUES | NO_VALUES), max_size=12),
)
GOOD_ROWS = st.lists(
    st.tuples(
        st.integers(0, 23).map(lambda hour: DAY.since + timedelta(hours=hour)),
        st.sampled_from(["de", "us", None, ""]),
        st.one_of(st.none(), st.floats(), st.decimals(-100, 100)),
    ),
    max_size=30,
    unique_by=lambda row: (row[0], row[1]),
)


@settings(max_examples=1000, deadline=None)
@given(rows=ROWS)
def test_any_rows_give_a_true_block_or_a_bad_result(rows: list[tuple[object, object, object]]) -> None:
    times, names, values = ([row[column] for row in rows] for column in range(3))
    try:
        found = read(table(time=times, kind=names, n=values), HOURLY, DAY, ["n"], "UTC")
    except BadResult:
        return
    assert not np.isinf(found.block.values).any()
    assert len(found.block.times) == 24
    assert cells(found.block) == _expected(rows)


@settings(max_examples=300, deadline=None)
@given(rows=GOOD_ROWS, data=st.data())
def test_order_of_rows_does_not_matter(rows: list[tuple[datetime, str | None, object]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    one, other = (
        read(
            table(time=[row[0] for row in each], kind=[row[1] for row in each], n=[row[2] for row in each]),
            HOURLY,
            DAY,
            ["n"],
            "UTC",
        )
        for each in (rows, shuffled)
    )
    assert cells(one.block) == _expected([(at, name, value) for at, name, value in rows])
    assert one.block.keys == other.block.keys
    np.testing.assert_array_equal(one.block.values, other.block.values)
    assert one.warnings == other.warnings


def _expected(rows: list[tuple[object, object, object]]) -> dict[tuple[datetime, tuple[str, ...]], float]:
    """What the rows say, in plain Python, one at a time."""
    found: dict[tuple[datetime, tuple[str, ...]], list[float]] = defaultdict(list)
    for time, name, value in rows:
        bucket = _plain_instant(time).replace(minute=0, second=0, microsecond=0)
        number = math.nan if value is None else _plain_number(value)
        if DAY.since <= bucket < DAY.until:
            found[bucket, ("(null)" if name is None else label(name),)].append(number)
    assert all(len(numbers) == 1 for numbers in found.values())
    return {key: numbers[0] for key, numbers in found.items() if math.isfinite(numbers[0])}


def _plain_instant(time: object) -> datetime:
    if isinstance(time, int | float):
        return datetime.fromtimestamp(time, UTC)
    if isinstance(time, str):
        return datetime.fromisoformat(time)
    if not isinstance(time, datetime):
        assert isinstance(time, date)
        return utc(time.isoformat())
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _plain_number(value: object) -> float:
    assert isinstance(value, int | float | Decimal)
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.nan
