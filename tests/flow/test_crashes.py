"""What a process that dies between two steps leaves for the next one; ``test_crash_matrix.py`` kills it for real."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerting.core.incidents import Incident
from alerting.pipeline import evaluate
from alerting.store import LostRace, Recording, Store, StoreError, Unavailable
from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World

RESTATE = ("history: 5d", "history: 5d\n    restate: {window: 6h, every: 30m}")


class Dies(Store):
    """The same store; its next ``record`` raises instead of writing."""

    def __init__(self, store: Store, error: StoreError) -> None:
        self.__dict__.update(store.__dict__)
        self._error: StoreError | None = error

    def record(self, recording: Recording) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        super().record(recording)


def dies_before_recording(world: World, error: StoreError) -> None:
    world.app.store = Dies(world.app.store, error)


def opened(world: World) -> list[tuple[str, str]]:
    return [(one.id, one.status) for one in world.incidents()]


def test_an_evaluation_that_lost_a_race_is_discarded_and_due_again(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    dies_before_recording(world, LostRace("somebody else recorded first"))
    (found,) = world.at(NOON + 2 * HOUR)
    assert found.decision.is_quiet
    assert opened(world) == []
    assert world.app.due(NOON + 2 * HOUR) == ["orders_hourly"]
    world.at(NOON + 2 * HOUR)
    assert world.kinds() == ["trigger"]


def test_a_restatement_that_was_pulled_and_not_recorded_still_retracts(make: Made) -> None:
    world = make()
    world.change(*RESTATE)
    quiet(world)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 98).load()
    dies_before_recording(world, Unavailable("the power failed"))
    with pytest.raises(Unavailable):
        world.evaluate(NOON + 2 * HOUR + timedelta(minutes=40))
    world.restart()
    world.at(NOON + 2 * HOUR + timedelta(minutes=41))
    assert [one.status for one in world.incidents()] == ["retracted"]
    assert world.kinds() == ["trigger", "resolve"]


def test_two_processes_that_judge_the_same_hour_record_it_once(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    later, bench, query = NOON + 2 * HOUR, world.app.bench(), world.app.config.queries["orders_hourly"]

    class Overtaken(Store):
        """Somebody else evaluates just before the recording."""

        def record(self, recording: Recording) -> None:
            world.evaluate(later)
            super().record(recording)

    slow = Overtaken.__new__(Overtaken)
    slow.__dict__.update(world.app.store.__dict__)
    from dataclasses import replace
    from threading import Lock

    found = evaluate(query, world.app.warehouse("shop"), replace(bench, store=slow, deciding=Lock()), now=later)
    assert found.decision.is_quiet
    found_ones: list[Incident] = world.incidents()
    assert len(found_ones) == 1
    world.deliver(later)
    assert world.kinds() == ["trigger"]
