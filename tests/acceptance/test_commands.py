"""The commands that act, beside a running daemon: what Slack shows changes within seconds, nothing is told twice."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.world import Daemon, wait_until
from tests.canaries import ROUTING_KEY
from tests.figures import Figure
from tests.servers import Server
from tests.standins.pagerduty import PagerDutyStandIn
from tests.standins.slack import Message, SlackStandIn

HOUR = timedelta(hours=1)
WITHIN_S = 30
COUNTRIES = ("DE", "FR", "IT", "US")
FORMS = 4
"""In how many forms a page is offered before it is given up."""
FOLDER = """
version: 1
sources: {shop: {url: "sqlite:///shop.db"}}
receivers:
  slack: {slack: {channel: C0COMMAND1}}
  pager: {pagerduty: {routing_key: "${env:PAGER_KEY}"}}
queries:
  orders:
    source: shop
    bucket: 1h
    delay: DELAY
    history: 2d
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.orders: {query: orders, value: orders, dimensions: [country], rollup: sum, better: higher}
subscriptions:
  shop:
    metrics: [shop.orders]
    incident: {open_after: 1, resolve_after: 1}
    delivery: {group_by: [country], group_wait: 1s, group_interval: 1s}
    detect: [threshold: {below: 50, critical: 1.5}]
    notify: {warning: [slack], critical: [pager]}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def daemon(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Daemon]:
    """It has watched for three hours when it starts, the last two of them without a single order."""
    now = datetime.now(UTC)
    shop(tmp_path, now)
    state = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        state = server.database()
    with SlackStandIn() as slack, PagerDutyStandIn() as pagerduty:
        made = Daemon(
            request.param, tmp_path, {"METRICWATCH_STATE_URL": state, "PAGER_KEY": ROUTING_KEY}, slack, pagerduty
        )
        command(made, "once", "--at", (now - 3 * HOUR).isoformat())
        assert slack.messages() == []
        # PagerDuty refuses the first page in each form that it is offered: one delivery is dead.
        pagerduty.fail("enqueue", "error", times=FORMS, code="invalid")
        made.start()
        yield made
        if made.process is not None and made.process.poll() is None:
            made.kill()


def test_commands_change_the_message_within_seconds_and_tell_nothing_twice(daemon: Daemon, figure: Figure) -> None:
    slack, pagerduty = daemon.slack, daemon.pagerduty
    wait_until(lambda: len(slack.messages()) == len(COUNTRIES), f"all are told\n{daemon.log()}", within_s=60)
    wait_until(lambda: len(dead(daemon)) == 1, f"one page is dead\n{daemon.log()}", within_s=60)
    wait_until(lambda: pagerduty.pages == len(COUNTRIES) - 1, f"the others are paged\n{daemon.log()}", within_s=60)
    (delivery,) = dead(daemon)
    assert command(daemon, "deliveries", "retry", delivery)["ready"] == [delivery]
    took = [wait_until(lambda: pagerduty.pages == len(COUNTRIES), "the dead page is sent", within_s=WITHIN_S)]
    incidents = open_incidents(daemon)
    took += [
        seconds(daemon, "DE", "silenced", "silence", incidents["DE"], "--for", "2h", "--comment", "deploy"),
        seconds(daemon, "FR", "acknowledged", "ack", incidents["FR"], "--by", "ann"),
        seconds(daemon, "IT", "resolved", "label", incidents["IT"], "expected", "--comment", "holiday"),
        seconds(daemon, "US", "resolved", "resolve", incidents["US"], "--comment", "fixed"),
    ]
    assert command(daemon, "ack", incidents["FR"], "--by", "bob")["changed"] is False
    wait_until(lambda: len(pagerduty.open) == 2, "the ended ones are resolved", within_s=WITHIN_S)
    assert daemon.stop() < 15
    nothing_twice(daemon)
    figure("commands", f"{daemon.name}: shown within {max(took):.1f} s beside a running daemon, nothing told twice")


def nothing_twice(daemon: Daemon) -> None:
    """Each group has one root and one page, and each kind of notice was posted once."""
    slack, pagerduty = daemon.slack, daemon.pagerduty
    assert slack.unexpected == []
    assert len(slack.messages()) == len(COUNTRIES)
    assert pagerduty.pages == len(COUNTRIES)
    threads = [post.shown for root in slack.messages() for post in slack.thread(root.ts)]
    assert [text for text, often in Counter(threads).items() if often > 1] == []
    for alert in pagerduty.alerts.values():
        assert alert.actions.count("trigger") == 1
        assert alert.actions.count("acknowledge") <= 1


def seconds(daemon: Daemon, country: str, word: str, *arguments: str) -> float:
    """How long after the command had ended the message of a country says ``word``."""
    assert word not in message(daemon, country).shown
    assert command(daemon, *arguments)["changed"] is True
    return wait_until(
        lambda: word in message(daemon, country).shown, f"{country} {word}\n{daemon.log()}", within_s=WITHIN_S
    )


def message(daemon: Daemon, country: str) -> Message:
    (found,) = [root for root in daemon.slack.messages() if country in root.shown.splitlines()[0]]
    return found


def dead(daemon: Daemon) -> list[str]:
    listed = command(daemon, "deliveries", "list")["deliveries"]
    assert isinstance(listed, list)
    return [one["delivery_id"] for one in listed if one["state"] == "dead"]


def open_incidents(daemon: Daemon) -> dict[str, str]:
    """Country → id."""
    listed = command(daemon, "incidents")["incidents"]
    assert isinstance(listed, list)
    return {dict(one["labels"])["country"]: one["id"] for one in listed}


def command(daemon: Daemon, *arguments: str) -> dict[str, object]:
    """What a command of a process of its own prints as JSON; it must end well."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "metricwatch"), *arguments, "--json"],
        cwd=daemon.folder,
        env={**os.environ, **daemon.environment, "METRICWATCH_MUTE": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def shop(folder: Path, now: datetime) -> None:
    """Nothing was sold in the last three hours; the next hour is due half an hour from now, after the test."""
    (folder / "metrics").mkdir()
    written = FOLDER.replace("DELAY", f"{(now.minute + 30) % 60}m")
    (folder / "metrics" / "shop.yaml").write_text(written, encoding="utf-8")
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    rows = [
        (f"{this_hour - age * HOUR:%Y-%m-%d %H:%M:%S}", country, 0.0 if age <= 3 else 100.0)
        for age in range(48)
        for country in COUNTRIES
    ]
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (time TEXT, country TEXT, orders REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    connection.close()
