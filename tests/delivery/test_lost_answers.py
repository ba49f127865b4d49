"""A hundred posts whose answers are lost after Slack took them: each is looked for, and none is said twice."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr

from alerting.delivery import drain
from alerting.store import Store
from notifiers.slack.notifier import Slack
from tests.kill.story import MINUTE, MINUTES, START, Story, evaluate_next
from tests.standins.slack import TOKEN, SlackStandIn

POSTS = 100


def test_a_hundred_lost_answers_are_no_message_twice(store: Store) -> None:
    story, now = Story.of(300, seed=7), START + (MINUTES + 1) * MINUTE
    with SlackStandIn() as stand_in:
        slack = Slack(channel="C0LOST0001", token=SecretStr(TOKEN), base_url=stand_in.base_url)
        stand_in.fail("chat.postMessage", "drop", after_effect=True, times=POSTS)
        for _ in range(MINUTES):
            evaluate_next(store, story)
        while store.outbox.receivers_waited_for() & {"slack"}:
            drain(
                store,
                {"slack": slack, "pager": slack},
                now=now,
                picture=lambda _: None,
                chance=lambda: 0.0,
                pause=lambda _: None,
            )
            now += timedelta(minutes=1)
        dropped = [call for call in stand_in.calls("chat.postMessage") if call.fault == "drop"]
        posted = [post.delivery_id for post in stand_in.posts]
    assert len(dropped) == POSTS
    assert len(posted) == len(set(posted)) >= POSTS
    assert stand_in.unexpected == []
