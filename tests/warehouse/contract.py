"""What every dialect must show. A dialect joins by subclassing with a fixture ``rig`` (see rigs.py).

@pytest.fixture(scope="module")
def rig() -> Rig: ...

class TestTrino(DialectContract):
    pass
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.core.health import QueryState
from alerting.warehouse import (
    BadResult,
    QueryFailed,
    RowCapReached,
    TimedOut,
    Warehouse,
    Window,
    plan,
    settle,
    settled,
)
from config.model import Query, Restate, Source
from config.secrets import Secret
from detectors.buckets import Bucket, as_datetime
from tests.warehouse.conftest import Opener
from tests.warehouse.rigs import Rig

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(since: str, until: str) -> Window:
    return Window(utc(since), utc(until), "new")


def query(sql: str, *, bucket: str = "1h", zone: str = "UTC", **fields: object) -> Query:
    return Query("orders_hourly", "shop", sql, Bucket.parse(bucket), zone, **fields)  # type: ignore[arg-type]  # keywords of a test


def fresh(asked: Query) -> QueryState:
    return QueryState(asked.name, asked.digest, added=MONDAY)


class DialectContract:
    @pytest.fixture
    def source(self, rig: Rig) -> Source:
        return Source("shop", Secret(rig.url), concurrency=2, timeout=timedelta(seconds=30))

    @pytest.fixture
    def warehouse(self, source: Source, opened: Opener) -> Warehouse:
        return opened(source)

    # Reading rows

    def test_values_land_in_their_bucket_and_series(self, rig: Rig, warehouse: Warehouse) -> None:
        rows = [(MONDAY, "de", 1.0), (MONDAY, "us", 2.0), (MONDAY + HOUR, "us", 4.0)]
        rig.create("sales", {"made": "instant", "country": "text", "amount": "float"}, rows)
        asked = query("SELECT made AS time, country, amount FROM sales WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T03:00"), ["amount"])
        assert [key.dimensions for key in pulled.block.keys] == [(("country", "de"),), (("country", "us"),)]
        np.testing.assert_array_equal(pulled.block.values, [[1, 2], [np.nan, 4], [np.nan, np.nan]])
        assert [as_datetime(start) for start in pulled.block.times] == [MONDAY + n * HOUR for n in range(3)]
        assert (pulled.columns, pulled.rows, pulled.warnings) == (("time", "country", "amount"), 3, ())

    def test_window_includes_its_start_and_excludes_its_end(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("edges", {"made": "instant", "n": "whole"}, [(MONDAY + n * HOUR, n) for n in range(4)])
        asked = query("SELECT made AS time, n FROM edges WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2026-01-05T01:00", "2026-01-05T03:00"), ["n"])
        np.testing.assert_array_equal(pulled.block.values, [[1], [2]])
        assert pulled.warnings == ()

    def test_grouping_in_the_warehouse_reaches_us(self, rig: Rig, warehouse: Warehouse) -> None:
        rows = [(MONDAY + timedelta(minutes=10 * n), Decimal("1.25")) for n in range(12)]
        rig.create("lines", {"made": "instant", "amount": "exact"}, rows)
        asked = query(
            f"SELECT {rig.hour('made')} AS time, sum(amount) AS revenue, count(*) AS n FROM lines "
            "WHERE made >= :start AND made < :end GROUP BY 1"
        )
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T02:00"), ["revenue", "n"])
        np.testing.assert_array_equal(pulled.block.values, [[7.5, 6], [7.5, 6]])

    def test_null_is_no_reading_and_a_null_dimension_has_a_name(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create(
            "holes", {"made": "instant", "country": "text", "n": "float"}, [(MONDAY, None, 1.0), (MONDAY, "", None)]
        )
        asked = query("SELECT made AS time, country, n FROM holes WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        assert [key.dimensions[0][1] for key in pulled.block.keys] == ["", "(null)"]
        np.testing.assert_array_equal(pulled.block.values, [[np.nan, 1]])
        assert pulled.warnings == ()

    def test_nan_and_infinity_are_no_reading_and_are_said(self, rig: Rig, warehouse: Warehouse) -> None:
        rows = [(MONDAY, float("inf")), (MONDAY + HOUR, float("-inf")), (MONDAY + 2 * HOUR, 3.0)]
        rig.create("odd", {"made": "instant", "n": "float"}, rows)
        asked = query("SELECT made AS time, n FROM odd WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T03:00"), ["n"])
        np.testing.assert_array_equal(pulled.block.values, [[np.nan], [np.nan], [3]])
        assert pulled.warnings == ("column n: 2 values were NaN or infinite and count as no reading",)

    def test_empty_result_is_a_pulled_window_without_series(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("empty", {"made": "instant", "country": "text", "n": "float"}, [])
        asked = query("SELECT made AS time, country, n FROM empty WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T02:00"), ["n"])
        assert (len(pulled.block.times), pulled.block.keys, pulled.rows) == (2, (), 0)
        assert pulled.columns == ("time", "country", "n")

    def test_new_and_vanished_dimension_values_only_change_the_keys(self, rig: Rig, warehouse: Warehouse) -> None:
        rows = [(MONDAY, "old", 1), (MONDAY + HOUR, "new", 2)]
        rig.create("moving", {"made": "instant", "sku": "text", "n": "whole"}, rows)
        asked = query("SELECT made AS time, sku, n FROM moving WHERE made >= :start AND made < :end")
        first = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        second = warehouse.pull(asked, window("2026-01-05T01:00", "2026-01-05T02:00"), ["n"])
        assert [key.dimensions for key in first.block.keys] == [(("sku", "old"),)]
        assert [key.dimensions for key in second.block.keys] == [(("sku", "new"),)]

    # SQL text

    def test_literals_casts_and_percent_signs_pass_unchanged(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("texts", {"made": "instant", "note": "text", "n": "whole"}, [(MONDAY, "100 % at :start", 1)])
        asked = query(
            "SELECT made AS time, note, ':end' AS literal, -- :start in a comment, 5 %s\n"
            "  'it''s :start' AS quoted, CAST(n AS int) AS n /* :end %(x)s */\n"
            "FROM texts WHERE note LIKE '100 % at :%' AND made >= :start AND made < :end AND made >= :start"
        )
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        expected = (("literal", ":end"), ("note", "100 % at :start"), ("quoted", "it's :start"))
        assert pulled.block.keys[0].dimensions == expected
        np.testing.assert_array_equal(pulled.block.values, [[1]])

    def test_query_without_binds_is_filtered_by_nothing_and_says_so(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("whole_table", {"made": "instant", "n": "whole"}, [(MONDAY + n * HOUR, n) for n in range(5)])
        pulled = warehouse.pull(
            query("SELECT made AS time, n FROM whole_table;"), window("2026-01-05T01:00", "2026-01-05T03:00"), ["n"]
        )
        np.testing.assert_array_equal(pulled.block.values, [[1], [2]])
        after, before = pulled.warnings
        assert after.startswith("2 rows lie after the window and were left out (as far as 2026-01-05T04:00:00+00:00)")
        assert before.startswith("1 rows lie before the window")

    def test_two_statements_are_refused_and_change_nothing(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("target", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
        asked = query("SELECT made AS time, n FROM target; DELETE FROM target; COMMIT")
        with pytest.raises(QueryFailed, match="query orders_hourly: "):
            warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        assert rig.count("target") == 1

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO target SELECT * FROM target",
            "DELETE FROM target RETURNING made AS time, n",
            "DROP TABLE target",
        ],
    )
    def test_writing_is_refused(self, rig: Rig, warehouse: Warehouse, sql: str) -> None:
        rig.create("target", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
        with pytest.raises(QueryFailed, match="query orders_hourly: "):
            warehouse.pull(query(sql), window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        assert rig.count("target") == 1

    def test_sql_error_carries_the_words_of_the_database(self, warehouse: Warehouse) -> None:
        with pytest.raises(QueryFailed, match=r"query orders_hourly: .*no_such_table") as raised:
            warehouse.pull(
                query("SELECT made AS time FROM no_such_table"), window("2026-01-05T00:00", "2026-01-05T01:00"), []
            )
        assert not raised.value.is_transient
        assert "\n" not in str(raised.value)

    # Bad results

    @pytest.mark.parametrize(
        ("select", "message"),
        [
            ("made, n", "has no column time"),
            ("made AS time, n AS m", "has no column n"),
            ("made AS time, 'many' AS n", "column n holds 'many', which is text, not a number"),
            ("'noon' AS time, n", "'noon' is not an ISO 8601 time"),
            ("NULL AS time, n", "time is NULL in 1 rows"),
        ],
    )
    def test_result_that_cannot_be_read_says_why(
        self, rig: Rig, warehouse: Warehouse, select: str, message: str
    ) -> None:
        rig.create("bad", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
        with pytest.raises(BadResult, match=f"query orders_hourly: .*{message}"):
            warehouse.pull(query(f"SELECT {select} FROM bad"), window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])

    def test_two_columns_of_one_name_are_refused(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("twins", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
        asked = query("SELECT made AS time, n, 2 AS N FROM twins")
        with pytest.raises(BadResult, match="query orders_hourly: the result has two columns named n"):
            warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])

    def test_duplicate_rows_name_the_first_bucket_and_the_series(self, rig: Rig, warehouse: Warehouse) -> None:
        rows = [(MONDAY + HOUR, "de", 1), (MONDAY + HOUR, "us", 1), (MONDAY + HOUR * 1.5, "us", 2)]
        rig.create("twice", {"made": "instant", "country": "text", "n": "whole"}, rows)
        asked = query("SELECT made AS time, country, n FROM twice")
        with pytest.raises(
            BadResult, match=r"duplicate rows: 2 for the bucket 2026-01-05T01:00:00\+00:00 and country=us"
        ):
            warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T02:00"), ["n"])

    def test_future_timestamps_are_left_out_and_said(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("ahead", {"made": "instant", "n": "whole"}, [(MONDAY, 1), (utc("2031-01-01T00:00"), 2)])
        asked = query("SELECT made AS time, n FROM ahead WHERE made >= :start")
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        np.testing.assert_array_equal(pulled.block.values, [[1]])
        assert "1 rows lie after the window and were left out (as far as 2031-01-01" in pulled.warnings[0]

    def test_ten_thousand_dimension_values_name_their_column(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create(
            "explosion",
            {"made": "instant", "country": "text", "sku": "text", "n": "whole"},
            [(MONDAY, "de" if n % 2 else "us", f"sku-{n}", n) for n in range(10_000)],
        )
        asked = query("SELECT made AS time, country, sku, n FROM explosion")
        with pytest.raises(BadResult, match="10000 series, more than max_series 1000; column sku has 10000 distinct"):
            warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        allowed = query("SELECT made AS time, country, sku, n FROM explosion", max_series=10_000)
        pulled = warehouse.pull(allowed, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        assert pulled.block.values.shape == (1, 10_000)
        assert sorted(pulled.block.values[0]) == list(range(10_000))

    # Row cap

    def test_row_cap_halves_the_window_until_it_fits(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("many", {"made": "instant", "n": "whole"}, [(MONDAY + n * HOUR, n) for n in range(24)])
        asked = query("SELECT made AS time, n FROM many WHERE made >= :start AND made < :end", row_cap=7)
        whole = window("2026-01-05T00:00", "2026-01-06T00:00")
        with pytest.raises(
            RowCapReached, match="more than row_cap 7 rows for 2026-01-05 00:00 to 2026-01-06 00:00 UTC"
        ):
            warehouse.pull(asked, whole, ["n"])
        pulls = list(warehouse.pull_all(asked, [whole], ["n"]))
        assert [piece.since for piece, _ in pulls] == [MONDAY + n * 6 * HOUR for n in range(4)]
        np.testing.assert_array_equal(np.concatenate([p.block.values[:, 0] for _, p in pulls]), range(24))
        with pytest.raises(RowCapReached):
            list(warehouse.pull_all(query(asked.sql, row_cap=0), [whole], ["n"]))

    # Deadlines

    def test_deadline_cancels_the_query_and_the_warehouse_stays_usable(
        self, rig: Rig, source: Source, opened: Opener
    ) -> None:
        hasty = Source("shop", source.url, concurrency=1, timeout=timedelta(seconds=1))
        warehouse = opened(hasty)
        began = time.monotonic()
        with pytest.raises(TimedOut, match="query orders_hourly: ") as raised:
            warehouse.pull(query(rig.slow), window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        assert raised.value.is_transient
        assert time.monotonic() - began < 30
        self._works(rig, warehouse)

    def test_stopping_cancels_a_running_query(self, rig: Rig, source: Source, opened: Opener) -> None:
        warehouse = opened(source)
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(TimedOut, match="cancelled because the program stops"):
            warehouse.pull(query(rig.slow), window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"], cancel=stop)
        self._works(rig, warehouse)

    def _works(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("after", {"made": "instant", "n": "whole"}, [(MONDAY, 5)])
        asked = query("SELECT made AS time, n FROM after WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2026-01-05T00:00", "2026-01-05T01:00"), ["n"])
        assert pulled.block.values.tolist() == [[5]]

    # Clocks

    def test_naive_times_are_local_to_the_source_over_both_clock_changes(
        self, rig: Rig, source: Source, opened: Opener
    ) -> None:
        """A column without a zone holds New York's clock: 01:00 comes twice in autumn and 02:00 never in spring."""
        naive = Source("shop", source.url, naive_time="America/New_York")
        for name, since in (("autumn", "2025-11-02T03:00"), ("spring", "2026-03-08T03:00")):
            instants = [utc(since) + n * HOUR for n in range(8)]
            walls = [at.astimezone(NEW_YORK).replace(tzinfo=None) for at in instants]
            doubled = [n for n, wall in enumerate(walls) if wall in walls[n + 1 :]]
            rows = [(wall, n) for n, wall in enumerate(walls) if n not in doubled]
            rig.create(name, {"made": "wall", "n": "whole"}, rows)
            warehouse = opened(naive)
            asked = query(f"SELECT made AS time, n FROM {name} WHERE made >= :start AND made < :end")
            expected = [np.nan if n in doubled else n for n in range(8)]
            whole = Window(instants[0], instants[-1] + HOUR, "new")
            assert warehouse.pull(asked, whole, ["n"]).warnings == ()
            np.testing.assert_array_equal(warehouse.pull(asked, whole, ["n"]).block.values[:, 0], expected)
            # Hour by hour it must be the same: no row may fall between two windows.
            for n, at in enumerate(instants):
                found = warehouse.pull(asked, Window(at, at + HOUR, "new"), ["n"])
                assert found.block.values.ravel().tolist() == ([] if n in doubled else [n])
                assert found.warnings == ()

    def test_repeated_hour_that_comes_twice_is_no_reading_and_is_said(
        self, rig: Rig, source: Source, opened: Opener
    ) -> None:
        times = [datetime.fromisoformat(f"2025-11-02T{hour}:00") for hour in ("01", "01", "02")]
        rows = list(zip(times, (10, 20, 30), strict=True))
        rig.create("doubled", {"made": "wall", "n": "whole"}, rows)
        warehouse = opened(Source("shop", source.url, naive_time="America/New_York"))
        asked = query("SELECT made AS time, n FROM doubled WHERE made >= :start AND made < :end")
        pulled = warehouse.pull(asked, window("2025-11-02T05:00", "2025-11-02T08:00"), ["n"])
        np.testing.assert_array_equal(pulled.block.values[:, 0], [np.nan, np.nan, 30])
        assert "no reading for 2025-11-02T06:00:00+00:00" in pulled.warnings[0]

    @pytest.mark.parametrize(
        ("bucket", "days", "since", "until"),
        [
            ("1d", ["2025-11-01", "2025-11-02", "2025-11-03"], "2025-11-01T04:00", "2025-11-04T05:00"),
            ("1d", ["2026-03-07", "2026-03-08", "2026-03-09"], "2026-03-07T05:00", "2026-03-10T04:00"),
            ("1w", ["2025-10-27", "2025-11-03"], "2025-10-27T04:00", "2025-11-10T05:00"),
            ("1mo", ["2025-10-01", "2025-11-01", "2025-12-01"], "2025-10-01T04:00", "2026-01-01T05:00"),
        ],
    )
    def test_dates_are_days_of_the_query_zone(
        self, rig: Rig, warehouse: Warehouse, bucket: str, days: Sequence[str], since: str, until: str
    ) -> None:
        rig.create("daily", {"day": "day", "n": "whole"}, [(date.fromisoformat(day), n) for n, day in enumerate(days)])
        asked = query("SELECT day AS time, n FROM daily", bucket=bucket, zone="America/New_York")
        pulled = warehouse.pull(asked, window(since, until), ["n"])
        assert pulled.warnings == ()
        assert [str(as_datetime(at).astimezone(NEW_YORK).date()) for at in pulled.block.times] == list(days)
        np.testing.assert_array_equal(pulled.block.values[:, 0], range(len(days)))

    # The walk of the watermark

    def test_incremental_pull_waits_for_delay_and_for_rows_that_have_not_arrived(
        self, rig: Rig, warehouse: Warehouse
    ) -> None:
        rig.create("live", {"made": "instant", "n": "whole"}, [(MONDAY + n * HOUR, n) for n in range(3)])
        sql = "SELECT made AS time, n FROM live WHERE made >= :start AND made < :end"
        asked = query(sql, delay=timedelta(minutes=20), history=timedelta(days=2))
        state, values = self._tick(warehouse, asked, fresh(asked), utc("2026-01-05T03:10"))
        assert state.watermark == utc("2026-01-05T02:00")  # 02:00 closed ten minutes ago: not due yet
        assert values[-2:] == [0, 1]
        state, values = self._tick(warehouse, asked, state, utc("2026-01-05T05:20"))
        assert state.watermark == utc("2026-01-05T03:00")  # 03:00 and 04:00 are due, and have not arrived
        assert values == [2]
        rig.insert("live", [(MONDAY + 4 * HOUR, 4)])
        state, values = self._tick(warehouse, asked, state, utc("2026-01-05T05:30"))
        assert state.watermark == utc("2026-01-05T05:00")  # 04:00 has come, so 03:00 was a gap
        np.testing.assert_array_equal(values, [np.nan, 4])
        assert (state.newest, state.backfilled) == (utc("2026-01-05T04:00"), utc("2026-01-03T03:00"))

    def test_restated_rows_are_pulled_again(self, rig: Rig, warehouse: Warehouse) -> None:
        rig.create("revised", {"made": "instant", "n": "whole"}, [(MONDAY + n * HOUR, n) for n in range(6)])
        asked = query(
            "SELECT made AS time, n FROM revised WHERE made >= :start AND made < :end",
            history=timedelta(days=1),
            restate=Restate(window=3 * HOUR, every=2 * HOUR),
        )
        state, _ = self._tick(warehouse, asked, fresh(asked), utc("2026-01-05T06:00"))
        rig.create("revised", {"made": "instant", "n": "whole"}, [(MONDAY + n * HOUR, n * 10) for n in range(8)])
        state, values = self._tick(warehouse, asked, state, utc("2026-01-05T07:00"))
        assert values == [60]
        state, values = self._tick(warehouse, asked, state, utc("2026-01-05T08:00"))
        assert values == [70, 50, 60]  # the new bucket, then the older ones of the last three hours

    def _tick(
        self, warehouse: Warehouse, asked: Query, state: QueryState, now: datetime
    ) -> tuple[QueryState, list[float]]:
        """Pulls what is planned; the readings that may be stored, in the order in which they came."""
        values: list[float] = []
        for piece, pulled in warehouse.pull_all(asked, plan(asked, state, now), ["n"]):
            state = settle(asked, state, pulled.block, piece, False, now)
            kept = settled(pulled.block, piece, state)
            values += kept.values[:, 0].tolist() if kept.keys else [np.nan] * len(kept.times)
        return state, values


class KeepsOffsets(DialectContract):
    """For databases that have a type for instants; the others store local or UTC text."""

    def test_aware_times_are_exact_over_the_repeated_hour(self, rig: Rig, source: Source, opened: Opener) -> None:
        warehouse = opened(Source("shop", source.url, naive_time="America/New_York"))
        instants = [utc("2025-11-02T03:00") + n * HOUR for n in range(6)]
        rig.create("exact_times", {"made": "instant", "n": "whole"}, [(at, n) for n, at in enumerate(instants)])
        asked = query("SELECT made AS time, n FROM exact_times WHERE made >= :start AND made < :end")
        for n, at in enumerate(instants):
            assert warehouse.pull(asked, Window(at, at + HOUR, "new"), ["n"]).block.values.tolist() == [[n]]
