"""The parts of a pull that do not depend on the database: deadlines, places, URLs, secrets."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.warehouse import Misconfigured, TimedOut, Unreachable, open_warehouse
from alerting.warehouse.deadline import Overdue, within
from alerting.warehouse.errors import redact
from config.model import Source
from config.secrets import Secret
from tests.canaries import PASSWORD
from tests.warehouse.contract import query, window

HOUR = window("2026-01-05T00:00", "2026-01-05T01:00")
ONE = query("SELECT '2026-01-05 00:00:00' AS time, 1 AS n")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    sqlite3.connect(tmp_path / "shop.sqlite").close()
    url = Secret(f"sqlite:///{tmp_path / 'shop.sqlite'}")
    return Source("shop", url, concurrency=1, timeout=timedelta(seconds=0.5))


def test_worker_that_never_comes_back_is_abandoned_and_keeps_its_place(source: Source) -> None:
    warehouse = open_warehouse(source)
    warehouse.grace_s = 0.05
    release, left = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        release.wait()
        left.set()

    with pytest.raises(TimedOut, match=r"within 0\.5 s, and it did not react"):
        warehouse.ask("query hung", hang)
    with pytest.raises(Unreachable, match="query orders_hourly: all 1 connections of source shop are busy"):
        warehouse.pull(ONE, HOUR, ["n"])
    stop = threading.Event()
    stop.set()
    with pytest.raises(TimedOut, match="query orders_hourly: cancelled because the program stops"):
        warehouse.pull(ONE, HOUR, ["n"], cancel=stop)
    release.set()
    assert left.wait(5)
    assert warehouse.pull(ONE, HOUR, ["n"]).block.values.tolist() == [[1]]


def test_deadline_asks_then_cuts_then_walks_away() -> None:
    release = threading.Event()
    steps: list[str] = []
    with pytest.raises(Overdue) as raised:
        within(
            0.01,
            release.wait,
            cancel=lambda: steps.append("cancel"),
            sever=lambda: steps.append("sever"),
            grace_s=0.01,
        )
    release.set()
    assert (steps, raised.value.why, raised.value.is_abandoned) == (["cancel", "sever"], "deadline", True)


def test_deadline_does_not_cut_a_worker_that_obeys() -> None:
    release = threading.Event()
    steps: list[str] = []
    with pytest.raises(Overdue) as raised:
        within(0.01, release.wait, cancel=release.set, sever=lambda: steps.append("sever"))
    assert (steps, raised.value.is_abandoned) == ([], False)


def test_stop_ends_the_wait_at_once() -> None:
    stop, release = threading.Event(), threading.Event()
    stop.set()
    began = time.monotonic()
    with pytest.raises(Overdue, match="stopped"):
        within(60, release.wait, cancel=release.set, sever=release.set, stop=stop)
    assert time.monotonic() - began < 30


def test_result_and_error_of_the_worker_come_through() -> None:
    def fail() -> int:
        raise KeyError("mine")

    def nothing() -> None:
        return None

    assert within(5, lambda: 3, cancel=nothing, sever=nothing) == 3
    with pytest.raises(KeyError, match="mine"):
        within(5, fail, cancel=nothing, sever=nothing, stop=threading.Event())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"nonsense {PASSWORD}", "source shop: its url cannot be read"),
        (f"postgresql://app:{PASSWORD}@db:port/shop", "source shop: its url cannot be read"),
        (f"oracle9000://app:{PASSWORD}@db/shop", "source shop: no driver for oracle9000://"),
        (f"mysql+pymysql://app:{PASSWORD}@db/shop", "source shop: no driver for mysql.pymysql://"),
        ("${env:SHOP_URL}", "source shop: environment variable SHOP_URL is not set"),
    ],
)
def test_source_that_cannot_be_opened_says_why_without_its_password(url: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as raised:
        open_warehouse(Source("shop", Secret(url)), environment={})
    assert PASSWORD not in str(raised.value)
    assert not raised.value.is_transient


def test_url_is_read_from_the_environment_when_it_is_opened(source: Source) -> None:
    by_name = Source("shop", Secret("${env:SHOP_URL}"))
    warehouse = open_warehouse(by_name, environment={"SHOP_URL": source.url.written})
    assert warehouse.pull(ONE, HOUR, ["n"]).rows == 1


def test_warehouse_prints_no_password() -> None:
    warehouse = open_warehouse(Source("shop", Secret("${env:U}")), environment={"U": f"postgres://app:{PASSWORD}@h/d"})
    assert PASSWORD not in repr(warehouse)
    assert warehouse.engine.url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"FATAL: bad password {PASSWORD}", "FATAL: bad password ***"),
        ("postgresql+psycopg://app:other@db/x is down", "postgresql+psycopg://app:***@db/x is down"),
        ("host=db password=other user=app", "host=db password=*** user=app"),
        ("two\n  lines", "two lines"),
    ],
)
def test_secrets_never_reach_a_message(text: str, expected: str) -> None:
    assert redact(text, PASSWORD, None) == expected
