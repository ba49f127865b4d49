"""What people do to incidents, as Slack and PagerDuty see it: real notifiers, strict stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import SecretStr

from alerting.core.incidents import Incident
from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World
from tests.standins.pagerduty import KEY, Alert, PagerDutyStandIn
from tests.standins.slack import SlackStandIn
from tests.standins.workspace import TOKEN, Message

CHANNEL = "C0GROWTH01"
OPENED = NOON + 2 * HOUR


@dataclass
class Told:
    """An incident that is open; Slack and PagerDuty were told."""

    world: World
    slack: SlackStandIn
    pagerduty: PagerDutyStandIn

    @property
    def incident(self) -> Incident:
        return self.world.incidents()[-1]

    @property
    def root(self) -> Message:
        (root,) = self.slack.messages(CHANNEL)
        return root

    @property
    def page(self) -> Alert:
        (page,) = self.pagerduty.alerts.values()
        return page

    def silence(self, hours: float) -> None:
        length = timedelta(hours=hours)
        actions = self.world.app.actions
        done = actions.silence(self.incident.id, length, by="ann", comment="deploy", via="slack", now=OPENED)
        assert done.changed
        self.world.deliver(OPENED)


Burning = Callable[[int], Told]


@pytest.fixture
def burning(make: Made) -> Iterator[Burning]:
    """Makes an incident that lasts so many hours, and seen two hours of it."""
    with SlackStandIn() as slack, PagerDutyStandIn() as pagerduty:

        def made(hours: int) -> Told:
            world = make(slack_token=SecretStr(TOKEN), slack_base_url=slack.base_url, pagerduty_url=pagerduty.url)
            world.sends_really = True
            world.change("team: {console: {}}", f"team: {{slack: {{channel: {CHANNEL}}}}}")
            world.change("pager: {console: {}}", "pager: {pagerduty: {routing_key: '${env:KEY}'}}")
            world.change("threshold: {below: 50}", "threshold: {below: 50, severity: critical}")
            quiet(world).shop.open_hours(NOON, NOON + hours * HOUR, 30).open_hours(
                NOON + hours * HOUR, NOON + 40 * HOUR
            ).load()
            world.hours(NOON + HOUR, OPENED + HOUR)
            return Told(world, slack, pagerduty)

        yield made
        assert slack.unexpected == pagerduty.unexpected == []


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)


def test_t14_silenced_while_firing_and_resolved_under_silence_closes_the_page_and_edits_the_root(
    burning: Burning,
) -> None:
    told = burning(4)
    told.silence(24)
    assert [alert.dedup_key for alert in told.pagerduty.open] == [told.page.dedup_key]
    told.world.hours(OPENED + HOUR, NOON + 8 * HOUR)
    assert told.incident.status == "resolved"
    assert (told.page.actions, told.page.status) == (["trigger", "resolve"], "resolved")
    assert len(told.root.earlier) == 2
    assert "resolved" in told.root.shown
    assert told.slack.thread(told.root.ts) == []


def test_when_a_silence_ends_slack_gets_one_post_and_an_open_page_stays_one_page(burning: Burning) -> None:
    told = burning(30)
    told.silence(2)
    told.world.hours(OPENED + HOUR, OPENED + 4 * HOUR)
    (post,) = told.slack.thread(told.root.ts)
    assert "the silence by ann (deploy) has ended, still open" in post.shown
    assert told.pagerduty.pages == 1


def test_when_a_silence_ends_whoever_closed_the_page_is_called_again(burning: Burning) -> None:
    told = burning(30)
    told.silence(2)
    told.pagerduty.close_by_hand(told.page.dedup_key)
    told.world.hours(OPENED + HOUR, OPENED + 4 * HOUR)
    assert (told.page.actions, told.pagerduty.pages) == (["trigger", "trigger"], 2)


def test_an_acknowledgement_acknowledges_the_page_and_ends_the_reminders(burning: Burning) -> None:
    told = burning(30)
    told.world.app.actions.acknowledge(told.incident.id, by="ann", via="slack", now=OPENED)
    told.world.hours(OPENED + HOUR, OPENED + 10 * HOUR)
    assert (told.page.actions, told.page.status) == (["trigger", "acknowledge"], "acknowledged")
    (post,) = told.slack.thread(told.root.ts)
    assert "acknowledged by ann" in post.shown


def test_a_reminder_is_said_in_slack_and_never_to_a_pager(burning: Burning) -> None:
    told = burning(30)
    told.world.hours(OPENED + HOUR, OPENED + 6 * HOUR)
    assert len(told.root.earlier) == 1
    assert told.page.actions == ["trigger"]
    pager = [row for row in told.world.outbox(told.incident) if row.receiver == "pager"]
    assert "nothing to tell" in pager[-1].reason
