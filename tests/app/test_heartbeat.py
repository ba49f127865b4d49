"""The heartbeat goes out while all is well, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from alerting.app.heartbeat import beat
from tests.canaries import ADDRESS_KEY
from tests.flow.conftest import Made, make
from tests.flow.world import HOUR, NOON, World
from tests.standins.server import Answer, Call, StandIn

__all__ = ["make"]
MINUTE = timedelta(minutes=1)


class Switch(StandIn):
    """A dead man's switch: whoever asks is well."""

    address_is_secret = True

    def respond(self, call: Call) -> Answer:
        if (call.verb, call.path) != ("GET", f"/{ADDRESS_KEY}"):
            self.unexpected.append(f"{call.verb} {call.path}")
        return Answer(200, b"OK")


@pytest.fixture
def switch() -> Iterator[Switch]:
    with Switch() as stand_in:
        yield stand_in
        assert stand_in.unexpected == []


@pytest.fixture
def world(make: Made, switch: Switch) -> World:
    made = make(heartbeat_url=SecretStr(f"{switch.origin}/{ADDRESS_KEY}"))
    made.shop.open_hours(NOON - 144 * HOUR, NOON).load()
    made.adopt(NOON)
    return made


def asked(world: World, switch: Switch, after: timedelta = timedelta(0), seen: timedelta = timedelta(0)) -> bool:
    """Whether the switch was asked ``after`` noon, with couriers last seen so long before. ``beat`` says the same."""
    before = len(switch.requests)
    said = beat(world.app, {"team": NOON + after - seen}, NOON + after)
    assert said == (len(switch.requests) > before)
    return said


def test_all_well_asks_the_address(world: World, switch: Switch) -> None:
    assert not asked(world, switch)  # nothing was evaluated yet
    world.at(NOON)
    assert asked(world, switch)
    assert asked(world, switch, 2 * HOUR)


def test_what_is_not_evaluated_or_not_delivered_stops_it(world: World, switch: Switch) -> None:
    world.at(NOON)
    assert not asked(world, switch, 2 * HOUR + MINUTE)
    assert not asked(world, switch, seen=6 * MINUTE)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.evaluate(NOON + HOUR)
    world.evaluate(NOON + 2 * HOUR)
    assert asked(world, switch, 2 * HOUR + 5 * MINUTE)
    assert not asked(world, switch, 2 * HOUR + 6 * MINUTE)
    world.deliver(NOON + 2 * HOUR + 6 * MINUTE)
    assert asked(world, switch, 2 * HOUR + 6 * MINUTE)


def test_a_scheduler_that_stopped_stops_it(world: World, switch: Switch) -> None:
    world.at(NOON)
    world.app.pulse.age_s = lambda: 31.0  # type: ignore[method-assign]  # a pulse that nobody beats
    assert not asked(world, switch)


@pytest.mark.parametrize("status", [302, 404, 503])
def test_an_answer_that_is_no_success_is_logged_without_the_address(world: World, switch: Switch, status: int) -> None:
    world.at(NOON)
    switch.fail("*", "status", status=status)
    with capture_logs() as said:
        assert not beat(world.app, {}, NOON)
        assert len(switch.requests) == 1
        switch.down()
        assert not beat(world.app, {}, NOON)
    assert [(one["event"], one.get("status")) for one in said] == [
        ("heartbeat refused", status),
        ("heartbeat not sent", None),
    ]
    assert ADDRESS_KEY not in str(said)


def test_without_an_address_nothing_is_asked(make: Made) -> None:
    world = make()
    world.adopt(NOON)
    assert not beat(world.app, {}, NOON)
