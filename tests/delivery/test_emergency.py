"""What people hear when the state itself does not answer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerting.delivery import Emergency
from alerting.store import Unavailable, open_store
from notifiers.errors import Ambiguous, NotSent
from notifiers.slack import Slack
from tests.delivery.fakes import Fake
from tests.standins.slack import TOKEN, SlackStandIn
from tests.store.builders import NOON

SECOND = timedelta(seconds=1)


def emergency(**notifiers: Fake | Slack) -> Emergency:
    return Emergency(lambda: notifiers, hand_over=lambda work: work())


def test_what_lasts_is_told_once_and_its_end_once() -> None:
    ops = Fake()
    watch = emergency(ops=ops)
    for second in range(0, 3600, 10):
        watch.failed("the state database is locked", NOON + second * SECOND)
    assert [one.kind for one in ops.arrived] == ["trigger"]
    assert ops.arrived[0].created == NOON + 30 * SECOND
    watch.works(NOON + 3600 * SECOND)
    watch.works(NOON + 3601 * SECOND)
    assert [one.kind for one in ops.arrived] == ["trigger", "resolve"]
    assert ops.arrived[1].remote_id == f"root:{ops.arrived[0].group_id}"


def test_a_short_lock_is_told_nobody() -> None:
    ops = Fake()
    watch = emergency(ops=ops)
    for second in range(0, 600, 20):
        watch.failed("the state database is locked", NOON + second * SECOND)
        watch.works(NOON + (second + 10) * SECOND)
    assert ops.arrived == []


def test_who_was_not_reached_is_tried_each_minute_and_who_perhaps_was_is_not() -> None:
    lost, refusing = Fake().planned(Ambiguous("read timeout")), Fake().planned(NotSent("refused"), NotSent("refused"))
    watch = emergency(lost=lost, refusing=refusing)
    for second in range(0, 200, 10):
        watch.failed("the state database is full", NOON + second * SECOND)
    assert (len(lost.attempts), len(refusing.attempts), len(refusing.arrived)) == (1, 3, 1)


def test_slack_shows_one_message_that_ends_resolved() -> None:
    with SlackStandIn() as slack:
        watch = emergency(ops=Slack(channel="C0GROWTH01", token=SecretStr(TOKEN), base_url=slack.base_url))
        watch.failed("the state database is not available: database or disk is full", NOON)
        watch.failed("the state database is not available: database or disk is full", NOON + 30 * SECOND)
        assert "cannot watch anything: the state database is not available" in slack.messages()[0].shown
        watch.works(NOON + 90 * SECOND)
        (message,) = slack.messages()
        assert "resolved" in message.shown
        assert slack.unexpected == []


def test_a_locked_state_is_noticed_although_reading_works(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    store.prove_writable()
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.outbox.receivers_in_trouble() == []
        with pytest.raises(Unavailable, match="locked"):
            store.prove_writable()
    store.prove_writable()
    store.close()
