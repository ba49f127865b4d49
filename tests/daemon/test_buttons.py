"""The listener against a strict Socket Mode server: real sockets, short intervals, no sleep but waiting for events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from alerting.buttons import Buttons, Line, Timing
from alerting.store import Unavailable
from notifiers.errors import DeliveryError, NotSent
from notifiers.slack import Slack, socket_mode
from notifiers.slack.socket_mode import SocketMode
from tests.canaries import ADDRESS_KEY
from tests.notifiers.examples import CHANNEL, notification
from tests.standins import websocket
from tests.standins.slack import APP_TOKEN, TOKEN, Message, SlackStandIn
from tests.standins.socket_mode import SocketModeStandIn

QUICK = Timing(
    refused=timedelta(milliseconds=50), least=timedelta(milliseconds=20), most=timedelta(milliseconds=100), poll_s=0.05
)
PING = timedelta(milliseconds=300)
NOW = datetime(2026, 1, 5, 19, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    changed: bool
    text: str


@dataclass
class Ledger:
    """Actions that are kept in memory, once each; ``error`` is raised instead, ``gate`` is waited for first."""

    rows: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    calls: int = 0
    error: Exception | None = None
    now: datetime | None = NOW
    """What the clock should say; None = anything."""
    gate: threading.Event | None = None
    moved: threading.Condition = field(default_factory=threading.Condition)

    def acknowledge(self, target: str, *, by: str, via: str, now: datetime) -> Said:
        return self._kept("acknowledge", target, by, "", now)

    def silence(self, target: str, length: timedelta, *, by: str, comment: str, via: str, now: datetime) -> Said:
        return self._kept(f"silence {length}", target, by, comment, now)

    def label(self, target: str, kind: str, *, by: str, comment: str, via: str, now: datetime) -> Said:
        return self._kept(kind, target, by, comment, now)

    def _kept(self, kind: str, target: str, by: str, comment: str, now: datetime) -> Said:
        assert self.now in (None, now)
        if self.gate:
            self.gate.wait(20)
        with self.moved:
            self.calls += 1
            is_new = (kind, target) not in self.rows
            if self.error is None:
                self.rows.setdefault((kind, target), (by, comment))
            self.moved.notify_all()
        if self.error:
            raise self.error
        return Said(is_new, f"{kind} by {by}")

    def wait(self, is_so: Callable[[], bool]) -> bool:
        with self.moved:
            return self.moved.wait_for(is_so, 10)


@dataclass
class Office:
    """A Slack with one message, and what listens to its buttons."""

    slack: SlackStandIn
    sockets: SocketModeStandIn
    ledger: Ledger
    told: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    changes: list[None] = field(default_factory=list)

    @property
    def message(self) -> Message:
        return self.slack.messages()[0]

    def listening(self, token: str = APP_TOKEN) -> Buttons:
        dial = SocketMode(SecretStr(token), self.slack.base_url, ping=PING).open
        made = Buttons(
            dial,
            self.ledger,
            clock=lambda: NOW,
            tell=self._tell,
            changed=lambda: self.changes.append(None),
            timing=QUICK,
            chance=lambda: 0.5,
        )
        made.start()
        return made

    def is_listening(self, connections: int = 1) -> bool:
        return self.sockets.wait(lambda: len(self.sockets.connections) >= connections)

    def whispered(self) -> str:
        assert self.told.acquire(timeout=10)
        return self.slack.whispers[-1]

    def _tell(self, url: str, text: str) -> None:
        socket_mode.tell(url, text)
        self.told.release()


@pytest.fixture
def office() -> Iterator[Office]:
    with SlackStandIn() as slack, SocketModeStandIn(slack) as sockets:
        Slack(channel=CHANNEL, token=SecretStr(TOKEN), app_token=SecretStr(APP_TOKEN), base_url=slack.base_url).send(
            notification()
        )
        yield Office(slack, sockets, Ledger())
        assert slack.unexpected == []


@pytest.fixture
def listening(office: Office) -> Iterator[Office]:
    buttons = office.listening()
    assert office.is_listening()
    yield office
    assert buttons.stop()


@pytest.mark.parametrize(
    ("text", "kind", "comment"),
    [
        ("Acknowledge", "acknowledge", ""),
        ("Silence 1 h", "silence 1:00:00", "pressed in Slack by U0ANN in C0GROWTH01"),
        ("Silence 1 d", "silence 1 day, 0:00:00", "pressed in Slack by U0ANN in C0GROWTH01"),
        ("Expected", "expected", "pressed in Slack by U0ANN in C0GROWTH01"),
        ("Not an anomaly", "not_an_anomaly", "pressed in Slack by U0ANN in C0GROWTH01"),
    ],
)
def test_a_button_does_what_it_says(listening: Office, text: str, kind: str, comment: str) -> None:
    assert listening.sockets.press(listening.message, text)
    assert listening.ledger.wait(lambda: bool(listening.ledger.rows))
    assert listening.ledger.rows == {(kind, notification().group_id): ("ann", comment)}


def test_a_double_click_is_one_acknowledgement(listening: Office) -> None:
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.whispered() == "nothing to do: acknowledge by ann"
    assert len(listening.ledger.rows) == 1
    assert len(listening.changes) == 1


def test_a_repeated_envelope_is_acknowledged_and_done_once(listening: Office) -> None:
    assert listening.sockets.press(listening.message, "Acknowledge", envelope_id="e-1")
    assert listening.sockets.press(listening.message, "Acknowledge", envelope_id="e-1")
    assert listening.sockets.press(listening.message, "Expected")
    assert listening.ledger.wait(lambda: len(listening.ledger.rows) == 2)
    assert listening.ledger.calls == 2


def test_an_envelope_is_acknowledged_before_any_work(listening: Office) -> None:
    listening.ledger.gate = threading.Event()
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.sockets.press(listening.message, "Expected")
    assert listening.ledger.rows == {}
    assert max(listening.sockets.acknowledged.values()) < 3
    listening.ledger.gate.set()
    assert listening.ledger.wait(lambda: len(listening.ledger.rows) == 2)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_after_a_disconnect_a_button_works_again(listening: Office, reason: str) -> None:
    left = listening.sockets.disconnect(reason)
    assert listening.is_listening(2)
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.sockets.wait(lambda: not left.is_open), "the old one is closed"


def test_a_press_on_the_connection_that_is_being_left_is_not_lost(listening: Office) -> None:
    left = listening.sockets.live[-1]
    left.send({"type": "disconnect", "reason": "warning"})
    assert listening.sockets.press(listening.message, "Acknowledge"), "it went out behind the disconnect"
    assert listening.is_listening(2)
    assert listening.ledger.wait(lambda: bool(listening.ledger.rows))


def test_a_half_open_connection_is_noticed_and_replaced(listening: Office) -> None:
    listening.sockets.go_half_open()
    assert not listening.sockets.press(listening.message, "Acknowledge", within_s=0.1)
    assert listening.is_listening(2)
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.ledger.wait(lambda: bool(listening.ledger.rows))


def test_a_half_open_connection_is_replaced_within_thirty_seconds() -> None:
    """A ping every PING and as long for its pong, then closing and opening as slowly as both may be."""
    longest = 2 * socket_mode.PING + timedelta(seconds=socket_mode.CLOSE_S + socket_mode.OPEN_S)
    assert longest < timedelta(seconds=30)


def test_a_connection_that_is_cut_is_replaced(listening: Office) -> None:
    listening.sockets.hang_up()
    assert listening.is_listening(2)
    assert listening.sockets.press(listening.message, "Acknowledge")


def test_what_nobody_understands_stops_nothing(listening: Office) -> None:
    line = listening.sockets.live[-1]
    for junk in (b"no JSON", b"[1]", b"null", b'{"type": "interactive", "envelope_id": 7}', b"{}", b'{"type": []}'):
        with line.writing:
            websocket.write(line.socket, websocket.TEXT, junk)
    with line.writing:
        websocket.write(line.socket, 0x2, b"\xff\x00 binary")
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.sockets.live == [line]


def test_an_envelope_of_another_kind_is_acknowledged_and_asks_for_nothing(listening: Office) -> None:
    assert listening.sockets.send("slash_commands", {"command": "/metricwatch", "text": "acknowledge"})
    assert listening.sockets.send("interactive", {"type": "view_submission"})
    assert listening.sockets.press(listening.message, "Expected")
    assert listening.ledger.wait(lambda: bool(listening.ledger.rows))
    assert listening.ledger.calls == 1


def test_an_address_that_is_not_safe_is_not_dialled(office: Office) -> None:
    for address in ("ws://slack.example/link", "http://127.0.0.1/", "wss:///x", "", "nonsense"):
        office.slack.new_socket = lambda address=address: address
        with pytest.raises(DeliveryError, match="no safe address"):
            SocketMode(SecretStr(APP_TOKEN), office.slack.base_url).open()


def test_an_address_that_leads_nowhere_says_so_without_its_ticket(office: Office) -> None:
    office.slack.new_socket = lambda: f"ws://127.0.0.1:9/link?ticket={ADDRESS_KEY}"
    with pytest.raises(NotSent) as caught:
        SocketMode(SecretStr(APP_TOKEN), office.slack.base_url).open()
    assert ADDRESS_KEY not in str(caught.value)
    assert caught.value.__context__ is None


def test_slack_that_is_away_is_asked_again_for_ever(listening: Office) -> None:
    listening.slack.fail("apps.connections.open", "status", status=503, times=8)
    listening.sockets.hang_up()
    assert listening.is_listening(2)
    assert len(listening.slack.calls("apps.connections.open")) == 10
    assert listening.sockets.press(listening.message, "Acknowledge")


def test_a_fault_of_our_own_does_not_end_the_listening(office: Office) -> None:
    faults = [ZeroDivisionError("a bug"), KeyError("another")]
    working = SocketMode(SecretStr(APP_TOKEN), office.slack.base_url, ping=PING).open

    def dial() -> Line:
        if faults:
            raise faults.pop()
        return working()

    buttons = Buttons(dial, office.ledger, clock=lambda: NOW, tell=office._tell, changed=lambda: None, timing=QUICK)
    buttons.start()
    assert office.is_listening()
    assert office.sockets.press(office.message, "Acknowledge")
    assert buttons.stop()
    assert len(office.ledger.rows) == 1


def test_it_stops_at_once_in_its_usual_timing(office: Office) -> None:
    dial = SocketMode(SecretStr(APP_TOKEN), office.slack.base_url).open
    buttons = Buttons(dial, office.ledger, clock=lambda: NOW, tell=office._tell, changed=lambda: None)
    buttons.start()
    assert office.is_listening()
    assert buttons.stop()


def test_an_old_message_works_after_a_restart(office: Office) -> None:
    first = office.listening()
    assert office.is_listening()
    assert first.stop()
    second = office.listening()
    assert office.is_listening(2)
    assert office.sockets.press(office.message, "Acknowledge")
    assert second.stop()
    assert list(office.ledger.rows) == [("acknowledge", notification().group_id)]


def test_what_was_acknowledged_is_done_before_it_stops(office: Office) -> None:
    buttons = office.listening()
    assert office.is_listening()
    for text in ("Acknowledge", "Expected", "Silence 1 h"):
        assert office.sockets.press(office.message, text)
    assert buttons.stop()
    assert len(office.ledger.rows) == 3


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ValueError("the group has ended: nothing is open"), "not done: the group has ended: nothing is open"),
        (Unavailable("locked"), "not done: the state does not answer at the moment; please press again in a minute"),
        (KeyError("bug"), "not done: something went wrong, and the log of metricwatch says what"),
    ],
)
def test_who_is_refused_is_told_why_and_nobody_else(listening: Office, error: Exception, answer: str) -> None:
    listening.ledger.error = error
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.whispered() == answer
    assert listening.changes == []
    listening.ledger.error = None
    assert listening.sockets.press(listening.message, "Acknowledge")
    assert listening.ledger.wait(lambda: bool(listening.ledger.rows))


def test_somebody_of_another_workspace_changes_nothing(listening: Office) -> None:
    eve = {"id": "U0EVE", "name": "eve", "team_id": "T0OTHER"}
    assert listening.sockets.press(listening.message, "Acknowledge", user=eve)
    assert "not a member" in listening.whispered()
    assert listening.ledger.calls == 0


def test_of_an_enterprise_organisation_members_may_press_and_guests_may_not(listening: Office) -> None:
    listening.sockets.enterprise = "E0STANDIN"
    for home in ("T0OTHER", "E0OTHER"):
        guest = {"id": "U0EVE", "name": "eve", "team_id": home}
        assert listening.sockets.press(listening.message, "Acknowledge", user=guest)
        assert "not a member" in listening.whispered()
    assert listening.ledger.calls == 0
    colleague = {"id": "W0BEA", "name": "bea", "team_id": "E0STANDIN"}
    assert listening.sockets.press(listening.message, "Acknowledge", user=colleague)
    assert listening.ledger.wait(lambda: len(listening.ledger.rows) == 1)


@pytest.mark.parametrize("token", ["xapp-wrong", TOKEN])
def test_a_bad_app_token_is_said_once_and_tried_again(office: Office, token: str) -> None:
    with capture_logs() as logged:
        buttons = office.listening(token)
        tried = threading.Event()
        while len(office.slack.calls("apps.connections.open")) < 4:
            tried.wait(0.02)
        office.slack.workspace.app_tokens = (token,)
        assert office.is_listening()
        assert buttons.stop()
    said = [str(line) for line in logged if line["event"] == "buttons do not work"]
    assert len(said) == 1
    assert "METRICWATCH_SLACK_APP_TOKEN" in said[0]
    assert token not in str(logged)
