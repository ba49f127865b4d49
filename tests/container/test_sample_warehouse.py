"""The sample warehouse of compose/ in a real PostgreSQL, read by the role and the query that the container uses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from alerting.warehouse import Window, connect_problems, open_warehouse
from config.loader import load
from config.model import Config
from tests.container.dockerfile import ROOT
from tests.container.sample_server import load as load_sample
from tests.servers import INSTALL, Server, missing, postgres_server


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    """A server of its own: roles belong to a whole server, and others make theirs."""
    try:
        with postgres_server() as server:
            server.run("CREATE DATABASE shop")
            load_sample(server, "shop")
            yield server
    except ImportError:
        missing("PostgreSQL", INSTALL)


@pytest.fixture
def trial(shop: Server) -> Iterator[psycopg.Connection]:
    """A superuser's transaction that leaves nothing behind."""
    with psycopg.connect(dbname="shop", user="postgres", host=str(shop.socket)) as connection:
        yield connection
        connection.rollback()


def number(connection: psycopg.Connection, statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def sample(server: Server, user: str = "shop_reader") -> Config:
    return load(ROOT / "compose" / "metrics", environment={"SHOP_URL": server.url("shop", user)}).config


def asked(server: Server, statement: str, user: str = "postgres") -> object:
    with psycopg.connect(dbname="shop", user=user, host=str(server.socket), autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def test_three_weeks_of_orders_end_now(shop: Server) -> None:
    assert asked(shop, "SELECT count(*) > 100000 FROM orders") is True
    assert asked(shop, "SELECT min(created_at) < now() - interval '20 days' FROM orders") is True
    assert asked(shop, "SELECT max(created_at) BETWEEN now() - interval '10 minutes' AND now() FROM orders") is True


def test_check_connect_has_nothing_to_say_of_the_reader(shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", shop.url("shop", "shop_reader"))
    assert list(connect_problems(sample(shop), datetime.now(UTC))) == []


def test_the_query_of_the_sample_brings_every_country_of_every_bucket(
    shop: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", shop.url("shop", "shop_reader"))
    config = sample(shop)
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    warehouse = open_warehouse(config.sources["shop"])
    try:
        pulled = warehouse.pull(
            config.queries["orders_5m"], Window(until - timedelta(days=1), until, "new"), ("orders", "revenue")
        )
    finally:
        warehouse.close()
    assert pulled.block.values.shape == (288, 6)
    assert pulled.warnings == ()


def test_the_loader_adds_what_is_new_and_nothing_twice(trial: psycopg.Connection) -> None:
    before = number(trial, "SELECT count(*) FROM orders")
    trial.execute("SET LOCAL ROLE shop_loader")
    added = number(trial, "SELECT load_orders((SELECT until FROM loaded) + interval '1 hour')")
    assert added > 0
    assert number(trial, "SELECT load_orders((SELECT until FROM loaded))") == 0
    trial.execute("RESET ROLE")
    assert number(trial, "SELECT count(*) FROM orders") == before + added


def test_the_share_of_a_country_takes_its_orders_away(trial: psycopg.Connection) -> None:
    trial.execute("UPDATE traffic SET share = 0 WHERE country = 'DE'")
    trial.execute("CREATE TEMP TABLE before AS SELECT until FROM loaded")
    number(trial, "SELECT load_orders((SELECT until FROM loaded) + interval '2 hours')")
    new = "FROM orders, before WHERE created_at >= until"
    assert number(trial, f"SELECT count(*) {new} AND country = 'DE'") == 0
    assert number(trial, f"SELECT count(*) {new} AND country = 'US'") > 0


@pytest.mark.parametrize("statement", ["DELETE FROM orders", "CREATE TABLE x (y int)", "SELECT count(*) FROM loaded"])
def test_the_reader_can_only_read_orders(shop: Server, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
        asked(shop, statement, user="shop_reader")


def test_the_state_has_a_database_that_the_reader_cannot_enter(shop: Server) -> None:
    with psycopg.connect(dbname="metricwatch", user="metricwatch", host=str(shop.socket)) as connection:
        connection.execute("CREATE TABLE mine (x int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(dbname="metricwatch", user="shop_reader", host=str(shop.socket))
