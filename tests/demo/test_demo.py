"""The demo on the real data: what it finds, what it shows, and that it really sends."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from alerting import sample
from alerting.cli.replaying import show
from alerting.demo import BLIZZARD, Marked, Outcome, Senders, play, world
from config.settings import Settings
from tests.acceptance.world import free_port, wait_until
from tests.standins.pagerduty import PagerDutyStandIn
from tests.standins.slack import SlackStandIn
from tests.standins.workspace import TOKEN

HOLIDAYS = ("Thanksgiving", "Christmas", "New Year", "Blizzard")


@pytest.fixture(scope="session")
def told() -> Mapping[str, Any]:
    """What ``metricwatch demo --no-serve --json`` prints, in a process of its own without tokens."""
    clean = {name: value for name, value in os.environ.items() if "SLACK" not in name and "PAGERDUTY" not in name}
    command = [sys.executable, "-c", "from alerting.cli import main; main()", "demo", "--no-serve", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=clean, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_the_demo_finds_the_days_that_new_york_stood_still(told: Mapping[str, Any]) -> None:
    opened = [
        datetime.fromisoformat(one["opened"]) for one in told["alerts"] if one["metric"] == "city.taxi_passengers"
    ]
    hit = set()
    for window in told["labelled"]:
        start, end = datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])
        for holiday in HOLIDAYS:
            if holiday.lower() in window["name"].lower() and any(start <= moment < end for moment in opened):
                hit.add(holiday)
                assert window["fired"]
    assert hit == set(HOLIDAYS)


def test_the_demo_cries_wolf_less_than_once_in_two_weeks_and_series(told: Mapping[str, Any]) -> None:
    false = [one for one in told["alerts"] if one["label"] is None]
    series_weeks = 15 * 1 + 4 * 3
    assert len(false) / series_weeks == pytest.approx(told["false_per_series_week"], abs=0.001)
    assert len(false) / series_weeks < 0.5


def test_the_second_of_november_is_shown_as_the_doubled_hour(told: Mapping[str, Any]) -> None:
    (window,) = [one for one in told["labelled"] if one["note"]]
    assert window["name"] == "NYC marathon"
    start, end = (datetime.fromisoformat(window[edge]) for edge in ("start", "end"))
    assert start < datetime.fromisoformat("2014-11-02T01:00-04:00") < end
    assert "its 01:00 hour of 2 November holds two hours" in window["note"]


def test_every_alert_has_what_the_contract_names(told: Mapping[str, Any]) -> None:
    assert told["alerts"]
    for alert in told["alerts"]:
        assert {"metric", "opened", "resolved", "severity", "score", "observed", "expected"} <= set(alert)
        assert alert["score"] > 1
    for window in told["labelled"]:
        assert {"metric", "start", "end", "fired"} <= set(window)


def test_the_demo_shows_and_really_sends_each_group_once(tmp_path: Path) -> None:
    screen = io.StringIO()
    with SlackStandIn() as slack, PagerDutyStandIn() as pager:
        settings = Settings().model_copy(
            update={
                "slack_token": SecretStr(TOKEN),
                "slack_base_url": f"{slack.origin}/api/",
                "pagerduty_url": f"{pager.origin}/v2/enqueue",
            }
        )
        senders = Senders("C0DEMO0001", SecretStr("0123456789abcdef0123456789abcdef"))
        with world(tmp_path, settings, senders, screen) as app:
            outcome = play(app, lambda what, share: None, {"city": 2})
            rows = app.store.outbox.rows(receiver="demo-slack")
        roots = [post for post in slack.posts if post.thread_ts is None]
        assert len(roots) == len({row.group_id for row in rows}) > 0
        assert {row.state for row in rows} <= {"sent", "merged"}
        assert len(pager.requests) > 0
        assert (slack.unexpected, pager.unexpected) == ([], [])
    shown = io.StringIO()
    show(outcome, Console(file=shown, width=200))
    assert "labelled by people as" in shown.getvalue()
    assert "blizzard" in shown.getvalue()
    headlines = re.findall(r"Taxi passengers: (\d+) % below expected", screen.getvalue())
    assert headlines, screen.getvalue()
    assert [alert.incident.is_open for alert in outcome.alerts][-1], "the dashboard has something to show"
    assert max(map(int, headlines)) >= 40, "of the blizzard"
    assert "░" in screen.getvalue(), "the band of a chart made of text"


def test_the_demo_ends_on_the_dashboard_and_with_control_c(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("METRICWATCH_")}
    environment = {**clean, "METRICWATCH_LISTEN": f"127.0.0.1:{free_port()}", "PYTHONUNBUFFERED": "1"}
    # A shell's job in the background, as which this suite may run, ignores Ctrl-C, and so would its children.
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heeded}; from alerting.cli import main; main()", "demo"]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        wait_until(lambda: "The dashboard is at" in (tmp_path / "out").read_text("utf-8"), "its address", within_s=240)
        printed = (tmp_path / "out").read_text("utf-8")
        (address,) = re.findall(r"The dashboard is at (http://\S+/)", printed)
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert "Taxi passengers: 56 % below expected" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert (tmp_path / "out").read_text("utf-8").endswith("bye\n")
    finally:
        process.kill()
        process.wait()


def test_the_table_ends_with_the_note_on_the_second_of_november() -> None:
    label = next(label for label in sample.labels() if label.note)
    shown = io.StringIO()
    show(Outcome((), (Marked("city.taxi_passengers", label, None),), 15, 1, BLIZZARD), Console(file=shown, width=300))
    assert "missed" in shown.getvalue()
    assert "Note on 2 November: the source read local time without the clock change" in shown.getvalue()
