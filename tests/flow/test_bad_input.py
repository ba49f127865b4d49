"""Whatever a warehouse answers: a message that names the query, one ailment after three failures, no false alarm."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import make_url

from tests.canaries import referring
from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.world import COLUMNS, HOUR, NOON, World
from tests.servers import Server
from tests.warehouse.rigs import DuckRig, PostgresRig

TEN = timedelta(minutes=10)
SQL = "SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end"


@dataclass(frozen=True)
class Bad:
    """What the query becomes, and the words that the error must hold beside the query's name."""

    name: str
    sql: str
    words: str


REFUSED = (
    Bad("a mistake in the SQL", SQL.replace("FROM orders", "FROM ordres"), "ordres"),
    Bad("no time column", SQL.replace("SELECT time,", "SELECT time AS moment,"), "no column time"),
    Bad("no value column", SQL.replace("orders FROM", "orders AS total FROM"), "no column orders"),
    Bad("text for a number", SQL.replace("orders FROM", "'many' AS orders FROM"), "many"),
    Bad("text for a time", SQL.replace("SELECT time,", "SELECT 'soon' AS time,"), "soon"),
    Bad("duplicate times", f"{SQL} UNION ALL {SQL}", "duplicate rows"),
)


def has_no_false_alarm(world: World) -> bool:
    return world.incidents() == [] and world.kinds("team") == world.kinds("pager") == []


def fails_and_recovers(world: World, words: str, mend: Callable[[], object]) -> None:
    """Three failures are one ailment, a fourth is no news, and the first good pull ends it."""
    moments = [NOON + HOUR + number * TEN for number in range(1, 5)]
    for number, moment in enumerate(moments, 1):
        (found,) = world.at(moment)
        assert found.error.startswith("query orders_hourly: ")
        assert words in found.error
        assert found.state.failures == number
        assert len(world.kinds("ops")) == (number >= 3)
    (ailment,) = world.ailments()
    assert ailment.kind == "failing"
    assert words in world.told("ops")[0].incidents[0].reason
    mend()
    world.at(NOON + 2 * HOUR)
    assert world.kinds("ops") == ["trigger", "resolve"]
    assert world.ailments(open_only=True) == []
    assert has_no_false_alarm(world)


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.name)
def test_a_result_that_cannot_be_read_is_an_ailment_of_its_query(bad: Bad, make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR).load()
    world.change(SQL, bad.sql)
    world.reload(NOON + HOUR)

    def mend() -> None:
        world.change(bad.sql, SQL)
        world.reload(NOON + 2 * HOUR)

    fails_and_recovers(world, bad.words, mend)


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"postgresql://nobody@127.0.0.1:{listener.getsockname()[1]}/shop"


def moved_to(world: World, url: str, timeout: str = "5s") -> Callable[[], None]:
    """The source is somewhere else from now on; returns what brings it back."""
    here = f'{{url: "{referring(world.rig.url)}", timeout: 5s}}'
    there = f'{{url: "{referring(url)}", timeout: {timeout}}}'
    world.change(here, there)
    world.reload(NOON + HOUR)

    def back() -> None:
        world.change(there, here)
        world.reload(NOON + 2 * HOUR)

    return back


def test_a_source_that_is_down_is_an_ailment(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR).load()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    fails_and_recovers(world, "refused", moved_to(world, f"postgresql://nobody@127.0.0.1:{port}/shop"))


def test_a_source_that_never_answers_is_an_ailment(make: Made, deaf: str) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR).load()
    fails_and_recovers(world, "shop", moved_to(world, deaf, timeout="1s"))


def test_a_login_that_is_refused_is_an_ailment(make: Made, postgres: Server) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR).load()
    fails_and_recovers(world, "nobody", moved_to(world, postgres.url(user="nobody")))


def test_a_source_without_its_secret_is_an_ailment(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR).load()
    back = moved_to(world, "postgresql://app:${env:FLOW_TEST_UNSET}@db/shop")
    found = world.at(NOON + HOUR)
    assert "FLOW_TEST_UNSET" in found[0].error or "FLOW_TEST_UNSET" in str(world.app.loaded.problems)
    back()
    world.at(NOON + 2 * HOUR)
    assert has_no_false_alarm(world)


def test_ten_thousand_dimension_values_are_an_ailment_that_names_the_column(make: Made) -> None:
    world = quiet(make())
    for number in range(10_000):
        world.shop.orders[NOON, f"country {number}"] = 10.0
    world.shop.load()

    def mend() -> None:
        for number in range(10_000):
            del world.shop.orders[NOON, f"country {number}"]
        world.shop.open_hours(NOON, NOON + 2 * HOUR).load()

    fails_and_recovers(world, "column country has 10000 distinct values", mend)


@pytest.mark.parametrize("value", ["NULL", "'NaN'::float8", "'Infinity'::float8", "'-Infinity'::float8"])
def test_values_that_are_no_numbers_are_no_readings(value: str, make: Made, postgres: Server) -> None:
    world = make(rig=PostgresRig(postgres.database()))
    quiet(world)
    world.shop.open_hours(NOON, NOON + 2 * HOUR).load()
    postgres.run(
        f"UPDATE orders SET orders = {value} WHERE time = '2026-01-20 12:00'",
        database=str(make_url(world.rig.url).database),
    )
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    assert has_no_false_alarm(world)
    assert world.ailments() == []
    stored = world.app.store.verdicts("health", "threshold", "shop.orders", NOON, NOON + 2 * HOUR)
    assert stored.status[:, 0].tolist() == ["unknown", "ok"]


def test_a_row_of_the_future_is_left_out(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + HOUR).open_hours(NOON + 90 * HOUR, NOON + 91 * HOUR, 1).load()
    world.change("AND time < :end", "AND time <= '2099-01-01' AND :end <> ''")
    world.reload(NOON + HOUR)
    (found,) = world.at(NOON + HOUR)
    assert found.state.newest == NOON
    assert found.error == ""
    assert has_no_false_alarm(world)


def test_a_table_without_a_row_is_an_ailment(make: Made) -> None:
    world = make()
    world.shop.load()
    world.adopt(NOON)
    world.hours(NOON, NOON + 3 * HOUR)
    (ailment,) = world.ailments()
    assert ailment.kind == "empty"
    assert ailment.metric == "orders_hourly"
    assert world.kinds("ops") == ["trigger"]
    assert has_no_false_alarm(world)


def test_a_new_dimension_value_starts_without_an_alarm(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 3 * HOUR).open_hours(NOON + 2 * HOUR, NOON + 3 * HOUR, 100, "FR").load()
    world.hours(NOON + HOUR, NOON + 4 * HOUR)
    assert has_no_false_alarm(world)
    stored = world.app.store.verdicts("health", "threshold", "shop.orders", NOON, NOON + 3 * HOUR)
    assert [dict(labels) for labels in stored.labels] == [{"country": "DE"}, {"country": "FR"}]
    assert stored.status[:, 1].tolist() == ["unknown", "unknown", "ok"]


def test_a_dimension_value_that_vanishes_keeps_what_was_open_and_opens_nothing(make: Made) -> None:
    world = make()
    world.shop.open_hours(NOON - timedelta(days=6), NOON, 100, "FR")
    quiet(world)
    world.shop.open_hours(NOON, NOON + 6 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 7 * HOUR)
    assert has_no_false_alarm(world)
    assert world.ailments() == []


def test_a_metric_that_cannot_be_made_stops_no_other(make: Made) -> None:
    world = make()
    world.change(
        "subscriptions:", "  shop.cities: {query: orders_hourly, value: orders, dimensions: [city]}\nsubscriptions:"
    )
    world.change("metrics: [shop.orders]", "metrics: [shop.orders, shop.cities]")
    quiet(world)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    found = world.evaluate(NOON + HOUR) + world.evaluate(NOON + 2 * HOUR)
    assert "metric shop.cities" in found[1].error
    assert "query orders_hourly brings no dimension 'city'" in found[1].error
    assert [one.metric for one in world.incidents()] == ["shop.orders"]
    assert [one.kind for one in world.ailments()] == ["failing"]


def test_a_column_that_is_new_is_an_ailment_until_it_is_gone(make: Made) -> None:
    world = make()
    world.change("SELECT time, country, orders FROM orders", "SELECT * FROM orders")
    quiet(world)
    world.shop.open_hours(NOON, NOON + 3 * HOUR)
    rows = [(hour.replace(tzinfo=None), where, value, "red") for (hour, where), value in world.shop.orders.items()]
    world.rig.create("orders", {**COLUMNS, "colour": "text"}, rows)
    world.at(NOON + HOUR)
    assert [(one.kind, one.last.reason) for one in world.ailments()] == [("schema", "columns changed: new: colour")]
    world.shop.load()
    world.at(NOON + 2 * HOUR)
    assert world.kinds("ops") == ["trigger", "resolve"]
    assert has_no_false_alarm(world)


def test_a_duckdb_that_is_not_there_is_an_ailment_and_is_not_made(make: Made) -> None:
    world = quiet(make())
    path = world.folder / "absent.duckdb"
    moved_to(world, DuckRig(path).url)
    (found,) = world.at(NOON + HOUR)
    assert "query orders_hourly" in found.error
    assert "absent.duckdb" in found.error
    assert not path.exists()
