from __future__ import annotations

from datetime import timedelta

from alerting.store import Cost, LastPull, Store
from alerting.store.costs import KEPT
from tests.store.builders import HOUR, NOON, block, key, query_state

DE = key("DE")


def pull(store: Store, hours: float, cost: Cost, name: str = "orders_hourly") -> None:
    at = NOON + hours * HOUR
    store.write_pull(name, block([[1]], [DE]), at, query_state(name, name), cost)


def test_costs_add_up_over_the_hours_asked_for(store: Store) -> None:
    for hours in (0, 0.5, 1, 2):
        pull(store, hours, Cost(1, 10, 0.25))
    assert store.costs.since(NOON) == {"orders_hourly": Cost(4, 40, 1.0)}
    assert store.costs.since(NOON + 1.4 * HOUR) == {"orders_hourly": Cost(2, 20, 0.5)}, "the hour that has begun counts"
    assert store.costs.since(NOON + 3 * HOUR) == {}


def test_the_windows_of_one_evaluation_are_one_last_pull(store: Store) -> None:
    pull(store, 0, Cost(1, 500, 3.0))
    for _ in range(3):
        pull(store, 0.5, Cost(1, 10, 0.25))
    pull(store, 0.2, Cost(1, 7, 0.5), "other")
    assert store.costs.last() == {
        "orders_hourly": LastPull(NOON + 0.5 * HOUR, Cost(3, 30, 0.75)),
        "other": LastPull(NOON + 0.2 * HOUR, Cost(1, 7, 0.5)),
    }


def test_costs_are_forgotten_after_two_months(store: Store) -> None:
    pull(store, 0, Cost(1, 10, 0.25))
    store.expire(NOON + KEPT, {})
    assert store.costs.last()
    store.expire(NOON + KEPT + timedelta(hours=1), {})
    assert store.costs.last() == {}
