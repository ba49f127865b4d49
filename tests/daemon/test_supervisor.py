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
from notifiers.slack import Slack
from tests.daemon.test_buttons import Ledger
from tests.notifiers.examples import CHANNEL, notification
from tests.standins.slack import APP_TOKEN, TOKEN, SlackStandIn
from tests.standins.socket_mode import SocketModeStandIn


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
    assert not [thread.name for thread in threading.enumerate() if thread.name == "APScheduler"], "nothing ticks on"


def test_a_scheduler_that_ticks_is_left_alone_until_the_process_is_told_to_stop(app: App) -> None:
    threading.Timer(3.0, app.stopping.set).start()
    assert Daemon(app).run() == 0
    assert app.pulse.age_s() < HEARTBEAT_OLD_S
    assert app.store.query_states()["orders_hourly"].attempted is not None, "the overdue query was evaluated"


def test_buttons_work_for_as_long_as_the_daemon_runs(app: App) -> None:
    with SlackStandIn() as slack, SocketModeStandIn(slack) as sockets:
        url, token = slack.base_url, SecretStr(APP_TOKEN)
        Slack(channel=CHANNEL, token=SecretStr(TOKEN), app_token=token, base_url=url).send(notification())
        app.settings = app.settings.model_copy(update={"slack_app_token": token, "slack_base_url": url})
        ledger, pressed = Ledger(now=None), list[bool]()

        def press() -> None:
            sockets.wait(lambda: bool(sockets.connections), 20)
            pressed.append(sockets.press(slack.messages()[0], "Acknowledge"))
            ledger.wait(lambda: bool(ledger.rows))
            app.stopping.set()

        threading.Thread(target=press).start()
        assert Daemon(app, actions=ledger).run() == 0
        assert pressed == [True]
        assert list(ledger.rows) == [("acknowledge", notification().group_id)]
        assert slack.unexpected == []


def test_muted_nobody_listens_to_buttons(app: App) -> None:
    quiet = app.settings.model_copy(update={"slack_app_token": SecretStr(APP_TOKEN), "mute": True})
    app.settings = quiet
    assert Daemon(app, actions=Ledger())._buttons is None
