"""What changes under a running metricwatch: readings, lateness, SQL texts, rules, files and settings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from tests.flow.conftest import Made
from tests.flow.test_crashes import RESTATE
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World

MINUTE = timedelta(minutes=1)


def dropped(world: World) -> World:
    """A drop since noon, told at two."""
    quiet(world).shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    assert world.kinds() == ["trigger"]
    return world


def test_restated_readings_retract_what_they_do_not_justify_any_more(make: Made) -> None:
    world = make()
    world.change(*RESTATE)
    dropped(world)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 98).load()
    world.at(NOON + 2 * HOUR + 40 * MINUTE)
    (incident,) = world.incidents()
    assert (incident.status, incident.cause) == ("retracted", "30 was restated to 98")
    assert world.kinds() == ["trigger", "resolve"]


def test_a_pending_bucket_that_was_restated_counts_no_more(make: Made) -> None:
    world = make()
    world.change(*RESTATE)
    quiet(world).shop.open_hours(NOON, NOON + HOUR, 30).load()
    world.at(NOON + HOUR)
    world.shop.open_hours(NOON, NOON + HOUR, 98).open_hours(NOON + HOUR, NOON + 2 * HOUR, 30).load()
    world.at(NOON + 2 * HOUR)
    assert world.incidents() == [], "one bad bucket is not two"
    world.shop.open_hours(NOON + 2 * HOUR, NOON + 3 * HOUR, 30).load()
    world.at(NOON + 3 * HOUR)
    assert [one.opened for one in world.incidents()] == [NOON + HOUR]


def test_a_restated_reading_that_looks_bad_now_opens_nothing(make: Made) -> None:
    world = make()
    world.change(*RESTATE)
    quiet(world).shop.open_hours(NOON - 4 * HOUR, NOON - 2 * HOUR, 10).open_hours(NOON, NOON + HOUR).load()
    world.at(NOON + HOUR)
    assert world.incidents() == []


def test_data_that_comes_late_is_one_ailment_and_no_anomaly(make: Made) -> None:
    world = make()
    world.change("history: 5d", "history: 5d\n    late: {warning: 90m, critical: 3h}")
    quiet(world)
    world.hours(NOON + HOUR, NOON + 7 * HOUR)
    assert [(one.kind, one.severity) for one in world.ailments()] == [("late", "critical")]
    assert world.incidents() == []
    assert (world.kinds("team"), world.kinds("ops")) == ([], ["trigger", "update"])
    world.shop.open_hours(NOON, NOON + 7 * HOUR).load()
    world.at(NOON + 7 * HOUR)
    assert world.ailments(open_only=True) == world.incidents() == []
    assert world.kinds("ops") == ["trigger", "update", "resolve"]


def test_a_drop_within_data_that_came_late_is_found(make: Made) -> None:
    world = quiet(make())
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).load()
    world.at(NOON + 3 * HOUR)
    assert [one.opened for one in world.incidents()] == [NOON]
    assert world.kinds() == ["trigger"]


def test_no_rows_are_zero_orders_where_the_metric_says_so(make: Made) -> None:
    world = make()
    world.change("rollup: sum,", "rollup: sum, fill: zero,")
    quiet(world)
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    (incident,) = world.incidents()
    assert (incident.worst.observed, incident.severity) == (0.0, "critical")
    assert world.kinds("pager") == ["trigger"]


def test_a_shop_that_stays_empty_after_a_quiet_weekend_is_found(make: Made) -> None:
    world = make()
    world.change("rollup: sum,", "rollup: sum, fill: zero,")
    world.change("{below: 50}", '{below: 50, during: "12:00-23:00"}')
    world.shop.open_hours(NOON - timedelta(days=4), NOON - 40 * HOUR).load()
    world.adopt(NOON - HOUR)
    world.hours(NOON - HOUR, NOON + 3 * HOUR)
    assert [one.opened for one in world.incidents()] == [NOON], "silence since long ago is zero as well"


def test_a_new_text_of_the_query_goes_on_where_the_old_one_stopped(make: Made) -> None:
    world = dropped(make())
    world.change("WHERE time >= :start", "WHERE orders >= 0 AND time >= :start")
    world.reload(NOON + 2 * HOUR + MINUTE)
    assert world.app.due(NOON + 2 * HOUR + MINUTE) == ["orders_hourly"]
    world.at(NOON + 2 * HOUR + MINUTE)
    world.shop.open_hours(NOON + 2 * HOUR, NOON + 6 * HOUR).load()
    world.hours(NOON + 3 * HOUR, NOON + 6 * HOUR)
    assert [(one.opened, one.status) for one in world.incidents()] == [(NOON, "resolved")]
    assert world.kinds() == ["trigger", "resolve"]
    until = NOON + 5 * HOUR
    stored = world.app.store.verdicts("health", "threshold", "shop.orders", NOON - 10 * HOUR, until)
    assert len(stored.times) == 15, "no bucket was left out"


def test_texts_that_go_back_and_forth_are_pulled_once_an_hour(make: Made) -> None:
    world = quiet(make())
    texts = ("WHERE time >= :start", "WHERE orders >= 0 AND time >= :start")
    for minute, (before, after) in enumerate([texts, texts[::-1], texts], 1):
        world.change(before, after)
        world.reload(NOON + minute * MINUTE)
        world.at(NOON + minute * MINUTE)
        assert world.app.due(NOON + minute * MINUTE + timedelta(seconds=1)) == []
        state = world.app.store.query_states()["orders_hourly"]
        assert state.digest == world.app.config.queries["orders_hourly"].digest


REMOVED = {
    "the subscription": ("\n  health:\n", "\n  wealth:\n"),
    "the metric": ("shop.orders", "shop.sales"),
    "the detector": ("detect: [threshold: {below: 50}]", "detect: [seasonal: {}]"),
}


@pytest.mark.parametrize("what", REMOVED)
def test_an_incident_ends_when_its_rule_is_removed(what: str, make: Made) -> None:
    world = dropped(make())
    world.change(*REMOVED[what])
    world.reload(NOON + 2 * HOUR + MINUTE)
    world.deliver(NOON + 2 * HOUR + MINUTE)
    (incident,) = world.incidents()
    assert (incident.status, incident.cause) == ("resolved", "rule removed")
    assert world.kinds() == ["trigger", "resolve"]
    assert world.told()[0].group_id == world.told()[1].group_id


def test_an_ailment_ends_when_nobody_watches_its_query_any_more(make: Made) -> None:
    world = make()
    world.change("history: 5d", "history: 5d\n    late: {warning: 90m}")
    quiet(world)
    world.hours(NOON + HOUR, NOON + 5 * HOUR)
    assert len(world.ailments(open_only=True)) == 1
    world.change("metrics: [shop.orders]", "metrics: [shop.other]")
    world.change("subscriptions:", OTHER)
    world.reload(NOON + 5 * HOUR)
    assert world.ailments(open_only=True) == []


OTHER = """\
  shop.other:
    source: shop
    bucket: 1h
    value: orders
    rollup: sum
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
subscriptions:"""


def test_a_rule_that_is_removed_while_it_is_evaluated_leaves_nothing_open(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.at(NOON + HOUR)

    def reload_meanwhile(query: str, done: int, total: int) -> None:
        world.change(*REMOVED["the subscription"])
        world.reload(NOON + 2 * HOUR)

    world.app.progress = reload_meanwhile
    world.evaluate(NOON + 2 * HOUR)
    assert [(one.status, one.cause) for one in world.incidents()] == [("resolved", "rule removed")]


def test_a_file_that_does_not_load_changes_nothing_and_is_told_until_it_does(make: Made) -> None:
    world = dropped(make())
    world.change("detect: [threshold: {below: 50}]", "detect: [threshold: {bellow: 50}]")
    world.reload(NOON + 2 * HOUR + MINUTE)
    world.deliver(NOON + 2 * HOUR + MINUTE)
    assert [one.kind for one in world.ailments(open_only=True)] == ["config"]
    assert world.kinds("ops") == ["trigger"]
    assert "shop.yaml" in world.told("ops")[0].incidents[0].reason

    world.restart()
    world.adopt(NOON + 3 * HOUR)
    world.shop.open_hours(NOON + 2 * HOUR, NOON + 4 * HOUR).load()
    world.hours(NOON + 3 * HOUR, NOON + 5 * HOUR)
    assert world.kinds() == ["trigger", "resolve"], "the last good rule goes on"
    assert world.kinds("ops") == ["trigger"]

    world.change("bellow", "below")
    world.reload(NOON + 5 * HOUR)
    world.deliver(NOON + 5 * HOUR)
    assert world.ailments(open_only=True) == []
    assert world.kinds("ops") == ["trigger", "resolve"]


def test_muted_everything_is_recorded_and_nothing_is_sent(make: Made) -> None:
    world = quiet(make(mute=True))
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    (incident,) = world.incidents()
    assert [(row.state, row.reason) for row in world.outbox(incident)] == [
        ("muted", "not sent: METRICWATCH_MUTE is set")
    ]
    world.shop.open_hours(NOON + 2 * HOUR, NOON + 4 * HOUR).load()
    world.hours(NOON + 3 * HOUR, NOON + 5 * HOUR)
    assert [row.state for row in world.outbox(incident)] == ["muted", "muted"]
    world.restart(mute=False)
    world.at(NOON + 5 * HOUR)
    assert world.kinds() == [], "what opened and ended muted stays so"


def test_what_opened_muted_and_goes_on_is_told_afterwards(make: Made) -> None:
    world = quiet(make(mute=True))
    world.shop.open_hours(NOON, NOON + 4 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    world.restart(mute=False)
    world.at(NOON + 3 * HOUR)
    assert world.kinds() == ["trigger"]


def test_what_was_told_before_the_mute_gets_its_end_after_it(make: Made) -> None:
    world = dropped(make())
    world.restart(mute=True)
    world.shop.open_hours(NOON + 2 * HOUR, NOON + 5 * HOUR).load()
    world.hours(NOON + 3 * HOUR, NOON + 5 * HOUR)
    assert world.incidents()[0].status == "resolved"
    assert world.kinds() == ["trigger"]
    world.restart(mute=False)
    world.at(NOON + 5 * HOUR)
    assert world.kinds() == ["trigger", "resolve"]


def test_a_receiver_without_its_token_gets_everything_once_it_has_it(make: Made) -> None:
    from tests.standins.slack import SlackStandIn
    from tests.standins.workspace import TOKEN

    with SlackStandIn() as slack:
        world = make()
        world.change("team: {console: {}}", "team: {slack: {channel: C0GROWTH01}}")
        world.settings = world.settings.model_copy(update={"slack_base_url": f"{slack.origin}/api/"})
        world.sends_really = True
        quiet(world).shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
        world.hours(NOON + HOUR, NOON + 3 * HOUR)
        (incident,) = world.incidents()
        (row,) = world.outbox(incident)
        assert row.state == "parked"
        assert "METRICWATCH_SLACK_TOKEN" in row.reason
        assert slack.posts == []
        world.restart(slack_token=SecretStr(TOKEN))
        world.at(NOON + 3 * HOUR)
        assert [row.state for row in world.outbox(incident)] == ["sent"]
        assert len([post for post in slack.posts if post.thread_ts is None]) == 1
        assert slack.unexpected == []


def test_a_metric_on_a_column_that_none_read_before_has_its_history(make: Made) -> None:
    world = make()
    world.change("country, orders FROM", "country, orders, 2.5 * orders AS revenue, NULL AS refunds FROM")
    quiet(world).at(NOON)
    world.change(
        "\nsubscriptions:",
        "\n  shop.revenue: {query: orders_hourly, value: revenue, rollup: sum}"
        "\n  shop.refunds: {query: orders_hourly, value: refunds, rollup: sum}\nsubscriptions:",
    )
    world.reload(NOON)
    world.at(NOON + HOUR)
    query = world.app.config.queries["orders_hourly"]
    block = world.app.store.points.read(query.digest, NOON - 24 * HOUR, NOON)
    assert {key.value for key in block.keys} == {"orders", "revenue", "refunds"}
    revenue = [column for key, column in zip(block.keys, block.values.T, strict=True) if key.value == "revenue"]
    assert [column.tolist() for column in revenue] == [[250.0] * 24]
    added = world.app.store.query_states()["orders_hourly"].added
    world.at(NOON + 2 * HOUR)
    assert world.app.store.query_states()["orders_hourly"].added == added, "and it is pulled again only once"
