"""A reload at each awkward moment: nothing is told twice, nothing is lost, and what does not load changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.figures import Figure
from tests.flow.clockwork import Clockwork, clockwork
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, SHOP
from tests.standins.server import Answer, Call
from tests.standins.slack import SlackStandIn

SECOND = timedelta(seconds=1)
BOTH = SHOP.replace("notify: {warning: [team], critical: [pager]}", "notify: {warning: [team, pager]}")
OPENS, ENDS = NOON + 2 * HOUR, NOON + 4 * HOUR


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Clockwork]:
    """Few orders from noon to two: the evaluation at two opens an incident."""
    with clockwork(tmp_path, BOTH) as clock:
        quiet(clock.world).shop.open_hours(NOON, OPENS, 30).open_hours(OPENS, NOON + 8 * HOUR).load()
        clock.world.at(NOON + HOUR)
        yield clock


def ends_once(shop: Clockwork, cause: str) -> str:
    """One message and one page, both ended, for this cause. What was counted, in words."""
    (root,) = shop.slack.messages()
    ids = [post.delivery_id for post in shop.slack.posts]
    assert ("resolved" in root.shown, len(ids) - len(set(ids))) == (True, 0)
    assert (shop.pager.pages, shop.pager.open) == (1, [])
    assert [cause in one.cause for one in shop.world.incidents()] == [True]
    return "1 message, 1 page, both ended, 0 twice, 0 lost"


def test_during_the_group_wait_the_first_message_keeps_its_time(shop: Clockwork, figure: Figure) -> None:
    shop.run(OPENS, OPENS + 10 * SECOND, HOUR)
    assert shop.heard == []
    shop.world.change("below: 50", "below: 45")
    shop.world.reload(OPENS + 10 * SECOND)
    shop.run(OPENS + 10 * SECOND, NOON + 6 * HOUR, HOUR)
    assert [shop.said(name, OPENS)[0][1] for name in ("slack", "pager")] == [30, 30]
    figure("T15", f"reload in the group wait: told 30 s after the incident, {ends_once(shop, 'clean')}")


def test_during_a_send_the_message_is_one(shop: Clockwork, figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    reloaded = list[str]()

    def respond(self: SlackStandIn, call: Call) -> Answer:
        if self.method_of(call.path) == "chat.postMessage" and not reloaded:
            reloaded.append(call.path)
            shop.world.change("below: 50", "below: 45")
            shop.world.reload(OPENS + 30 * SECOND)
        return answer(self, call)

    answer = SlackStandIn.respond
    monkeypatch.setattr(SlackStandIn, "respond", respond)  # a stand-in that answers when the reload is done
    shop.run(OPENS, NOON + 6 * HOUR, HOUR)
    assert len(reloaded) == 1
    figure("T15", f"reload during a send: {ends_once(shop, 'clean')}")


@pytest.mark.parametrize("told", ["before it is told", "after it is told"])
def test_with_a_syntax_error_the_old_rules_go_on(shop: Clockwork, told: str, figure: Figure) -> None:
    shop.run(OPENS, OPENS + (10 if told.startswith("before") else 600) * SECOND, HOUR)
    before = shop.world.app.config.subscriptions
    shop.world.change("subscriptions:\n", "subscriptions: [\n")
    shop.world.reload(OPENS + 600 * SECOND)
    assert shop.world.app.config.subscriptions == before, "the last good rules"
    (ailment,) = shop.world.ailments(open_only=True)
    assert ailment.kind == "config"
    shop.run(OPENS + 601 * SECOND, NOON + 6 * HOUR, HOUR)
    figure("T15", f"syntax error {told}: the old rules stay, {ends_once(shop, 'clean')}")


def test_with_a_renamed_rule_what_was_told_ends_and_nothing_is_told_again(shop: Clockwork, figure: Figure) -> None:
    shop.run(OPENS, OPENS + 600 * SECOND, HOUR)
    assert len(shop.pager.open) == 1
    shop.world.change("\n  health:\n", "\n  wealth:\n")
    shop.world.reload(OPENS + 600 * SECOND)
    shop.run(OPENS + 600 * SECOND, NOON + 6 * HOUR, HOUR)
    figure("T15", f"renamed rule: {ends_once(shop, 'rule removed')}")
