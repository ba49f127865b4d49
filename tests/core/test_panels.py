"""From columns to series: selection, roll-up, totals, zeros and the grid."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alerting.core.blocks import Block, ColumnKey
from alerting.core.panels import PanelError, panel
from config.model import Metric, Query, Rollup
from detectors.buckets import Bucket
from detectors.contract import Floats, Panel

NAN = float("nan")
START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def query(bucket: str = "1h", timezone: str = "UTC") -> Query:
    return Query("orders_hourly", "shop", "SELECT 1", Bucket.parse(bucket), timezone)


def block(
    columns: Mapping[tuple[str, ...], list[float]], hours: list[int] | None = None, value: str = "orders"
) -> Block:
    """Columns by (country, city); ``hours`` since START that were pulled."""
    keys = tuple(ColumnKey(value, (("city", city), ("country", country))) for country, city in columns)
    rows = len(next(iter(columns.values()))) if columns else 0
    pulled = np.array(hours if hours is not None else list(range(rows)), dtype="timedelta64[h]")
    times = (np.datetime64("2026-01-05", "us") + pulled).astype("datetime64[us]")
    return Block(times, keys, np.array(list(columns.values()), dtype=float).T.reshape(len(times), len(keys)))


def made(metric: Metric, found: Block, hours: int = 3) -> Panel:
    return panel(metric, query(), found, since=START, until=START + hours * HOUR)


def orders(
    dimensions: tuple[str, ...] = (),
    rollup: Rollup | None = None,
    *,
    total: bool = False,
    zero: bool = False,
    max_series: int = 1000,
) -> Metric:
    return Metric(
        "checkout.orders",
        "orders_hourly",
        "orders",
        dimensions,
        rollup,
        total=total,
        fill="zero" if zero else None,
        max_series=max_series,
    )


CITIES = block(
    {
        ("FR", "Paris"): [1.0, NAN, NAN],
        ("DE", "Berlin"): [10.0, 20.0, NAN],
        ("DE", "Hamburg"): [30.0, NAN, NAN],
    }
)


@pytest.mark.parametrize(
    ("rollup", "germany"),
    [("sum", [40.0, 20.0, NAN]), ("mean", [20.0, 20.0, NAN]), ("min", [10.0, 20.0, NAN]), ("max", [30.0, 20.0, NAN])],
)
def test_other_dimensions_are_rolled_up_over_the_readings_there_are(rollup: Rollup, germany: list[float]) -> None:
    found = made(orders(("country",), rollup), CITIES)
    assert [dict(labels) for labels in found.labels] == [{"country": "DE"}, {"country": "FR"}]
    np.testing.assert_array_equal(found.values[:, 0], germany)
    np.testing.assert_array_equal(found.values[:, 1], [1.0, NAN, NAN])


def test_without_dimensions_everything_becomes_one_series() -> None:
    found = made(orders(rollup="sum"), CITIES)
    assert [dict(labels) for labels in found.labels] == [{}]
    np.testing.assert_array_equal(found.values[:, 0], [41.0, 20.0, NAN])


def test_the_total_comes_first_and_is_a_sum_unless_the_metric_says_else() -> None:
    plain = made(orders(("country", "city"), total=True), CITIES)
    assert [dict(labels) for labels in plain.labels][:2] == [{}, {"country": "DE", "city": "Berlin"}]
    np.testing.assert_array_equal(plain.values[:, 0], [41.0, 20.0, NAN])
    highest = made(orders(("country",), "max", total=True), CITIES)
    np.testing.assert_array_equal(highest.values[:, 0], [30.0, 20.0, NAN])


def test_a_metric_without_dimensions_has_no_second_total() -> None:
    assert len(made(orders(rollup="sum", total=True), CITIES).labels) == 1


def test_columns_that_collide_need_a_rollup() -> None:
    with pytest.raises(PanelError) as caught:
        made(orders(("country",)), CITIES)
    assert str(caught.value) == (
        "metric checkout.orders: query orders_hourly brings 2 columns for checkout.orders{country=DE} (by city): "
        "say how they add up with rollup: sum, mean, min or max, or name them in dimensions"
    )


def test_a_dimension_that_the_query_does_not_bring_is_named() -> None:
    with pytest.raises(PanelError, match=re.escape("brings no dimension 'planet' (it brings: city, country)")):
        made(orders(("planet",), "sum"), CITIES)


def test_too_many_series_name_the_dimension_that_explodes() -> None:
    many = block({("DE" if n % 2 else "FR", f"city {n}"): [1.0] for n in range(20)})
    with pytest.raises(PanelError) as caught:
        made(orders(("country", "city"), max_series=19), many)
    assert "20 series, more than max_series 19; dimension 'city' alone has 20 values" in str(caught.value)
    assert len(made(orders(("country", "city"), max_series=20), many).labels) == 20


def test_buckets_that_were_not_pulled_are_holes_without_zeros() -> None:
    found = made(orders(("country", "city"), zero=True), block({("DE", "Berlin"): [5.0, NAN]}, hours=[0, 3]), hours=5)
    np.testing.assert_array_equal(found.values[:, 0], [5.0, NAN, NAN, 0.0, NAN])


def test_zero_is_filled_only_from_the_first_reading_on() -> None:
    found = made(orders(("country", "city"), zero=True), block({("DE", "Berlin"): [NAN, 4.0, NAN]}))
    np.testing.assert_array_equal(found.values[:, 0], [NAN, 4.0, 0.0])


def test_the_first_reading_may_lie_before_the_window() -> None:
    earlier = block({("DE", "Berlin"): [7.0, NAN, NAN]}, hours=[-24, 0, 1])
    np.testing.assert_array_equal(made(orders(("country", "city"), zero=True), earlier).values[:, 0], [0.0, 0.0, NAN])


def test_without_fill_a_missing_reading_stays_missing() -> None:
    found = made(orders(("country", "city")), block({("DE", "Berlin"): [NAN, 4.0, NAN]}))
    np.testing.assert_array_equal(found.values[:, 0], [NAN, 4.0, NAN])


def test_only_the_metrics_own_value_column_is_taken() -> None:
    mixed = Block(
        np.array(["2026-01-05T00"], dtype="datetime64[us]"),
        (ColumnKey("revenue"), ColumnKey("orders")),
        np.array([[99.0, 1.0]]),
    )
    np.testing.assert_array_equal(made(orders(), mixed, hours=1).values, [[1.0]])


def test_a_query_that_brought_nothing_gives_a_panel_without_series() -> None:
    found = made(orders(total=True, zero=True), block({}))
    assert (found.values.shape, found.labels) == ((3, 0), ())


def test_an_empty_window_gives_a_panel_without_buckets() -> None:
    assert made(orders(rollup="sum"), CITIES, hours=0).values.shape == (0, 1)


def test_the_grid_follows_the_local_calendar() -> None:
    days = Block(
        np.array(["2026-03-28T23:00", "2026-03-29T22:00"], dtype="datetime64[us]"),
        (ColumnKey("orders"),),
        np.array([[1.0], [2.0]]),
    )
    since, until = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
    found = panel(orders(), query("1d", "Europe/Berlin"), days, since=since, until=until)
    assert [str(moment)[:13] for moment in found.times] == ["2026-03-28T23", "2026-03-29T22", "2026-03-30T22"]
    np.testing.assert_array_equal(found.values[:, 0], [1.0, 2.0, NAN])


def test_an_instant_that_starts_no_bucket_is_refused() -> None:
    astray = Block(np.array(["2026-01-05T00:30"], dtype="datetime64[us]"), (ColumnKey("orders"),), np.array([[1.0]]))
    with pytest.raises(PanelError, match="is not the start of a bucket"):
        made(orders(), astray)


READINGS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 12)),
    elements=st.one_of(st.just(NAN), st.integers(-1000, 1000).map(float)),
)


@settings(deadline=None)
@given(READINGS, st.sampled_from(["sum", "mean", "min", "max"]))
def test_the_order_of_columns_changes_nothing_and_rollups_agree_with_plain_python(
    values: Floats, rollup: Rollup
) -> None:
    keys = [
        ColumnKey("orders", (("city", f"{n}"), ("country", "DE" if n % 3 else "FR"))) for n in range(values.shape[1])
    ]
    times = np.datetime64("2026-01-05", "us") + np.arange(len(values)) * np.timedelta64(1, "h")
    metric = orders(("country",), rollup, total=True)
    straight = made(metric, Block(times, tuple(keys), values), hours=len(values))
    backwards = made(metric, Block(times, tuple(keys[::-1]), values[:, ::-1]), hours=len(values))
    assert straight.labels == backwards.labels
    np.testing.assert_allclose(straight.values, backwards.values, rtol=1e-12, equal_nan=True)
    for s, labels in enumerate(straight.labels):
        mine = [n for n, key in enumerate(keys) if not labels or dict(key.dimensions)["country"] == labels["country"]]
        for row, seen in enumerate(straight.values[:, s].tolist()):
            there = [value for value in values[row, mine].tolist() if value == value]
            if not there:
                assert np.isnan(seen)
                continue
            expected = {"sum": sum(there), "mean": sum(there) / len(there), "min": min(there), "max": max(there)}[
                rollup
            ]
            assert seen == pytest.approx(expected, abs=1e-9)
