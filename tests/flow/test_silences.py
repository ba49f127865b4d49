"""Silences, from a real pull to what arrives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerting.app.actions import Done
from alerting.core.incidents import Incident
from alerting.core.silences import BadSilence
from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World

OPENED = NOON + 2 * HOUR
"""When the incident of ``burning`` opens: the second bad hour is over."""


def burning(world: World, hours: int = 6) -> World:
    """Bad from noon on; the incident is open and told."""
    quiet(world)
    world.shop.open_hours(NOON, NOON + hours * HOUR, 30).open_hours(NOON + hours * HOUR, NOON + 40 * HOUR).load()
    world.hours(NOON + HOUR, OPENED + HOUR)
    assert world.kinds() == ["trigger"]
    return world


def the(world: World) -> Incident:
    return world.incidents()[-1]


def silence(world: World, hours: float, after: float = 0.0, **matchers: str) -> Done:
    return world.app.actions.silence_matching(
        matchers or {"metric": "shop.*"},
        timedelta(hours=hours),
        by="ann",
        comment="deploy",
        via="cli",
        now=OPENED + after * HOUR,
    )


def test_what_ends_under_a_silence_is_told_by_silent_edits(make: Made) -> None:
    world = burning(make())
    done = silence(world, 24)
    assert (done.changed, done.incidents) == (True, (the(world).id,))
    world.hours(OPENED + HOUR, NOON + 10 * HOUR)
    assert the(world).status == "resolved"
    trigger, edit, resolve = world.told()
    assert [one.kind for one in (trigger, edit, resolve)] == ["trigger", "update", "resolve"]
    assert [one.quiet for one in (trigger, edit, resolve)] == [False, True, True]
    assert (edit.silenced_until, edit.silenced_by, edit.silence_comment) == (OPENED + 24 * HOUR, "ann", "deploy")
    assert trigger.group_id == resolve.group_id
    assert resolve.remote_id == edit.remote_id


def test_a_silence_made_for_later_edits_the_message_once_when_it_begins(make: Made) -> None:
    world = burning(make(), hours=30)
    begin = OPENED + 2.5 * HOUR
    done = world.app.actions.silence_matching(
        {"metric": "shop.*"}, 3 * HOUR, by="ann", comment="move", via="cli", now=OPENED, starts=begin
    )
    assert done.text == ("silenced from Tue 2026-01-20 16:30 UTC until Tue 2026-01-20 19:30 UTC by ann")
    world.hours(OPENED + HOUR, OPENED + 3 * HOUR)
    assert world.kinds() == ["trigger"]
    world.at(begin)
    world.restart()
    world.adopt(begin + timedelta(minutes=1))
    world.hours(OPENED + 3 * HOUR, OPENED + 5 * HOUR)
    _, edit = world.told()
    assert (edit.created, edit.quiet, edit.silenced_until) == (begin, True, begin + 3 * HOUR)
    assert [change.text for change in edit.changes] == ["silenced until Tue 2026-01-20 19:30 UTC by ann: move"]
    world.hours(OPENED + 5 * HOUR, OPENED + 7 * HOUR)
    assert [one.silenced_until for one in world.told()[2:]] == [None], "its end is told as that of any silence"


def test_what_opens_under_a_silence_is_told_once_when_it_ends(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 40 * HOUR, 30).load()
    silence(world, 3)
    world.hours(NOON + HOUR, OPENED + 3 * HOUR)
    assert world.kinds() == []
    (row,) = world.outbox(the(world))
    assert (row.state, row.reason) == ("muted", "not sent: silenced until Tue 2026-01-20 17:00 UTC by ann: deploy")
    world.hours(OPENED + 3 * HOUR, OPENED + 6 * HOUR)
    (told,) = world.told()
    assert (told.kind, told.created, told.quiet) == ("trigger", OPENED + 3 * HOUR, False)


def test_what_opened_and_ended_under_a_silence_is_never_told(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).open_hours(NOON + 2 * HOUR, NOON + 30 * HOUR).load()
    silence(world, 6)
    world.hours(NOON + HOUR, NOON + 20 * HOUR)
    assert the(world).status == "resolved"
    assert world.told() == []


def test_a_silence_that_ends_while_it_still_fires_sends_one_notice(make: Made) -> None:
    world = burning(make(), hours=30)
    silence(world, 2)
    world.hours(OPENED + HOUR, OPENED + 5 * HOUR)
    _, edit, again = world.told()
    assert (edit.quiet, again.quiet) == (True, False)
    assert again.created == OPENED + 2 * HOUR
    assert again.silenced_until is None
    assert [change.text for change in again.changes] == ["the silence by ann (deploy) has ended, still open"]
    world.restart()
    world.at(OPENED + 5 * HOUR)
    assert len(world.told()) == 3


def test_a_silence_under_another_one_ends_without_a_word(make: Made) -> None:
    world = burning(make(), hours=30)
    silence(world, 2)
    silence(world, 5, subscription="health")
    world.hours(OPENED + HOUR, OPENED + 4 * HOUR)
    assert [one.quiet for one in world.told()] == [False, True]


def test_a_silence_while_the_group_waits_withdraws_the_trigger_until_it_ends(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 40 * HOUR, 30).load()
    world.at(NOON + HOUR)
    world.evaluate(OPENED)
    assert [row.state for row in world.outbox(the(world))] == ["ready"]
    silence(world, 2)
    world.deliver(OPENED)
    assert world.told() == []
    assert [row.state for row in world.outbox(the(world))] == ["merged", "muted"]
    world.hours(OPENED + HOUR, OPENED + 5 * HOUR)
    assert world.kinds() == ["trigger"]


def test_a_silence_of_another_country_changes_nothing(make: Made) -> None:
    world = burning(make())
    done = silence(world, 24, country="FR")
    assert (done.changed, done.incidents) == (True, ())
    world.hours(OPENED + HOUR, NOON + 10 * HOUR)
    assert world.kinds() == ["trigger", "update", "resolve"]
    assert not any(one.quiet for one in world.told())


def test_a_silenced_query_is_told_to_be_failing_when_the_silence_ends(make: Made) -> None:
    world = quiet(make())
    world.change("SELECT time, country, orders FROM orders", "SELECT time, country, orders FROM gone")
    world.reload(NOON)
    silence(world, 6, query="orders_hourly")
    world.hours(NOON + HOUR, OPENED + 6 * HOUR)
    assert [one.kind for one in world.ailments(open_only=True)] == ["failing"]
    assert world.told("ops") == []
    world.at(OPENED + 6 * HOUR)
    assert world.kinds("ops") == ["trigger"]


def test_the_same_silence_twice_is_one(make: Made) -> None:
    world = burning(make())
    assert silence(world, 2).changed
    again = silence(world, 2)
    assert (again.changed, again.text) == (False, "silenced until Tue 2026-01-20 16:00 UTC by ann already")
    assert len(world.app.store.silences.all()) == 1


def test_an_expired_silence_is_over_and_one_that_is_extended_lasts(make: Made) -> None:
    world = burning(make(), hours=30)
    silence(world, 20)
    (one,) = world.app.store.silences.holding()
    actions = world.app.actions
    assert actions.extend(one.id, HOUR, by="bob", via="cli", now=OPENED).changed
    assert world.app.store.silences.holding()[0].ends == OPENED + 21 * HOUR
    assert actions.expire(one.id, by="bob", via="cli", now=OPENED + HOUR).changed
    assert not actions.expire(one.id, by="bob", via="cli", now=OPENED + HOUR).changed
    world.deliver(OPENED + HOUR)
    world.at(OPENED + HOUR)
    assert [one.quiet for one in world.told()] == [False, True, False]
    with pytest.raises(BadSilence, match="is over: make a new one"):
        actions.extend(one.id, HOUR, by="bob", via="cli", now=OPENED + 2 * HOUR)
    assert [done.kind for done in world.app.store.actions.all()] == ["expire", "extend", "silence"]


def test_the_silence_of_a_message_matches_what_its_group_has_in_common(make: Made) -> None:
    world = burning(make())
    group = world.app.store.groups_of(the(world).id)[0].id
    done = world.app.actions.silence(group, HOUR, by="ann", comment="deploy", via="slack", now=OPENED)
    assert done.text == "silenced until Tue 2026-01-20 15:00 UTC by ann"
    assert dict(world.app.store.silences.holding()[0].matchers) == {"subscription": "health"}
