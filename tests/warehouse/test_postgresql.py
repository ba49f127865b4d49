from __future__ import annotations

import os
import signal
import socket
import time
from datetime import timedelta

import numpy as np
import psycopg
import pytest

from alerting.warehouse import LoginRefused, QueryFailed, TimedOut, Unreachable
from config.model import Source
from config.secrets import Secret
from tests.canaries import PASSWORD
from tests.servers import Server
from tests.warehouse.conftest import Opener
from tests.warehouse.contract import MONDAY, KeepsOffsets, query, window
from tests.warehouse.rigs import PostgresRig

HOUR = window("2026-01-05T00:00", "2026-01-05T01:00")
ONE = "SELECT timestamptz '2026-01-05 00:00+00' AS time, 1 AS n"


@pytest.fixture(scope="module")
def rig(postgres: Server) -> PostgresRig:
    return PostgresRig(postgres.database())


class TestPostgreSQL(KeepsOffsets):
    pass


def test_casts_enums_and_exact_numbers_are_read(rig: PostgresRig, postgres: Server, opened: Opener) -> None:
    warehouse = opened(Source("shop", Secret(rig.url)))
    sql = (
        "SELECT '2026-01-05 00:30+00'::timestamptz AS time, 'a:b'::text AS note, $$ :start 'x' $$ AS dollars, "
        "'r'::\"char\" AS kind, 12.50::numeric AS n, true AS flag, (ARRAY[1, 2, 3])[1:2]::text AS slice "
        "WHERE now() >= :start::timestamptz"
    )
    pulled = warehouse.pull(query(sql), HOUR, ["n"])
    assert dict(pulled.block.keys[0].dimensions) == {
        "note": "a:b",
        "dollars": " :start 'x' ",
        "kind": "r",
        "flag": "true",
        "slice": "{1,2}",
    }
    np.testing.assert_array_equal(pulled.block.values, [[12.5]])


def test_role_that_may_not_log_in_is_refused(postgres: Server, opened: Opener) -> None:
    postgres.run("DROP ROLE IF EXISTS locked_out", f"CREATE ROLE locked_out NOLOGIN PASSWORD '{PASSWORD}'")
    for url in (postgres.url(user="locked_out"), postgres.url(user="nobody_knows_me")):
        with pytest.raises(LoginRefused, match="query orders_hourly: ") as raised:
            opened(Source("shop", Secret(url))).pull(query(ONE), HOUR, ["n"])
        assert PASSWORD not in str(raised.value)
        assert not raised.value.is_transient


def test_database_that_does_not_exist_is_refused(postgres: Server, opened: Opener) -> None:
    with pytest.raises(LoginRefused, match='database "nowhere" does not exist'):
        opened(Source("shop", Secret(postgres.url("nowhere")))).pull(query(ONE), HOUR, ["n"])


def test_server_that_is_down_is_unreachable(opened: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"postgresql://app:{PASSWORD}@127.0.0.1:{port}/shop"
    with pytest.raises(Unreachable, match="is the server up") as raised:
        opened(Source("shop", Secret(url))).pull(query(ONE), HOUR, ["n"])
    assert raised.value.is_transient
    assert PASSWORD not in str(raised.value)


def test_server_that_accepts_and_never_answers_is_given_up(opened: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://app@127.0.0.1:{listener.getsockname()[1]}/shop"
        warehouse = opened(Source("shop", Secret(url), timeout=timedelta(seconds=0.5)))
        began = time.monotonic()
        with pytest.raises((TimedOut, Unreachable), match="query orders_hourly: ") as raised:
            warehouse.pull(query(ONE), HOUR, ["n"])
        assert raised.value.is_transient
        assert time.monotonic() - began < 30


def test_server_that_stops_answering_in_the_middle_is_cut_off(rig: PostgresRig, opened: Opener) -> None:
    """The backend is frozen, so it obeys neither its own timeout nor a cancel: only cutting the wire helps."""
    source = Source("shop", Secret(rig.url), concurrency=1, timeout=timedelta(seconds=2))
    warehouse = opened(source)
    warehouse.grace_s = 0.5
    backend = warehouse.ask("test", _backend)
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(TimedOut, match="query orders_hourly: no answer from source shop within 2 s, cancelled"):
            warehouse.pull(query("SELECT now() AS time, 1 AS n FROM pg_sleep(600)"), HOUR, ["n"])
    finally:
        os.kill(backend, signal.SIGCONT)
    assert warehouse.pull(query(ONE), HOUR, ["n"]).block.values.tolist() == [[1]]


def test_server_side_timeout_holds_without_us(rig: PostgresRig, opened: Opener) -> None:
    warehouse = opened(Source("shop", Secret(rig.url), timeout=timedelta(seconds=5)))
    statement = "SELECT current_setting('statement_timeout') AS timeout, now() AS time, 1 AS n"
    pulled = warehouse.pull(query(statement), window("2000-01-01T00:00", "2000-01-01T01:00"), ["n"])
    assert pulled.block.keys[0].dimensions == (("timeout", "5s"),)


@pytest.mark.parametrize(
    "sql",
    [
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; COMMIT; DELETE FROM guarded; COMMIT; SELECT 1",
        "SET TRANSACTION READ WRITE",
        "WITH gone AS (DELETE FROM guarded RETURNING *) SELECT now() AS time, count(*) AS n FROM gone",
        "SELECT now() AS time, 1 AS n INTO copied FROM guarded",
        "DO $$ BEGIN DELETE FROM guarded; COMMIT; END $$",
        "COMMIT",
    ],
)
def test_tricks_to_write_are_refused(rig: PostgresRig, sql: str, opened: Opener) -> None:
    rig.create("guarded", {"made": "instant", "n": "whole"}, [(MONDAY, 1)])
    warehouse = opened(Source("shop", Secret(rig.url), concurrency=1))
    for _ in range(2):
        with pytest.raises(QueryFailed, match="query orders_hourly: "):
            warehouse.pull(query(sql), HOUR, ["n"])
        with pytest.raises(QueryFailed, match="read-only transaction"):
            warehouse.pull(query("DELETE FROM guarded RETURNING made AS time, n"), HOUR, ["n"])
    assert rig.count("guarded") == 1


def test_connection_that_the_server_closed_is_replaced(rig: PostgresRig, postgres: Server, opened: Opener) -> None:
    warehouse = opened(Source("shop", Secret(rig.url), concurrency=1))
    backend = warehouse.ask("test", _backend)
    postgres.run(f"SELECT pg_terminate_backend({backend})")
    assert warehouse.pull(query(ONE), HOUR, ["n"]).block.values.tolist() == [[1]]


def _backend(connection: object) -> int:
    assert isinstance(connection, psycopg.Connection)
    return int(connection.info.backend_pid)
