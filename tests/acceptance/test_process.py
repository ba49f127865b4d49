"""The process itself: one per state, its files, its pages, its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerting.store import open_store
from config.starter import starter
from tests.acceptance.world import Daemon, wait_until
from tests.standins.pagerduty import PagerDutyStandIn
from tests.standins.slack import SlackStandIn


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Runs on the folder that ``init`` writes, with the shop it comes with."""
    subprocess.run([str(_program()), "init", "--config", "metrics"], cwd=tmp_path, check=True, capture_output=True)
    state = {"METRICWATCH_STATE_URL": f"sqlite:///{tmp_path / 'state.db'}"}
    with SlackStandIn() as slack, PagerDutyStandIn() as pagerduty:
        made = Daemon("daemon", tmp_path, state, slack, pagerduty)
        made.start()
        yield made
        if made.process is not None and made.process.poll() is None:
            made.kill()


def _program() -> Path:
    return Path(sys.executable).parent / "metricwatch"


def test_one_process_watches_reloads_and_ends_well(daemon: Daemon) -> None:
    assert daemon.get("/healthz")[0] == 200

    # A second one is refused at once, and says why.
    began = time.monotonic()
    second = subprocess.run(
        [str(_program()), "run", "--config", str(daemon.folder / "metrics")],
        cwd=daemon.folder,
        env={**os.environ, **daemon.environment, "METRICWATCH_LISTEN": "127.0.0.1:0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 2, second.stderr
    assert "Traceback" not in second.stderr
    assert time.monotonic() - began < 30

    # So is one on another state that wants the same port.
    taken = subprocess.run(
        [str(_program()), "run", "--config", str(daemon.folder / "metrics")],
        cwd=daemon.folder,
        env={
            **os.environ,
            "METRICWATCH_STATE_URL": "sqlite:///other.db",
            "METRICWATCH_LISTEN": f"127.0.0.1:{daemon.port}",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert taken.returncode == 2
    assert "set METRICWATCH_LISTEN" in taken.stderr
    assert "Traceback" not in taken.stderr

    # A file that stops loading is one ailment, until it loads again; what it said before holds meanwhile.
    (path,) = (daemon.folder / "metrics").glob("*.yaml")
    good = path.read_text(encoding="utf-8")
    path.write_text(good + "\nsubscriptions: [", encoding="utf-8")
    wait_until(lambda: len(_ailments(daemon)) == 1, f"the bad file is told\n{daemon.log()}", within_s=30)
    assert daemon.get("/readyz")[0] == 200
    path.write_text(good, encoding="utf-8")
    wait_until(lambda: _ailments(daemon) == [], f"the good file is told\n{daemon.log()}", within_s=30)

    assert daemon.stop() < 15
    assert daemon.get("/healthz")[0] == 0


def _ailments(daemon: Daemon) -> list[str]:
    store = open_store(daemon.environment["METRICWATCH_STATE_URL"])
    try:
        return [one.id for one in store.incidents(open_only=True) if one.kind == "config"]
    finally:
        store.close()


def test_the_starter_is_what_init_writes(daemon: Daemon) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (daemon.folder / "metrics").glob("*.yaml")}
    assert written == starter()
