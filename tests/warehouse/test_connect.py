from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine.url import make_url

from alerting.warehouse import connect_problems, value_columns
from alerting.warehouse.connect import newest_bucket
from config.model import Config, Metric, Query, Source
from config.secrets import Secret
from detectors.buckets import Bucket
from tests.servers import Server
from tests.warehouse.contract import MONDAY, query, utc
from tests.warehouse.rigs import PostgresRig, SqliteRig

NOW = utc("2026-01-05T01:30")


def config(url: str, *queries: Query, metrics: tuple[Metric, ...] = ()) -> Config:
    source = Source("shop", Secret(url))
    return Config(
        sources={"shop": source},
        queries={asked.name: asked for asked in queries},
        metrics={metric.name: metric for metric in metrics},
    )


@pytest.fixture
def rig(tmp_path: Path) -> SqliteRig:
    rig = SqliteRig(tmp_path / "shop.sqlite")
    rig.create("orders", {"made": "instant", "country": "text", "n": "whole"}, [(MONDAY, "de", 1)])
    return rig


GOOD = query("SELECT made AS time, country, n FROM orders WHERE made >= :start AND made < :end")


def test_good_configuration_has_no_problems(rig: SqliteRig) -> None:
    metrics = (Metric("orders", "orders_hourly", "n", ("country",)), Metric("all", "orders_hourly", "n"))
    described = config(rig.url, GOOD, metrics=metrics)
    assert value_columns(described, "orders_hourly") == ("n",)
    assert connect_problems(described, NOW) == []


def test_metrics_that_want_other_columns_are_named(rig: SqliteRig) -> None:
    described = config(rig.url, GOOD, metrics=(Metric("orders", "orders_hourly", "n", ("city",)),))
    assert connect_problems(described, NOW) == [
        "query orders_hourly: metric orders wants the dimension city; the result has time, country, n"
    ]
    described = config(rig.url, GOOD, metrics=(Metric("orders", "orders_hourly", "revenue"),))
    assert connect_problems(described, NOW) == [
        "query orders_hourly: the result has no column revenue (it has time, country, n); name one with AS revenue"
    ]


def test_empty_newest_bucket_and_lint_are_warnings(rig: SqliteRig) -> None:
    asked = query("SELECT made AS time, n FROM orders WHERE made >= :start AND made < '2026-01-05 01:00:00'")
    described = config(rig.url, asked, metrics=(Metric("orders", "orders_hourly", "n"),))
    assert connect_problems(described, utc("2026-01-05T03:00")) == [
        "warning: query orders_hourly: :end not used: every pull reads the whole table",
        "warning: query orders_hourly: no row for its newest bucket; is delay long enough?",
    ]


def test_source_that_is_down_is_said_once(tmp_path: Path) -> None:
    other = Query("refunds", "shop", GOOD.sql, Bucket.parse("1h"), "UTC")
    problems = connect_problems(config(f"sqlite:///{tmp_path / 'none.sqlite'}", GOOD, other), NOW)
    assert len(problems) == 1
    assert problems[0].startswith("source shop: unable to open database file")


def test_source_without_its_secret_is_said_and_the_others_are_checked(rig: SqliteRig) -> None:
    described = config(rig.url, GOOD, metrics=(Metric("orders", "orders_hourly", "m"),))
    described = Config(
        sources={"lost": Source("lost", Secret("${env:LOST_URL}")), **described.sources},
        queries=described.queries,
        metrics=described.metrics,
    )
    lost, wrong = connect_problems(described, NOW, environment={})
    assert lost == "source lost: environment variable LOST_URL is not set; set it where metricwatch runs"
    assert wrong.startswith("query orders_hourly: the result has no column m")


def test_role_that_can_write_is_a_warning(postgres: Server) -> None:
    url = postgres.database()
    rig = PostgresRig(url)
    rig.create("orders", {"made": "instant", "country": "text", "n": "whole"}, [(MONDAY, "de", 1)])
    database = str(make_url(url).database)
    postgres.run(
        "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN", "GRANT SELECT ON orders TO reader", database=database
    )
    metrics = (Metric("orders", "orders_hourly", "n", ("country",)),)
    assert connect_problems(config(postgres.url(database, "reader"), GOOD, metrics=metrics), NOW) == []
    postgres.run("GRANT INSERT ON orders TO reader", database=database)
    warning = "warning: source shop: its role can change data; give metricwatch one that can only read"
    for user in ("reader", "postgres"):
        assert connect_problems(config(postgres.url(database, user), GOOD, metrics=metrics), NOW) == [warning]


@pytest.mark.parametrize(
    ("bucket", "since", "until"),
    [
        ("1h", "2026-03-10T11:00", "2026-03-10T12:00"),
        ("1d", "2026-03-09T04:00", "2026-03-10T04:00"),
        ("1w", "2026-03-02T05:00", "2026-03-09T04:00"),
        ("1mo", "2026-02-01T05:00", "2026-03-01T05:00"),
    ],
)
def test_newest_bucket_is_the_last_that_is_due(bucket: str, since: str, until: str) -> None:
    found = newest_bucket(query("SELECT 1", bucket=bucket, zone="America/New_York"), utc("2026-03-10T12:30"))
    assert (found.since, found.until) == (utc(since), utc(until))
