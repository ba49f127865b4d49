"""A button pressed in Slack, from the click to the message that everybody sees: real state, HTTP and WebSocket."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from alerting.buttons import Buttons
from notifiers.slack import Slack, socket_mode
from notifiers.slack.socket_mode import SocketMode
from tests.flow.conftest import Made, make
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World
from tests.notifiers.examples import CHANNEL
from tests.standins.slack import APP_TOKEN, TOKEN, Message, SlackStandIn
from tests.standins.socket_mode import SocketModeStandIn

__all__ = ["make"]
PRESSED = NOON + 2.5 * HOUR


class Office:
    """A world that tells a Slack stand-in, and a listener to its buttons."""

    def __init__(self, world: World, slack: SlackStandIn, sockets: SocketModeStandIn) -> None:
        self.world, self.slack, self.sockets = world, slack, sockets
        self.happened = threading.Semaphore(0)
        world.sends_really = True
        self.use_slack()
        quiet(world)
        world.shop.open_hours(NOON, NOON + 6 * HOUR, 30).open_hours(NOON + 6 * HOUR, NOON + 40 * HOUR).load()
        world.hours(NOON + HOUR, NOON + 3 * HOUR)
        self.listener = self.listening()

    @property
    def message(self) -> Message:
        (root,) = self.slack.messages()
        return root

    def use_slack(self) -> None:
        token = SecretStr(TOKEN)
        self.world.app.notifiers = {
            name: Slack(channel=CHANNEL, token=token, app_token=SecretStr(APP_TOKEN), base_url=self.slack.base_url)
            for name in self.world.app.config.receivers
        }

    def listening(self) -> Buttons:
        before = len(self.sockets.connections)
        made = Buttons(
            SocketMode(SecretStr(APP_TOKEN), self.slack.base_url).open,
            self.world.app.actions,
            clock=lambda: PRESSED,
            tell=self._tell,
            changed=self.happened.release,
        )
        made.start()
        assert self.sockets.wait(lambda: len(self.sockets.connections) > before)
        return made

    def press(self, text: str) -> None:
        """Pressed, done, and what follows from it delivered."""
        assert self.sockets.press(self.message, text)
        assert self.happened.acquire(timeout=10)
        self.world.deliver(PRESSED + HOUR / 60)

    def _tell(self, url: str, text: str) -> None:
        socket_mode.tell(url, text)
        self.happened.release()


@pytest.fixture
def office(make: Made) -> Iterator[Office]:
    with SlackStandIn() as slack, SocketModeStandIn(slack) as sockets:
        made = Office(make(), slack, sockets)
        yield made
        made.listener.stop()
        assert slack.unexpected == []


def test_an_acknowledgement_turns_the_message_yellow(office: Office) -> None:
    office.press("Acknowledge")
    assert office.message.shown.startswith(":large_yellow_circle:")
    assert "acknowledged 14:30 UTC by ann" in office.message.shown
    (post,) = office.slack.thread(office.message.ts)
    assert post.shown.endswith("acknowledged by ann")


def test_a_double_click_is_one_acknowledgement(office: Office) -> None:
    before = office.message
    assert office.sockets.press(before, "Acknowledge")
    assert office.sockets.press(before, "Acknowledge")
    assert office.happened.acquire(timeout=10)
    assert office.happened.acquire(timeout=10)
    office.world.deliver(PRESSED + HOUR)
    assert office.slack.whispers == ["nothing to do: acknowledged by ann already"]
    assert len(office.slack.thread(before.ts)) == 1


def test_a_message_from_before_a_restart_can_be_silenced(office: Office) -> None:
    office.listener.stop()
    office.world.restart()
    office.use_slack()
    office.listener = office.listening()
    office.press("Silence 1 d")
    assert office.message.shown.startswith(":no_bell:")


def test_what_was_expected_is_over_and_cannot_be_pressed_again(office: Office) -> None:
    before = office.message
    office.press("Expected")
    assert office.message.shown.startswith(":white_check_mark:")
    assert [block["type"] for block in office.message.blocks if block["type"] == "actions"] == []
    office.slack.whispers.clear()
    assert office.sockets.press(before, "Acknowledge")
    assert office.happened.acquire(timeout=10)
    assert office.slack.whispers == ["nothing to do: it has ended already: there is nothing to acknowledge"]
