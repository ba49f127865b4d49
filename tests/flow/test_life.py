"""An incident from its first bucket to its last, on real warehouses."""

from __future__ import annotations

from datetime import timedelta

from tests.flow.conftest import Made
from tests.flow.world import HOUR, NOON, World

DAYS = timedelta(days=6)


def quiet(world: World) -> World:
    """Six days of a hundred orders an hour up to noon, seen once at five past."""
    world.shop.open_hours(NOON - DAYS, NOON).load()
    world.adopt(NOON)
    world.at(NOON)
    return world


def test_a_drop_is_told_once_and_its_end_once(everywhere: World) -> None:
    world = quiet(everywhere)
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).open_hours(NOON + 3 * HOUR, NOON + 8 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 9 * HOUR)
    assert world.kinds() == ["trigger", "resolve"]
    trigger, resolve = world.told()
    assert (trigger.incidents[0].opened, trigger.created) == (NOON, NOON + 2 * HOUR)
    assert (resolve.created, resolve.group_id) == (NOON + 5 * HOUR, trigger.group_id)
    assert [one.status for one in world.incidents()] == ["resolved"]
    assert world.kinds("pager") == world.kinds("ops") == []


def test_a_rule_opens_nothing_from_before_it_was_added(make: Made) -> None:
    world = make()
    world.shop.open_hours(NOON - DAYS, NOON, 30).load()
    world.adopt(NOON)
    found = world.at(NOON)
    assert found[0].judged == 1
    assert not found[0].error
    assert world.incidents() == []
    assert world.told() == []


def test_one_bad_bucket_opens_nothing_where_two_are_asked_for(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + HOUR, 30).open_hours(NOON + HOUR, NOON + 4 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 5 * HOUR)
    assert world.incidents() == []
    assert world.told() == []


def test_evaluating_twice_at_the_same_time_changes_nothing(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.at(NOON + HOUR)
    world.at(NOON + 2 * HOUR)
    before = repr((world.incidents(), world.outbox(world.incidents()[0])))
    again = world.at(NOON + 2 * HOUR)
    assert again[0].decision.is_quiet
    assert repr((world.incidents(), world.outbox(world.incidents()[0]))) == before
    assert world.kinds() == ["trigger"]


def test_a_restart_between_two_buckets_changes_nothing(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).open_hours(NOON + 2 * HOUR, NOON + 6 * HOUR).load()
    for hour in range(1, 7):
        world.restart()
        world.adopt(NOON + hour * HOUR)
        world.at(NOON + hour * HOUR)
    assert world.kinds() == ["trigger", "resolve"]


def test_what_began_and_ended_unwatched_is_told_in_one_message(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).open_hours(NOON + 3 * HOUR, NOON + 8 * HOUR).load()
    world.at(NOON + 8 * HOUR)
    (incident,) = world.incidents()
    assert (incident.opened, incident.status) == (NOON, "resolved")
    assert world.kinds() == ["resolve"]


def test_severity_that_rises_tells_the_critical_receiver(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).open_hours(NOON + 3 * HOUR, NOON + 4 * HOUR, 0).load()
    world.hours(NOON + HOUR, NOON + 4 * HOUR)
    assert (world.kinds("team"), world.kinds("pager")) == (["trigger"], [])
    world.at(NOON + 4 * HOUR)
    assert (world.kinds("team"), world.kinds("pager")) == (["trigger", "update"], ["trigger"])
    assert world.told("pager")[0].severity == "critical"
    assert world.told("team")[1].raises_severity
    world.shop.open_hours(NOON + 4 * HOUR, NOON + 6 * HOUR).load()
    world.hours(NOON + 5 * HOUR, NOON + 7 * HOUR)
    assert world.kinds("pager") == ["trigger", "resolve"]
    assert world.kinds("team")[-1] == "resolve"


def test_series_that_may_open_next_are_counted_in_the_message_and_cause_no_edit(make: Made) -> None:
    world = make()
    for country in ("FR", "IT"):
        world.shop.open_hours(NOON - 144 * HOUR, NOON + 12 * HOUR, country=country)
    quiet(world)
    world.shop.open_hours(NOON, NOON + 8 * HOUR, 30)
    world.shop.open_hours(NOON + HOUR, NOON + 2 * HOUR, 30, "FR").open_hours(NOON + HOUR, NOON + 2 * HOUR, 30, "IT")
    world.shop.open_hours(NOON + 4 * HOUR, NOON + 5 * HOUR, 30, "FR").load()
    world.hours(NOON + HOUR, NOON + 4 * HOUR)
    assert [one.pending for one in world.told()] == [2]
    world.hours(NOON + 4 * HOUR, NOON + 6 * HOUR)
    assert world.kinds() == ["trigger"], "neither what is pending no more nor what is newly so"
    world.at(NOON + 6 * HOUR)  # four hours later a reminder, when FR is clean again
    world.at(NOON + 7 * HOUR)
    assert [(one.is_reminder, one.pending) for one in world.told()[1:]] == [(True, 0)]


TWO = (
    "subscriptions:\n  health:\n    metrics: [shop.orders]",
    """\
  shop.returns: {query: returns_hourly, value: orders, rollup: sum, better: lower}
subscriptions:
  health:
    metrics: [shop.orders, shop.returns]""",
)
SECOND_QUERY = (
    "metrics:\n  shop.orders",
    """\
  returns_hourly:
    source: shop
    bucket: 1h
    history: 5d
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.orders""",
)


def test_two_queries_that_feed_one_subscription_make_one_message(make: Made) -> None:
    world = make()
    world.change(*TWO)
    world.change(*SECOND_QUERY)
    quiet(world)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).open_hours(NOON + 2 * HOUR, NOON + 6 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 6 * HOUR)
    assert len(world.incidents()) == 2
    assert world.kinds() == ["trigger", "resolve"]
    assert len(world.told()[0].incidents) == 2


def test_processes_judge_like_the_process_itself(make: Made) -> None:
    seen = []
    for executor in ("inline", "processes"):
        world = quiet(make(executor=executor))
        world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
        world.hours(NOON + HOUR, NOON + 3 * HOUR)
        stored = world.app.store.verdicts("health", "threshold", "shop.orders", NOON - HOUR, NOON + 3 * HOUR)
        seen.append((world.incidents(), stored.score.tolist(), stored.status.tolist(), stored.lower.tolist()))
        world.close()
    assert repr(seen[0]) == repr(seen[1])
