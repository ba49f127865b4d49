from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from alerting.core.blocks import Block, ColumnKey
from alerting.store import Cost, Store, open_store
from alerting.store.tables import point_chunks, points
from detectors.contract import Floats
from tests.store.builders import HOUR, NOON, block, key, query_state

NAN = float("nan")
DE, FR, US = key("DE"), key("FR"), key("US")
EVER = (NOON - 10_000 * HOUR, NOON + 10_000 * HOUR)
NEXT_YEAR = NOON + timedelta(days=365)


def values_of(store: Store, as_of: datetime | None = None, digest: str = "d1") -> Floats:
    return store.points.read(digest, *EVER, as_of=as_of).values


def rows_of(store: Store, table: str) -> int:
    counted = points if table == "points" else point_chunks
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(counted)).scalar_one()


def test_what_was_written_is_read_back(store: Store) -> None:
    written = store.points.write("d1", block([[1, NAN], [2, 3]], [DE, FR]), NOON)
    found = store.points.read("d1", *EVER)
    assert found.keys == (DE, FR)
    np.testing.assert_array_equal(found.values, [[1, NAN], [2, 3]])
    np.testing.assert_array_equal(found.times, written.new)
    assert len(written.restated) == 0


def test_reading_keeps_to_the_half_open_range(store: Store) -> None:
    store.points.write("d1", block([[1], [2], [3]], [DE]), NOON)
    found = store.points.read("d1", NOON + HOUR, NOON + 2 * HOUR)
    np.testing.assert_array_equal(found.values, [[2]])


def test_a_query_that_was_never_pulled_is_empty_not_an_error(store: Store) -> None:
    found = store.points.read("never", *EVER)
    assert (found.values.shape, found.keys, store.points.first_and_last("never")) == ((0, 0), (), None)


def test_the_same_readings_again_write_nothing(store: Store) -> None:
    store.points.write("d1", block([[1, NAN]], [DE, FR]), NOON)
    written = store.points.write("d1", block([[NAN, 1]], [FR, DE]), NOON + HOUR)
    assert (len(written.new), len(written.restated), rows_of(store, "points")) == (0, 0, 1)


def test_a_restated_bucket_keeps_what_was_known_before(store: Store) -> None:
    store.points.write("d1", block([[612], [700]], [DE]), NOON)
    written = store.points.write("d1", block([[1020], [700]], [DE]), NOON + 4 * HOUR)
    assert written.restated.tolist() == [NOON.replace(tzinfo=None)]
    np.testing.assert_array_equal(values_of(store), [[1020], [700]])
    np.testing.assert_array_equal(values_of(store, NOON + 3 * HOUR), [[612], [700]])
    np.testing.assert_array_equal(values_of(store, NOON + 4 * HOUR), [[1020], [700]])
    assert len(values_of(store, NOON - HOUR)) == 0


def test_each_version_of_a_bucket_tells_when_it_was_seen_also_once_sealed(store: Store) -> None:
    store.points.write("d1", block([[612], [700]], [DE]), NOON)
    store.points.write("d1", block([[1020], [700]], [DE]), NOON + 4 * HOUR)
    seen = (NOON, NOON + 4 * HOUR)
    assert (store.points.seen("d1", NOON), store.points.seen("d1", NOON + HOUR)) == (seen, seen[:1])
    store.points.seal(NEXT_YEAR)
    assert rows_of(store, "points") == 0
    store.points.write("d1", block([[1030]], [DE]), NEXT_YEAR)
    assert store.points.seen("d1", NOON) == (*seen, NEXT_YEAR)
    assert store.points.seen("d1", NOON - HOUR) == ()


def test_a_series_that_comes_later_is_nan_before(store: Store) -> None:
    store.points.write("d1", block([[1]], [DE]), NOON)
    store.points.write("d1", block([[2, 5]], [FR, DE], NOON + HOUR), NOON + HOUR)
    found = store.points.read("d1", *EVER)
    assert found.keys == (DE, FR)
    np.testing.assert_array_equal(found.values, [[1, NAN], [5, 2]])


def test_a_series_that_a_new_pull_does_not_bring_has_no_reading_there(store: Store) -> None:
    store.points.write("d1", block([[1, 2]], [DE, FR]), NOON)
    written = store.points.write("d1", block([[1]], [DE]), NOON + HOUR)
    assert len(written.restated) == 1
    np.testing.assert_array_equal(values_of(store), [[1, NAN]])


def test_the_last_write_is_current_even_when_the_clock_went_back(store: Store) -> None:
    store.points.write("d1", block([[1]], [DE]), NOON)
    store.points.write("d1", block([[2]], [DE]), NOON - HOUR)
    store.points.write("d1", block([[3]], [DE]), NOON - HOUR)
    np.testing.assert_array_equal(values_of(store), [[3]])


def test_a_bucket_without_any_row_counts_as_pulled(store: Store) -> None:
    store.points.write("d1", block([[], []], []), NOON)
    assert store.points.first_and_last("d1") == (NOON, NOON + HOUR)
    assert len(store.points.read("d1", *EVER).times) == 2
    assert store.points.seal(NEXT_YEAR) == 1
    assert len(store.points.read("d1", *EVER).times) == 2


def test_only_the_series_asked_for_are_read_in_the_order_asked(store: Store) -> None:
    store.points.write("d1", block([[1, 2, 3]], [DE, FR, US]), NOON)
    store.points.write("d1", block([[4, 5, 6]], [DE, FR, US], NOON + HOUR), NOON)
    wanted = (US, key("XX"), DE)
    before = store.points.read("d1", *EVER, keys=wanted)
    store.points.seal(NEXT_YEAR)
    after = store.points.read("d1", *EVER, keys=wanted)
    assert before.keys == after.keys == wanted
    np.testing.assert_array_equal(before.values, [[3, NAN, 1], [6, NAN, 4]])
    np.testing.assert_array_equal(after.values, before.values)


def test_names_keep_what_databases_dislike_apart(store: Store) -> None:
    odd = [ColumnKey("orders", (("country", name),)) for name in ("a\x00b", "\ud800", "Ω 🎉", "'; DROP TABLE points")]
    store.points.write("d1", block([[1, 2, 3, 4]], odd), NOON)
    store.points.write("d1", block([[5, 6, 7, 8]], odd, NOON + HOUR), NOON)
    assert store.points.keys("d1") == tuple(odd)
    np.testing.assert_array_equal(values_of(store), [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_infinity_and_negative_zero_survive(store: Store) -> None:
    store.points.write("d1", block([[float("inf"), -0.0]], [DE, FR]), NOON)
    found = values_of(store)
    assert found[0, 0] == np.inf
    assert np.signbit(found[0, 1])


def test_sealed_weeks_leave_no_loose_rows(store: Store) -> None:
    store.points.write("d1", block([[hour] for hour in range(24 * 21)], [DE]), NOON)
    assert store.points.seal(NOON + timedelta(days=35)) == 3
    assert rows_of(store, "points") < 24 * 7
    assert store.points.first_and_last("d1") == (NOON, NOON + (24 * 21 - 1) * HOUR)
    np.testing.assert_array_equal(values_of(store)[:, 0], np.arange(24 * 21))


def test_recent_weeks_stay_loose(store: Store) -> None:
    store.points.write("d1", block([[1]], [DE]), NOON)
    assert store.points.seal(NOON + timedelta(days=10)) == 0


def test_wide_queries_are_sealed_in_parts_and_read_as_a_whole(store: Store) -> None:
    keys = [key(f"{number:04}") for number in range(1200)]
    values = np.random.default_rng(1).normal(size=(5, 1200))
    store.points.write("d1", block(values, keys), NOON)
    store.points.seal(NEXT_YEAR)
    assert rows_of(store, "chunks") == 3
    np.testing.assert_array_equal(values_of(store), values)
    one = store.points.read("d1", *EVER, keys=(keys[1100],))
    np.testing.assert_array_equal(one.values[:, 0], values[:, 1100])


@pytest.mark.parametrize("seed", range(4))
def test_sealed_and_loose_points_read_alike_at_every_time(store: Store, seed: int) -> None:
    """The same random pulls twice: one digest is sealed in between, the other never."""
    chance = np.random.default_rng(seed)
    keys = [key(name) for name in "ABCDE"]
    for step in range(12):
        seen = NOON + timedelta(days=step * 5)
        start = NOON + timedelta(hours=int(chance.integers(0, 24 * 40)))
        width = int(chance.integers(1, len(keys) + 1))
        pulled = block(chance.choice([0.0, 1.0, NAN], size=(int(chance.integers(1, 200)), width)), keys[:width], start)
        for digest in ("sealed", "loose"):
            store.points.write(digest, pulled, seen)
        if step % 3 == 2:
            seal_only(store, "sealed", seen)
    for as_of in (None, *(NOON + timedelta(days=day) for day in range(0, 60, 7))):
        sealed, loose = (store.points.read(digest, *EVER, as_of=as_of) for digest in ("sealed", "loose"))
        np.testing.assert_array_equal(sealed.times, loose.times)
        np.testing.assert_array_equal(sealed.values, loose.values)
    assert rows_of(store, "chunks") > 0


def seal_only(store: Store, digest: str, now: datetime) -> None:
    from alerting.store import sealing
    from alerting.store.encoding import micros

    with store.engine.begin() as connection:
        for found, week in sealing.ripe(connection, micros(now)):
            if found == digest:
                sealing.seal(connection, digest, week)


def test_a_restatement_after_sealing_is_read_and_sealed_again(store: Store) -> None:
    store.points.write("d1", block([[1], [2]], [DE]), NOON)
    store.points.seal(NEXT_YEAR)
    written = store.points.write("d1", block([[1, 9], [5, 9]], [DE, FR]), NEXT_YEAR)
    assert len(written.restated) == 2
    for _ in range(2):
        np.testing.assert_array_equal(values_of(store), [[1, 9], [5, 9]])
        np.testing.assert_array_equal(values_of(store, NOON + HOUR), [[1, NAN], [2, NAN]])
        assert store.points.seal(NEXT_YEAR) in (0, 1)
    assert rows_of(store, "points") == 0


def test_a_dropped_query_is_gone_and_may_come_back(store: Store) -> None:
    store.points.write("d1", block([[1, 2]], [DE, FR]), NOON)
    store.points.write("d2", block([[7]], [DE]), NOON)
    store.points.seal(NEXT_YEAR)
    store.points.drop("d1")
    assert store.points.digests() == frozenset({"d2"})
    assert store.points.keys("d1") == ()
    store.points.write("d1", block([[3]], [US]), NOON)
    np.testing.assert_array_equal(values_of(store), [[3]])
    np.testing.assert_array_equal(values_of(store, digest="d2"), [[7]])


def test_two_processes_number_the_series_alike(store: Store, url: str) -> None:
    other = open_store(url)
    store.points.write("d1", block([[1]], [DE]), NOON)
    other.points.write("d1", block([[2, 3]], [FR, DE], NOON + HOUR), NOON)
    store.points.write("d1", block([[4, 5]], [US, FR], NOON + 2 * HOUR), NOON)
    expected = [[1, NAN, NAN], [3, 2, NAN], [NAN, 5, 4]]
    for one in (store, other):
        found: Block = one.points.read("d1", *EVER)
        assert found.keys == (DE, FR, US)
        np.testing.assert_array_equal(found.values, expected)
    other.close()


def test_a_pull_writes_points_and_query_state_together(store: Store) -> None:
    written = store.write_pull("d1", block([[1]], [DE]), NOON, query_state(), Cost(1, 1, 0.1))
    assert len(written.new) == 1
    assert store.query_states() == {"orders_hourly": query_state()}


def everywhere(store: Store) -> tuple[ColumnKey, ...]:
    """Series in two parts: sealed weeks, a bucket of them restated, loose weeks, and a series that came late."""
    keys = tuple(key(f"{number:04}") for number in range(600))
    values = np.arange(24 * 7 * 5 * 600, dtype=float).reshape(-1, 600)
    values[5, :] = NAN
    store.points.write("d1", block(values, keys), NOON)
    store.points.seal(NOON + 24 * 7 * 5 * HOUR)
    assert rows_of(store, "point_chunks") > 0
    store.points.write("d1", block(values[:1] + 0.5, keys), NOON + HOUR)
    late = key("late")
    store.points.write("d1", block([[7.0]], [late], NOON + 24 * 7 * 5 * HOUR), NOON + HOUR)
    return (*keys, late)


def test_one_series_is_read_like_all_of_them(store: Store) -> None:
    keys = everywhere(store)
    whole = store.points.read("d1", *EVER)
    for place in (0, 3, 511, 512, 599, 600):
        alone = store.points.read("d1", *EVER, keys=[keys[place]])
        np.testing.assert_array_equal(alone.times, whole.times)
        np.testing.assert_array_equal(alone.values[:, 0], whole.values[:, place])


def test_rolling_up_week_by_week_is_rolling_up(store: Store) -> None:
    keys = everywhere(store)[:3]
    begin, end = NOON + HOUR, NOON + 24 * 30 * HOUR
    for some in (keys, keys[:1], ()):
        times, values = store.points.read_rolled_up("d1", begin, end, some, lambda block: block.sum(axis=1))
        found = store.points.read("d1", begin, end, keys=some)
        np.testing.assert_array_equal(times, found.times)
        np.testing.assert_array_equal(values, found.values.sum(axis=1))


def test_one_series_has_no_reading_in_buckets_from_before_any_series(store: Store) -> None:
    store.points.write("d1", block(np.empty((2, 0)), []), NOON)
    store.points.write("d1", block([[7.0]], [key("late")], NOON + 2 * HOUR), NOON + HOUR)
    alone = store.points.read("d1", *EVER, keys=[key("late")])
    np.testing.assert_array_equal(alone.values[:, 0], [np.nan, np.nan, 7.0])
