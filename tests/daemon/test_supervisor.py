"""The supervisor stands outside the scheduler: it rebuilds one that stopped ticking, and at last gives up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerting.app import App, open_app
from alerting.app.pulse import Pulse
from alerting.daemon import HEARTBEAT_OLD_S, Daemon
from config.settings import Settings
from config.starter import starter


class Still(Pulse):
    """A pulse that is always too old, whoever beats it; it tells how often somebody looked."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def age_s(self) -> float:
        self.looks += 1
        return HEARTBEAT_OLD_S + 1


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.chdir(tmp_path)
    for name, text in starter().items():
        (tmp_path / "metrics").mkdir(exist_ok=True)
        (tmp_path / "metrics" / name).write_text(text, encoding="utf-8")
    settings = Settings().model_copy(
        update={"config": tmp_path / "metrics", "state_url": SecretStr(f"sqlite:///{tmp_path / 'state.db'}")}
    )
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    opened = open_app(settings)
    yield opened
    opened.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_scheduler_that_keeps_dying_ends_the_process_with_a_failure(app: App) -> None:
    app.pulse = Still()
    assert Daemon(app).run() == 1


def test_a_scheduler_that_ticks_is_left_alone_until_the_process_is_told_to_stop(app: App) -> None:
    threading.Timer(3.0, app.stopping.set).start()
    assert Daemon(app).run() == 0
    assert app.pulse.age_s() < HEARTBEAT_OLD_S
    assert app.store.query_states()["orders_hourly"].attempted is not None, "the overdue query was evaluated"
