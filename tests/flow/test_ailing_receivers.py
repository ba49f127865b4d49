"""Receivers that are out of order, and who hears of it."""

from __future__ import annotations

from datetime import timedelta

from alerting.app import reading
from alerting.delivery import drain
from notifiers.errors import BadContent, BadDestination
from tests.delivery.fakes import Fake, no_picture
from tests.flow.conftest import Made
from tests.flow.world import HOUR, NOON, SHOP, World

DAYS = timedelta(days=6)
SECOND = timedelta(seconds=1)
REFUSED = BadDestination("not_in_channel")
WITH_FALLBACK = SHOP.replace("team: {console: {}}", "team: {console: {}, fallback: pager}")


def drop(world: World) -> World:
    """Six quiet days, then three hours of far too few orders and five good ones."""
    world.shop.open_hours(NOON - DAYS, NOON).load()
    world.adopt(NOON)
    world.at(NOON)
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).open_hours(NOON + 3 * HOUR, NOON + 8 * HOUR).load()
    return world


def test_a_receiver_that_is_out_of_order_is_told_of_once_and_its_recovery_once(make: Made) -> None:
    world = drop(make())
    _ = world.app
    world.receivers["team"].planned(REFUSED).probed(REFUSED, REFUSED)
    world.hours(NOON + HOUR, NOON + 6 * HOUR)
    (trigger, resolve) = world.told("ops")
    assert (trigger.kind, trigger.incidents[0].kind, trigger.incidents[0].metric) == ("trigger", "receiver", "team")
    assert trigger.incidents[0].reason == "destination refused: not_in_channel"
    assert resolve.kind == "resolve"
    assert [one.status for one in world.ailments()] == ["resolved"]


def test_a_receiver_that_comes_and_goes_is_told_of_once_a_day(make: Made) -> None:
    world = make()
    outbox = world.app.store.outbox
    for hour in range(30):
        now = NOON + hour * HOUR
        if hour % 3 == 0:
            outbox.receiver_still_fails("team", "credential", "token_revoked", now + 2 * HOUR, now)
        elif hour % 3 == 1:
            outbox.receiver_works("team", now)
        world.app.judge_receivers(now)
        drain(
            world.app.store, {"ops": world.receivers["ops"], "pager": Fake()}, now=now + 30 * SECOND, picture=no_picture
        )
    assert len(world.ailments()) == 10
    assert world.kinds("ops").count("trigger") == 2
    assert world.kinds("ops").count("resolve") == 2


def test_the_fallback_is_told_what_its_receiver_is_not_and_why_shows_it(make: Made) -> None:
    world = drop(make(WITH_FALLBACK))
    _ = world.app
    world.receivers["team"].planned(REFUSED).probed(*[REFUSED] * 20)
    world.hours(NOON + HOUR, NOON + 6 * HOUR)
    assert world.kinds("team") == []
    assert world.kinds("pager") == ["trigger", "resolve"]
    (story, *_) = reading.why_incident(world.app, world.incidents()[0].id, NOON + 6 * HOUR)
    told = [gate.detail for gate in story.gates if gate.name == "receiver pager"]
    assert len(told) == 2
    assert all("fallback for team: " in detail and "not_in_channel" in detail for detail in told)


def test_a_delivery_that_is_given_up_is_told_once_a_day_with_how_to_try_again(make: Made) -> None:
    world = make(SHOP.replace("history: 5d", "history: 5d\n    late: {warning: 9d}"))
    drop(world)
    world.shop.open_hours(NOON + 8 * HOUR, NOON + 11 * HOUR, 30).open_hours(NOON + 11 * HOUR, NOON + 40 * HOUR).load()
    _ = world.app
    refused = BadContent("status 400")
    world.receivers["team"].planned(refused, refused)
    world.hours(NOON + HOUR, NOON + 8 * HOUR)
    (told,) = world.told("ops")
    (dead, *_) = world.app.store.outbox.dead_since(NOON, ["team"])
    assert (told.kind, told.incidents[0].kind, told.incidents[0].metric) == ("trigger", "undelivered", "team")
    assert told.incidents[0].reason == (
        f"health, group {dead.group_id} (content refused: status 400); "
        f"to try again: metricwatch deliveries retry {dead.delivery_id}"
    )
    world.receivers["team"].planned(refused)
    world.hours(NOON + 8 * HOUR, NOON + 20 * HOUR)
    assert world.kinds("ops") == ["trigger"], "another one within the day is no further notice"
    world.hours(NOON + 20 * HOUR, NOON + 37 * HOUR)
    assert world.kinds("ops") == ["trigger", "update", "resolve"]
    assert world.told("ops")[1].is_reminder, "a day later one is still given up"


def test_who_tries_a_delivery_again_ends_the_notice_of_it(make: Made) -> None:
    world = drop(make())
    _ = world.app
    world.receivers["team"].planned(BadContent("status 400"))
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    assert world.kinds("ops") == ["trigger"]
    outbox = world.app.store.outbox
    (dead,) = outbox.dead_since(NOON, ["team"])
    assert outbox.retry(NOON + 3 * HOUR, delivery_id=dead.delivery_id).ready == (dead.delivery_id,)
    world.hours(NOON + 3 * HOUR, NOON + 5 * HOUR)
    assert world.kinds("team")[0] == "trigger"
    assert world.kinds("ops") == ["trigger", "resolve"]


def test_a_receiver_that_is_removed_is_not_ailing_any_more(make: Made) -> None:
    world = make()
    world.adopt(NOON)
    world.app.store.outbox.receiver_still_fails("team", "credential", "token_revoked", NOON + HOUR, NOON)
    world.app.judge_receivers(NOON)
    assert len(world.ailments(open_only=True)) == 1
    world.change("  team: {console: {}}\n", "")
    world.change("warning: [team]", "warning: [ops]")
    world.reload(NOON + HOUR)
    assert world.ailments(open_only=True) == []


def test_a_muted_metricwatch_hands_nothing_over(make: Made) -> None:
    world = drop(make(WITH_FALLBACK, mute=True))
    world.hours(NOON + HOUR, NOON + 6 * HOUR)
    assert {row.receiver for row in world.app.store.outbox.rows()} <= {"team"}
    assert world.ailments() == []


def test_once_the_mute_is_over_nobody_hears_of_it_and_nobody_is_told_twice(make: Made) -> None:
    world = drop(make(WITH_FALLBACK))
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    world.restart(mute=True)
    world.adopt(NOON + 3 * HOUR)
    world.hours(NOON + 3 * HOUR, NOON + 6 * HOUR)
    assert world.kinds("team") == ["trigger"]
    world.restart(mute=False)
    world.adopt(NOON + 6 * HOUR)
    world.hours(NOON + 6 * HOUR, NOON + 8 * HOUR)
    assert world.kinds("team") == ["trigger", "resolve"]
    assert world.kinds("pager") == world.kinds("ops") == []
