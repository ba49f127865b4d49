"""While a query is late its metrics' anomalies are recorded, and told when it is well again and they go on."""

from __future__ import annotations

import pytest

from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World

LATE = NOON + 6 * HOUR
REASON = "not sent: inhibited: orders_hourly is late"


def late_and_low(world: World) -> World:
    """Nothing arrives for six hours; then two low hours do, and the rest is still missing."""
    quiet(world)
    world.hours(NOON + HOUR, LATE)
    assert [one.kind for one in world.ailments(open_only=True)] == ["late"]
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.at(LATE)
    return world


def test_a_late_query_adopts_the_anomalies_of_its_metrics(make: Made) -> None:
    world = late_and_low(make())
    (incident,) = world.incidents(open_only=True)
    assert [(row.state, row.reason) for row in world.outbox(incident)] == [("muted", REASON)]
    assert world.told() == []
    (said,) = world.told("ops")[0].incidents
    assert said.reason.endswith("; 1 metric affected")


@pytest.mark.parametrize(("orders", "kinds"), [(30.0, ["trigger"]), (100.0, [])])
def test_when_it_is_well_again_only_what_goes_on_is_told(make: Made, orders: float, kinds: list[str]) -> None:
    world = late_and_low(make())
    world.shop.open_hours(NOON + 2 * HOUR, NOON + 20 * HOUR, orders).load()
    world.hours(LATE + HOUR, LATE + 4 * HOUR)
    assert world.ailments(open_only=True) == []
    assert world.kinds() == kinds
