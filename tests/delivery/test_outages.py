"""Services that are down for long, with a clock that takes no time: who is told what once they are back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from alerting.core.groups import Delivery
from alerting.delivery.attempt import PostOffice
from alerting.delivery.pacing import Pacing
from alerting.delivery.round import deliver_next, is_working
from alerting.store import Recording, Store
from notifiers.contract import IncidentView, Kind, Notifier
from notifiers.pagerduty import PagerDuty
from notifiers.slack import Slack
from tests.delivery.fakes import FakeClock, no_picture
from tests.figures import Figure
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.slack import TOKEN, SlackStandIn
from tests.store.builders import NOON, delivery, group, incident

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
SEED = 7


class Office:
    """A courier on a virtual clock: as the daemon's, but whatever it would wait for has passed at once."""

    def __init__(self, store: Store, notifiers: Mapping[str, Notifier]) -> None:
        self.store, self.notifiers, self.clock = store, notifiers, FakeClock(NOON)
        self._offices = {name: self._office(FakeClock(NOON)) for name in notifiers}

    def _office(self, clock: FakeClock) -> PostOffice:
        return PostOffice(
            clock,
            no_picture,
            pacing=Pacing(lambda: clock.now.timestamp()),
            chance=random.Random(SEED).random,
            pause=lambda seconds: clock.advance(timedelta(seconds=seconds)),
        )

    def run(self, span: timedelta) -> None:
        """Every receiver lives through the span by itself, as threads do."""
        end = self.clock.advance(span)
        for name, office in self._offices.items():
            while office.clock() < end and not self._is_done(name, office):
                pass
            assert isinstance(office.clock, FakeClock)
            office.clock.now = max(end, office.clock.now)

    def _is_done(self, name: str, office: PostOffice) -> bool:
        notifier = self.notifiers[name]
        if is_working(self.store, office, name, notifier) and deliver_next(self.store, office, name, notifier):
            return False
        due = self.store.outbox.next_due(name, grace=office.timing.grace)
        assert isinstance(office.clock, FakeClock)
        office.clock.now = max(office.clock.now + SECOND, due) if due else office.clock.now
        return due is None

    def owe(self, kind: Kind, sequence: int, receiver: str, numbers: range) -> None:
        """One more delivery for each of these groups, each with an incident of its own."""
        made: list[Delivery] = []
        groups = []
        for number in numbers:
            status = "resolved" if kind == "resolve" else "firing"
            one = incident(number, country=f"C{number}", status=status)
            found = delivery(sequence, kind, number=number, receiver=receiver, said=[f"change {sequence}"])
            view = IncidentView(
                id=one.id,
                metric="shop.orders",
                dimensions={"country": f"C{number}"},
                status="resolved" if kind == "resolve" else "firing",
                severity="warning",
                opened=one.opened,
                detected=one.detected,
                latest=one.last.bucket,
                resolved=one.resolved,
                observed=612.0,
                expected=1037.0,
            )
            name = f"g{number}{receiver}"
            payload = found.payload.model_copy(update={"incidents": (view,), "group_id": name})
            made.append(replace(found, group_id=name, payload=payload, not_before=self.clock.now))
            closed = self.clock.now if kind == "resolve" else None
            groups.append(replace(group(one, receiver=receiver, sequence=sequence), id=name, closed=closed))
        self.store.record(Recording(now=self.clock.now, groups=tuple(groups), deliveries=tuple(made)))

    def unsettled(self, receiver: str) -> int:
        return sum(row.receiver == receiver for row in self.store.outbox.rows(unsettled_only=True))


@pytest.fixture
def staffed(store: Store) -> Iterator[Callable[..., Office]]:
    """Makes offices, and closes their connections after the test."""
    made: list[Office] = []

    def make(**notifiers: Notifier) -> Office:
        made.append(Office(store, notifiers))
        return made[-1]

    yield make
    for office in made:
        for notifier in office.notifiers.values():
            notifier.close()


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyStandIn]:
    with PagerDutyStandIn() as stand_in:
        yield stand_in


def chat(stand_in: SlackStandIn) -> Slack:
    return Slack(channel="C0GROWTH01", token=SecretStr(TOKEN), base_url=stand_in.base_url)


def pager(stand_in: PagerDutyStandIn) -> PagerDuty:
    return PagerDuty(routing_key=SecretStr(KEY), url=stand_in.url)


def test_2000_changes_in_50_groups_while_slack_is_down_are_50_posts_once_it_is_back(
    staffed: Callable[..., Office], slack: SlackStandIn, figure: Figure
) -> None:
    office, groups = staffed(slack=chat(slack)), range(50)
    office.owe("trigger", 1, "slack", groups)
    office.run(2 * MINUTE)
    assert len(slack.messages()) == 50
    slack.down()
    for sequence in range(2, 42):
        office.owe("update", sequence, "slack", groups)
        office.run(45 * SECOND)
    slack.up()
    waited = 0
    while office.unsettled("slack"):
        office.run(SECOND)
        waited += 1
    threads = sum(len(slack.thread(message.ts)) for message in slack.messages())
    told = f"{len(slack.messages())} roots, {threads} thread posts, caught up in {waited} s"
    figure("T7", f"Slack down 30 min, 2,000 changes in 50 groups: {told}")
    assert len(slack.messages()) <= 50
    assert threads <= 50
    assert waited <= 180
    assert slack.unexpected == []


@pytest.mark.parametrize("how", ["refuses connections", "answers 503"])
def test_what_ended_while_pagerduty_was_down_wakes_nobody_and_slack_lists_it(
    staffed: Callable[..., Office], slack: SlackStandIn, pagerduty: PagerDutyStandIn, how: str, figure: Figure
) -> None:
    office = staffed(slack=chat(slack), pager=pager(pagerduty))
    if how == "answers 503":
        pagerduty.fail("enqueue", "status", status=503, times=100_000)
    else:
        pagerduty.down()
    for receiver in ("slack", "pager"):
        office.owe("trigger", 1, receiver, range(8))
    office.run(60 * MINUTE)
    for receiver in ("slack", "pager"):
        office.owe("resolve", 2, receiver, range(4))
    office.run(60 * MINUTE)
    if how == "answers 503":
        pagerduty.clear()
    else:
        pagerduty.up()
    office.run(30 * MINUTE)
    ended = [message for message in slack.messages() if "resolved" in message.shown]
    told = f"{pagerduty.pages} pages, {len(slack.messages())} messages, {len(ended)} of them resolved"
    figure("T8", f"PagerDuty down 2 h ({how}): {told}")
    assert (pagerduty.pages, len(pagerduty.open)) == (4, 4)
    assert (len(slack.messages()), len(ended)) == (8, 4)
    assert slack.unexpected == pagerduty.unexpected == []
    assert office.unsettled("pager") == office.unsettled("slack") == 0


def test_what_began_and_ended_while_slack_was_down_is_one_message_that_is_resolved(
    staffed: Callable[..., Office], slack: SlackStandIn
) -> None:
    office = staffed(slack=chat(slack))
    slack.down()
    office.owe("trigger", 1, "slack", range(3))
    office.run(30 * MINUTE)
    office.owe("resolve", 2, "slack", range(3))
    office.run(30 * MINUTE)
    slack.up()
    office.run(10 * MINUTE)
    assert len(slack.messages()) == 3
    assert all("resolved" in message.shown for message in slack.messages())
    assert sum(len(slack.thread(message.ts)) for message in slack.messages()) == 0
    assert slack.unexpected == []


def test_slack_that_asks_for_five_minutes_gets_them_and_pagerduty_is_not_delayed(
    staffed: Callable[..., Office], slack: SlackStandIn, pagerduty: PagerDutyStandIn, figure: Figure
) -> None:
    office = staffed(slack=chat(slack), pager=pager(pagerduty))
    slack.fail("chat.postMessage", "status", status=429, retry_after="300")
    for receiver in ("slack", "pager"):
        office.owe("trigger", 1, receiver, range(10))
    office.run(5 * SECOND)
    assert (pagerduty.pages, len(slack.messages())) == (10, 0)
    office.run(290 * SECOND)
    assert len(slack.calls("chat.postMessage")) == 1
    waited = 0
    while len(slack.messages()) < 10 and waited <= 65:
        office.run(SECOND)
        waited += 1
    figure("T5", f"429 for 300 s: 1 call before, 10 of 10 posts {waited - 5} s after; 10 pages within 5 s meanwhile")
    assert waited <= 65
    assert slack.unexpected == pagerduty.unexpected == []


def test_a_hundred_posts_whose_answers_are_lost_are_a_hundred_messages(
    staffed: Callable[..., Office], slack: SlackStandIn, figure: Figure
) -> None:
    office = staffed(slack=chat(slack))
    slack.fail("chat.postMessage", "drop", times=100, after_effect=True)
    office.owe("trigger", 1, "slack", range(100))
    office.run(60 * MINUTE)
    figure("T10", f"100 answers lost after acceptance: {len(slack.messages())} messages")
    assert len(slack.messages()) == 100
    assert office.unsettled("slack") == 0
    assert slack.unexpected == []


def test_a_channel_that_is_gone_pages_instead_and_the_page_closes(
    staffed: Callable[..., Office], slack: SlackStandIn, pagerduty: PagerDutyStandIn
) -> None:
    office = staffed(slack=chat(slack), pager=pager(pagerduty))
    office.store.outbox.set_fallbacks({"slack": "pager"}, NOON)
    slack.fail("chat.postMessage", "error", code="not_in_channel")
    office.owe("trigger", 1, "slack", range(3))
    office.run(MINUTE)
    assert (pagerduty.pages, len(slack.messages())) == (3, 0)
    office.run(15 * MINUTE)
    assert (pagerduty.pages, len(slack.messages())) == (3, 3)
    office.owe("update", 2, "slack", range(3))
    office.run(MINUTE)
    office.owe("resolve", 3, "slack", range(3))
    office.run(MINUTE)
    assert (pagerduty.pages, pagerduty.open) == (3, [])
    assert all("resolved" in message.shown for message in slack.messages())
    assert slack.unexpected == pagerduty.unexpected == []
