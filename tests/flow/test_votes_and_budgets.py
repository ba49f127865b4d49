"""Several detectors on one metric, and one budget over many series: alive, replayed and explained alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from alerting.app.reading import why_point
from alerting.backtest import histories
from alerting.hearing import Shares
from config.model import Subscription
from detectors.drift import Drift
from detectors.rates import parse
from tests.flow.conftest import Made
from tests.flow.world import HOUR, NOON, SHOP, World

WEEKS = timedelta(weeks=18)
DRIFT = SHOP.replace("history: 5d", "history: 200d").replace(
    "    metrics: [shop.orders]\n", "    metrics: [shop.orders, shop.all]\n"
).replace(
    "better: higher}\n", "better: higher}\n  shop.all: {query: orders_hourly, value: orders, rollup: sum}\n", 1
).replace("[threshold: {below: 50}]", "[drift: {budget: 3/month}]")  # fmt: skip


def noisy(world: World, since: datetime, until: datetime) -> World:
    rng = np.random.default_rng(1)
    hour = since
    while hour < until:
        for country in ("DE", "FR"):
            world.shop.orders[hour, country] = round(100 + 10 * float(rng.normal()), 1)
        hour += HOUR
    world.shop.load()
    return world


def rule(world: World) -> Subscription:
    return world.app.config.subscriptions["health"]


def shared(world: World) -> float:
    (entry,) = Shares(world.app.store).spread(rule(world).detect, rule(world))
    assert isinstance(entry.detector, Drift)
    return entry.detector.budget


@pytest.fixture
def drifting(make: Made) -> World:
    world = noisy(make(DRIFT), NOON - WEEKS, NOON + 2 * HOUR)
    world.adopt(NOON)
    return world


def test_a_budget_is_spread_over_the_series_of_all_metrics_and_a_restart_does_not_change_that(drifting: World) -> None:
    assert shared(drifting) == pytest.approx(parse("3/month") / 2), "two metrics, of which no series is known yet"
    drifting.at(NOON)
    assert shared(drifting) == pytest.approx(parse("1/month")), "two countries and their sum"
    drifting.restart()
    assert shared(drifting) == pytest.approx(parse("1/month"))


def test_the_daemon_a_replay_and_why_judge_with_the_same_share(drifting: World) -> None:
    drifting.at(NOON)
    drifting.at(NOON + 2 * HOUR)
    app = drifting.app
    for metric in ("shop.orders", "shop.all"):
        stored = app.store.verdicts("health", "drift", metric, NOON, NOON + 2 * HOUR)
        replays = histories(app.config, app.store.points, NOON, NOON + 2 * HOUR)
        (replayed,) = [one for one in replays if one.finding.metric == metric]
        np.testing.assert_allclose(replayed.rows[0].verdicts.score, stored.score, rtol=1e-9)
        assert np.isfinite(stored.score).all()
        labels = stored.labels[0]
        (why,) = why_point(app, metric, labels, NOON + HOUR)
        said = next(gate.detail for gate in why.gates if gate.name == "detect drift")
        assert f"score {stored.score[1, 0]:.2f} " in said


VOTES = "[threshold: {below: 50}, change: {below: 20%, against: 1d}]\n    require: all"


def test_two_detectors_must_agree_and_why_counts_them(make: Made) -> None:
    world = make()
    world.change("[threshold: {below: 50}]", VOTES)
    world.shop.open_hours(NOON - timedelta(days=4), NOON, 40).load()
    world.adopt(NOON)
    world.at(NOON)
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 40).open_hours(NOON + 3 * HOUR, NOON + 6 * HOUR, 20).load()
    world.hours(NOON + HOUR, NOON + 4 * HOUR)
    assert world.incidents() == [], "too few for the threshold, but as few as the day before"
    (why,) = why_point(world.app, "shop.orders", {"country": "DE"}, NOON + 2 * HOUR)
    assert why.verdict == "no incident: require all: 1 of 2 detectors needed"
    world.hours(NOON + 4 * HOUR, NOON + 7 * HOUR)
    assert world.kinds() == ["trigger"]
    (incident,) = world.incidents()
    assert incident.opened == NOON + 3 * HOUR
    (why,) = why_point(world.app, "shop.orders", {"country": "DE"}, NOON + 4 * HOUR)
    assert next(gate.detail for gate in why.gates if gate.name == "require all") == "2 of 2 detectors agree"
