"""One real metric, from a real warehouse to a real message and a real page, through a kill, a restart and back."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.loader import TABLES, history
from tests.acceptance.world import Daemon, loading, sleep_until, wait_until
from tests.servers import Server
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.slack import SlackStandIn

CHANNEL = "C0GROWTH01"
MINUTE = timedelta(minutes=1)
FOLDER = """
version: 1
sources:
  shop: {url: "${env:METRICWATCH_SHOP_URL}", timeout: 20s}
receivers:
  growth-slack: {slack: {channel: C0GROWTH01}}
  pager: {pagerduty: {routing_key: "${env:METRICWATCH_PAGER_KEY}"}}
queries:
  orders_by_minute:
    source: shop
    bucket: 1m
    delay: 2s
    history: 8d
    on_error: {notify: [growth-slack]}
    sql: |
      SELECT date_trunc('minute', created_at) AS time, sum(quantity) AS orders
      FROM orders WHERE created_at >= :start AND created_at < :end GROUP BY 1
metrics:
  shop.orders: {query: orders_by_minute, value: orders, rollup: sum, better: higher, unit: orders}
subscriptions:
  shop:
    metrics: [shop.orders]
    owner: {team: shop}
    runbook: https://runbooks.example/shop
    detect: [seasonal: {critical: never}]
    guard: {direction: worse, min_change: 10%}
    incident: {open_after: 1, resolve_after: 1}
    delivery: {group_interval: 5s}
    notify: {warning: [growth-slack, pager]}
"""


@pytest.mark.timeout(540)
def test_a_drop_is_one_message_and_one_page_through_kill_restart_and_recovery(tmp_path: Path, postgres: Server) -> None:
    """Two daemons watch the same shop, one with SQLite and one with PostgreSQL for its state."""
    warehouse, state = postgres.database(), postgres.database()
    dsn = warehouse.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(TABLES)
        this_minute = datetime.now(UTC).replace(second=0, microsecond=0)
        history(connection, this_minute + MINUTE, days=8)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "shop.yaml").write_text(FOLDER, encoding="utf-8")
    with (
        SlackStandIn() as slack_one,
        SlackStandIn() as slack_two,
        PagerDutyStandIn() as pager_one,
        PagerDutyStandIn() as pager_two,
        loading(dsn),
    ):
        shared = {"METRICWATCH_SHOP_URL": warehouse, "METRICWATCH_PAGER_KEY": KEY}
        on_sqlite = {**shared, "METRICWATCH_STATE_URL": f"sqlite:///{tmp_path / 'state.db'}"}
        on_postgres = {**shared, "METRICWATCH_STATE_URL": state}
        daemons = [
            Daemon("sqlite", tmp_path, on_sqlite, slack_one, pager_one),
            Daemon("postgres", tmp_path, on_postgres, slack_two, pager_two),
        ]
        try:
            _play(daemons, dsn)
        finally:
            for daemon in daemons:
                if daemon.process is not None and daemon.process.poll() is None:
                    daemon.kill()


def _play(daemons: list[Daemon], dsn: str) -> None:
    for daemon in daemons:
        daemon.start()
    drop = (datetime.now(UTC) + timedelta(seconds=20)).replace(second=0, microsecond=0) + MINUTE
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO plan VALUES (%s, %s, 0.6)", (drop, drop + 2 * MINUTE))

    # The first minute of the drop is judged; its notice waits for the group, and the process dies meanwhile.
    sleep_until(drop + MINUTE + timedelta(seconds=9))
    for daemon in daemons:
        daemon.kill()
        assert daemon.slack.messages(CHANNEL) == []
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        _told(daemon)

    # An orderly restart while the incident is open.
    for daemon in daemons:
        assert daemon.stop() < 15
        daemon.start()

    sleep_until(drop + 3 * MINUTE)
    for daemon in daemons:
        _resolved(daemon)
    sleep_until(datetime.now(UTC) + timedelta(seconds=5))
    for daemon in daemons:
        _nothing_else(daemon)
        assert daemon.stop() < 15


def _told(daemon: Daemon) -> None:
    slack, pagerduty = daemon.slack, daemon.pagerduty
    wait_until(lambda: bool(slack.messages(CHANNEL)) and pagerduty.pages > 0, f"told\n{daemon.log()}", within_s=90)
    (root,) = slack.messages(CHANNEL)
    assert "below expected" in root.shown
    assert len(root.file_ids) == 1, "the chart is in the message"
    assert pagerduty.pages == 1
    assert len(pagerduty.open) == 1


def _resolved(daemon: Daemon) -> None:
    slack, pagerduty = daemon.slack, daemon.pagerduty
    wait_until(lambda: not pagerduty.open, f"the page is resolved\n{daemon.log()}", within_s=60)
    wait_until(lambda: "resolved" in slack.messages(CHANNEL)[0].shown, "the root is edited", within_s=30)
    (root,) = slack.messages(CHANNEL)
    wait_until(lambda: len(slack.thread(root.ts)) == 1, "the thread has the end", within_s=30)


def _nothing_else(daemon: Daemon) -> None:
    """Every request that was made, counted: one more of any kind is a failure."""
    assert daemon.slack.unexpected == []
    assert daemon.pagerduty.unexpected == []
    calls = Counter(_method(daemon, call.path) for call in daemon.slack.requests)
    charts = calls["files.getUploadURLExternal"]
    assert charts in (1, 2), calls  # the root's, and a newer one for its last edit
    expected = {
        "chat.postMessage": 2,  # the root, and the end in its thread
        "chat.update": 1,
        "files.getUploadURLExternal": charts,
        "upload": charts,
        "files.completeUploadExternal": charts,
    }
    assert calls == expected
    (alert,) = daemon.pagerduty.alerts.values()
    assert alert.actions == ["trigger", "resolve"]
    assert len(daemon.pagerduty.requests) == 2
    assert daemon.pagerduty.pages == 1
    status, page = daemon.get("/incidents")
    assert status == 200
    assert b"shop.orders" in page or b"Orders" in page


def _method(daemon: Daemon, path: str) -> str:
    """The API method, or ``upload`` for the address that one of them gave."""
    method = daemon.slack.method_of(path).strip("/")
    return "upload" if method.startswith("upload") else method
