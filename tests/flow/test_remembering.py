"""A tick reads only what its detectors do not remember, and says what it would have said with everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from alerting.judging import EntryVerdicts, Inline, judge, remembers, since_only
from config.model import Detect
from detectors import Panel, load
from tests.flow.conftest import Made
from tests.flow.world import HOUR, NOON, SHOP, World

TIMES = np.datetime64("2026-01-05", "us") + np.arange(300) * np.timedelta64(1, "h")
ENTRY = Detect("seasonal", "seasonal", load("seasonal"))
SINCE = TIMES[280]
SEASONAL = SHOP.replace("history: 5d", "history: 60d")
SEASONAL = SEASONAL.replace("[threshold: {below: 50}]", "[seasonal: {}, threshold: {below: 50}]")
DAYS = 12
"""Of orders before NOON."""


def noisy(columns: str) -> Panel:
    """One series for each letter, the same in every panel."""
    drawn = [100 + 5 * np.random.default_rng(ord(name)).standard_normal(len(TIMES)) for name in columns]
    return Panel(TIMES, np.stack(drawn, axis=1), tuple({"c": name} for name in columns), "1h", "UTC")


def heard(panel: Panel, since: np.datetime64, state: bytes | None = None) -> EntryVerdicts:
    found = judge(ENTRY, panel, since=since, state=state, executor=Inline(), most=2)
    assert found is not None
    return found


def before(panel: Panel, end: np.datetime64) -> Panel:
    rows = panel.times < end
    return replace(panel, times=panel.times[rows], values=panel.values[rows])


def test_chunks_that_go_on_from_their_state_say_what_all_of_the_past_says() -> None:
    panel = noisy("abcde")
    state = heard(before(panel, SINCE), TIMES[270]).verdicts.state
    found, whole = heard(since_only(panel, SINCE), SINCE, state).verdicts, heard(panel, SINCE).verdicts
    np.testing.assert_allclose(found.score, whole.score, atol=1e-9)
    assert np.isfinite(found.score).all()


def test_a_series_that_sorts_in_between_makes_nobody_forget() -> None:
    panel, known = noisy("abcde"), noisy("abde")
    new = panel.values.copy()
    new[TIMES < SINCE, 2] = np.nan
    panel = replace(panel, values=new)
    state = heard(before(known, SINCE), TIMES[270]).verdicts.state
    assert remembers(ENTRY, panel, SINCE, state), "c had no reading before"
    found, whole = heard(since_only(panel, SINCE), SINCE, state).verdicts, heard(known, SINCE).verdicts
    np.testing.assert_allclose(found.score[:, [0, 1, 3, 4]], whole.score, atol=1e-9)
    assert found.observed[:, 2].tolist() == panel.values[280:, 2].tolist()


def test_a_series_with_a_past_that_is_not_remembered_asks_for_all_of_it() -> None:
    state = heard(before(noisy("abde"), SINCE), TIMES[270]).verdicts.state
    assert not remembers(ENTRY, noisy("abcde"), SINCE, state)
    assert not remembers(ENTRY, since_only(noisy("abcde"), SINCE), SINCE, state), "nothing says that it had no past"


def test_damage_and_other_parameters_ask_for_all_of_the_past() -> None:
    panel = noisy("abc")
    state = heard(before(panel, SINCE), TIMES[270]).verdicts.state
    assert remembers(ENTRY, panel, SINCE, state)
    assert not remembers(ENTRY, panel, SINCE, state[:-9])
    assert not remembers(replace(ENTRY, detector=load("seasonal", domain="count")), panel, SINCE, state)
    assert remembers(replace(ENTRY, detector=load("seasonal", budget="1/week")), panel, SINCE, state)


def opened(make: Made, yaml: str, edit: Callable[[World], None] = lambda world: None) -> World:
    world = make(yaml)
    for country, size in (("DE", 100.0), ("FR", 300.0)):
        hour, step = NOON - 24 * DAYS * HOUR, 0
        while hour < NOON + 12 * HOUR:
            world.shop.orders[hour, country] = size + (step * step * 7) % 23
            hour, step = hour + HOUR, step + 1
    edit(world)
    world.shop.load()
    return world


def scores(world: World) -> list[list[float]]:
    found = world.app.store.verdicts("health", "seasonal", "shop.orders", NOON, NOON + 12 * HOUR)
    return [[float(score) for score in row] for row in found.score]


@pytest.mark.parametrize("fill", ["", ", fill: zero"])
def test_hour_by_hour_a_rule_says_what_it_says_in_one_go(make: Made, fill: str) -> None:
    """Also where a series is silent for hours and each tick alone cannot see that it had readings before."""
    yaml = SEASONAL.replace("rollup: sum", "rollup: sum" + fill)

    def silent(world: World) -> None:
        world.shop.close_hours(NOON + 2 * HOUR, NOON + 6 * HOUR, "FR")

    often, once = opened(make, yaml, silent), opened(make, yaml, silent)
    for world in (often, once):
        world.adopt(NOON + HOUR)
    often.hours(NOON + HOUR, NOON + 13 * HOUR)
    once.at(NOON + 12 * HOUR)
    found = scores(often)
    np.testing.assert_allclose(found, scores(once), atol=1e-9)
    assert np.isfinite(np.array(found)[3]).all() == bool(fill), "zero orders are judged, no reading is not"
