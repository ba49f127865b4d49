from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerting.cli import program
from alerting.store import open_store
from tests.canaries import PASSWORD, SLACK_TOKEN
from tests.cli.test_program import here, run
from tests.flow.world import HOUR, NOON, SHOP, Shop
from tests.standins.slack import APP_TOKEN, TOKEN, SlackStandIn
from tests.warehouse.rigs import SqliteRig

__all__ = ["here"]


def test_once_evaluates_everything_and_says_what_came_of_it(here: Path) -> None:
    code, out, err = run("once", "--at", NOON.isoformat())
    assert (code, err) == (0, "")
    assert out == (
        "1 queries evaluated, 0 failed; 0 incidents opened, 0 ended; 0 messages sent, "
        "0 will be tried again or need a look\n"
    )


def test_once_takes_a_naive_time_for_utc_and_tells_a_drop(here: Path) -> None:
    run("once", "--at", "2026-01-20T12:00")
    Shop(SqliteRig(here / "shop.sqlite")).open_hours(NOON - 144 * HOUR, NOON).open_hours(
        NOON, NOON + 2 * HOUR, 30
    ).load()
    code, out, _ = run("once", "--json", "--at", "2026-01-20T15:00+01:00")
    found = json.loads(out.strip().splitlines()[-1])
    assert code == 0
    assert found["at"] == "2026-01-20T14:00:00+00:00"
    assert (found["evaluated"], found["failed"], found["sent"], found["unsent"]) == (["orders_hourly"], {}, 1, 0)
    assert len(found["opened"]) == 1
    assert found["opened"][0].startswith("20260120T1200-")
    again = json.loads(run("once", "--json", "--at", "2026-01-20T15:00+01:00")[1])
    assert (again["opened"], again["ended"], again["sent"]) == ([], [], 0)


def test_once_shows_no_buttons_because_nobody_listens_to_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = here / "metrics" / "shop.yaml"
    slack = "team: {slack: {channel: C0GROWTH01}}"
    shop.write_text(shop.read_text(encoding="utf-8").replace("team: {console: {}}", slack), encoding="utf-8")
    with SlackStandIn() as service:
        told = {"SLACK_TOKEN": TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_BASE_URL": service.base_url}
        for name, value in {**told, "PUBLIC_URL": "https://mw.acme.example"}.items():
            monkeypatch.setenv(f"METRICWATCH_{name}", value)
        run("once", "--at", NOON.isoformat())
        Shop(SqliteRig(here / "shop.sqlite")).open_hours(NOON - 144 * HOUR, NOON).open_hours(
            NOON, NOON + 2 * HOUR, 30
        ).load()
        run("once", "--at", (NOON + 2 * HOUR).isoformat())
        (root,) = service.messages()
    assert "https://mw.acme.example/incidents/" in root.shown
    assert [block for block in root.blocks if block["type"] == "actions"] == []


def test_once_forgets_points_older_than_the_history_that_was_asked_for(here: Path) -> None:
    run("once", "--at", NOON.isoformat())
    later = NOON + 48 * HOUR
    Shop(SqliteRig(here / "shop.sqlite")).open_hours(NOON - 144 * HOUR, later).load()
    run("once", "--at", later.isoformat())
    store = open_store("sqlite:///metricwatch.db")
    (digest,) = store.points.digests()
    found = store.points.first_and_last(digest)
    store.close()
    assert found is not None
    assert found[0] >= later - 121 * HOUR


def test_a_setting_with_a_typo_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_LISTN", "0.0.0.0:80")
    monkeypatch.setenv("METRICWATCH_WAREHOUSE_OF_THE_NORTH", "somebody's own")
    code, _, err = run("once", "--at", NOON.isoformat())
    assert code == 0
    assert err == "metricwatch: warning: METRICWATCH_LISTN: unknown setting; did you mean 'METRICWATCH_LISTEN'?\n"


def test_once_names_the_query_that_failed(here: Path) -> None:
    (here / "shop.sqlite").unlink()
    code, out, err = run("once", "--at", NOON.isoformat())
    assert code == 0, "the failure is told to on_error.notify"
    assert "query orders_hourly" in err
    assert "1 failed" in out


@pytest.mark.parametrize(("level", "is_logged"), [(None, False), ("WARNING", False), ("INFO", True), ("DEBUG", True)])
def test_once_logs_what_the_setting_says(
    here: Path, monkeypatch: pytest.MonkeyPatch, level: str | None, is_logged: bool
) -> None:
    monkeypatch.delenv("METRICWATCH_LOG_LEVEL")
    if level is not None:
        monkeypatch.setenv("METRICWATCH_LOG_LEVEL", level)
    arguments = ["once", "--at", NOON.isoformat()]
    assert ("store tidied" in CliRunner().invoke(program(arguments), arguments).stderr) is is_logged


def test_no_secret_is_printed_or_kept(tmp_path: Path) -> None:
    password, token = PASSWORD, SLACK_TOKEN
    (tmp_path / "metrics").mkdir()
    url = "postgresql://app:${env:CANARY}@127.0.0.1:9/shop"
    yaml = SHOP.replace("URL", url).replace("team: {console: {}}", "team: {slack: {channel: C0GROWTH01}}")
    yaml = yaml.replace("ops: {console: {}}", "ops: {slack: {channel: C0DATAOPS1}}").replace("after: 3", "after: 1")
    (tmp_path / "metrics" / "shop.yaml").write_text(yaml, encoding="utf-8")
    environment = {
        **os.environ,
        "CANARY": password,
        "METRICWATCH_SLACK_TOKEN": token,
        "METRICWATCH_SLACK_BASE_URL": "http://127.0.0.1:9/api/",
    }
    done = subprocess.run(
        [sys.executable, "-c", "from alerting.cli import main; main()", "once"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "query orders_hourly" in done.stderr
    assert "1 will be tried again" in done.stdout
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("metricwatch.db*"))
    assert b"orders_hourly" in kept
    for secret in (password, token):
        assert secret not in done.stdout + done.stderr
        assert secret.encode() not in kept
