"""What ``delivery`` says is what reaches Slack and PagerDuty, to the second: every request is counted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.flow.clockwork import SECOND, Clockwork, clockwork
from tests.flow.world import HOUR, NOON, SHOP

MINUTE = timedelta(minutes=1)
EVERYBODY = SHOP.replace("notify: {warning: [team], critical: [pager]}", "notify: {warning: [team, pager]}")
# The same orders again, as a metric that is judged two minutes later: it joins what the first one has opened.
TWO_METRICS = EVERYBODY.replace(
    "metrics:\n  shop.orders",
    """\
  returns_hourly:
    source: shop
    bucket: 1h
    delay: 2m
    history: 5d
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.returns: {query: returns_hourly, value: orders, rollup: sum, better: lower}
  shop.orders""",
).replace("metrics: [shop.orders]", "metrics: [shop.orders, shop.returns]")


def ruled(delivery: str, yaml: str = EVERYBODY) -> str:
    return yaml.replace("    detect: [threshold", f"    delivery: {delivery}\n    detect: [threshold")


def dropping(clock: Clockwork, *countries: str, hours: int = 2) -> Clockwork:
    """Six days of a hundred orders an hour, and too few for ``hours`` from noon on."""
    shop = clock.world.shop
    for country in countries:
        shop.open_hours(NOON - timedelta(days=6), NOON, country=country)
        shop.open_hours(NOON, NOON + hours * HOUR, 10, country).open_hours(
            NOON + hours * HOUR, NOON + 9 * HOUR, country=country
        )
    shop.load()
    clock.world.adopt(NOON)
    clock.run(NOON, NOON + HOUR + 3 * MINUTE, 3 * MINUTE)
    return clock


OPENS = NOON + 2 * HOUR


def test_a_group_for_each_value_of_a_dimension(tmp_path: Path) -> None:
    with clockwork(tmp_path, ruled("{group_by: [country]}")) as clock:
        dropping(clock, "DE", "FR")
        clock.run(OPENS, OPENS + MINUTE, MINUTE, step=SECOND)
        assert clock.said("slack", OPENS) == [("root", 30), ("root", 30)]
        assert clock.said("pager", OPENS) == [("trigger", 30), ("trigger", 30)]
        clock.run(NOON + 4 * HOUR, NOON + 4 * HOUR + MINUTE, MINUTE, step=SECOND)
        ended = 2 * HOUR.total_seconds()
        assert clock.said("slack", OPENS)[2:] == [("edit", ended), ("reply", ended)] * 2
        assert clock.said("pager", OPENS)[2:] == [("resolve", ended)] * 2
        assert clock.pager.pages == 2


def test_one_group_for_all_values_where_the_subscription_is_the_group(tmp_path: Path) -> None:
    with clockwork(tmp_path, ruled("{group_by: [subscription]}")) as clock:
        dropping(clock, "DE", "FR")
        clock.run(OPENS, OPENS + MINUTE, MINUTE, step=SECOND)
        assert clock.said("slack", OPENS) == [("root", 30)]
        assert clock.said("pager", OPENS) == [("trigger", 30)]


def test_a_group_for_each_metric(tmp_path: Path) -> None:
    with clockwork(tmp_path, ruled("{group_by: [metric], group_wait: 10s}", TWO_METRICS)) as clock:
        dropping(clock, "DE", "FR")
        clock.run(OPENS, OPENS + 3 * MINUTE, MINUTE)
        assert clock.said("slack", OPENS) == [("root", 10), ("root", 130)]
        assert clock.said("pager", OPENS) == [("trigger", 10), ("trigger", 130)]


def test_what_joins_a_group_is_told_after_the_group_interval(tmp_path: Path) -> None:
    with clockwork(tmp_path, ruled("{group_wait: 45s, group_interval: 4m}", TWO_METRICS)) as clock:
        dropping(clock, "DE")
        clock.run(OPENS, OPENS + 6 * MINUTE, MINUTE, step=SECOND)
        assert clock.said("slack", OPENS) == [("root", 45), ("edit", 285), ("reply", 285)]
        assert clock.said("pager", OPENS) == [("trigger", 45), ("trigger", 285)]
        assert clock.pager.pages == 1


def test_what_joins_during_the_group_wait_is_in_the_first_message(tmp_path: Path) -> None:
    with clockwork(tmp_path, ruled("{group_wait: 150s}", TWO_METRICS)) as clock:
        dropping(clock, "DE")
        clock.run(OPENS, OPENS + 9 * MINUTE, MINUTE)
        assert clock.said("slack", OPENS) == [("root", 150)]
        assert clock.said("pager", OPENS) == [("trigger", 150)]
        assert len(clock.world.incidents()) == 2
