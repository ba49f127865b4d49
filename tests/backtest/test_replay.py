"""A replay says what the daemon would have said: same incidents, hour by hour, from the same readings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest

from alerting.backtest import replay
from alerting.core.blocks import Block, ColumnKey
from tests.flow.conftest import Made, make
from tests.flow.world import HOUR, NOON, SHOP, World

__all__ = ["make"]
DETECT = {
    "threshold": "threshold: {below: 50}",
    "seasonal": "seasonal: {budget: 2/month}",
    "votes": "threshold: {below: 50}, change: {below: 60%, against: 1d}, change: {above: 900%}",
}
SINCE, UNTIL = NOON, NOON + 30 * HOUR


def season(hour: datetime) -> float:
    """A day's wave with a little jitter that never repeats."""
    jitter = (hour.toordinal() * 24 + hour.hour) * 2654435761 % 1000 / 1000
    return round(100 + 30 * float(np.sin(hour.hour / 24 * 2 * np.pi)) + 4 * jitter, 2)


def stocked(world: World, detector: str) -> World:
    """Four weeks of a wave, and after noon two drops, the second one deeper."""
    world.change("threshold: {below: 50}", DETECT[detector])
    world.change("history: 5d", "history: 40d")
    if detector == "votes":
        world.change("    metrics: [shop.orders]\n", "    metrics: [shop.orders]\n    require: 2\n")
    hour = NOON - timedelta(days=41)
    while hour < UNTIL:
        world.shop.orders[hour, "DE"] = season(hour)
        hour += HOUR
    for start, end, share in ((3, 7, 0.3), (15, 20, 0.1)):
        for number in range(start, end):
            world.shop.orders[NOON + number * HOUR, "DE"] *= share
    world.shop.load()
    return world


def lived(world: World) -> list[tuple[object, ...]]:
    """Every transition of a daemon that looked each hour."""
    world.adopt(SINCE)
    found = []
    moment = SINCE
    while moment <= UNTIL:
        for evaluation in world.at(moment):
            found += [_plain(one) for one in evaluation.decision.change.transitions]
        moment += HOUR
    return found


def replayed(world: World) -> list[tuple[object, ...]]:
    steps = replay(world.app.config, world.app.store.points, SINCE, UNTIL)
    return [_plain(one) for step in steps for one in step.decision.change.transitions]


def _plain(transition: object) -> tuple[object, ...]:
    from alerting.core.incidents import Transition

    assert isinstance(transition, Transition)
    incident = transition.incident
    said = (incident.id, incident.opened, incident.severity, incident.status) if incident else ()
    return (transition.at, transition.before, transition.after, transition.reading.bucket, transition.cause, *said)


@pytest.mark.parametrize("detector", DETECT)
def test_a_replay_equals_the_life_it_replays(detector: str, make: Made) -> None:
    world = stocked(make(SHOP), detector)
    life = lived(world)
    assert sum(one[2] == "firing" and one[1] == "pending" for one in life) == 2, "both drops were found"
    assert replayed(world) == life


def test_a_silence_that_fills_with_zero_replays_as_it_was_lived(make: Made) -> None:
    world = make(SHOP)
    world.change("rollup: sum, better: higher", "rollup: sum, fill: zero, better: higher")
    world.shop.open_hours(NOON - 200 * HOUR, UNTIL).open_hours(NOON - 200 * HOUR, UNTIL, country="FR")
    world.shop.close_hours(NOON - 70 * HOUR, UNTIL, country="FR").load()
    life = lived(world)
    assert any(one[2] == "firing" for one in life), "the silence is zero, and that is too little"
    assert replayed(world) == life


class Cut:
    """The same points, with everything from ``end`` on replaced by nonsense."""

    def __init__(self, world: World, end: datetime) -> None:
        self._points, self._end = world.app.store.points, end

    def read(
        self,
        digest: str,
        since: datetime,
        until: datetime,
        *,
        as_of: datetime | None = None,
        keys: Sequence[ColumnKey] | None = None,
    ) -> Block:
        block = self._points.read(digest, since, until, as_of=as_of, keys=keys)
        values = block.values.copy()
        values[block.times >= np.datetime64(self._end.replace(tzinfo=None), "us")] = 1e6
        return Block(block.times, block.keys, values)


@pytest.mark.parametrize("detector", DETECT)
def test_what_comes_later_changes_nothing_earlier(detector: str, make: Made) -> None:
    world = stocked(make(SHOP), detector)
    world.adopt(UNTIL)
    world.at(UNTIL)
    cut = NOON + 10 * HOUR
    whole = [step for step in replay(world.app.config, world.app.store.points, SINCE, UNTIL) if step.now <= cut]
    known = [step for step in replay(world.app.config, Cut(world, cut), SINCE, UNTIL) if step.now <= cut]
    assert repr(known) == repr(whole)
    assert any(transition.opens for step in whole for transition in step.decision.change.transitions)
