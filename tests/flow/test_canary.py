"""The canary: made-up readings through the real pipeline, and who hears when it does not come out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from structlog.testing import capture_logs

from alerting.app.canary import WITHIN, ailment, overdue
from alerting.app.heartbeat import beat
from alerting.web.server import create
from config.model import CANARY
from notifiers.errors import NotSent
from tests.flow.conftest import Made
from tests.flow.world import NOON, SHOP, World

MINUTE = timedelta(minutes=1)
WITH_CANARY = SHOP + "canary: {notify: [team], every: 2h}\n"
"""One begins at noon."""


def minutes(world: World, since: int, until: int) -> None:
    """Every five minutes from so many after noon on, as far as ``until``."""
    for minute in range(since, until, 5):
        world.at(NOON + minute * MINUTE)


def watched(made: World) -> World:
    made.shop.open_hours(NOON - 150 * 12 * 5 * MINUTE, NOON + timedelta(hours=9)).load()
    made.adopt(NOON - 10 * MINUTE)
    minutes(made, -10, 0)
    return made


def readiness(world: World, now: datetime) -> tuple[int, str]:
    client = TestClient(create(world.app, clock=lambda: now), base_url="http://127.0.0.1:8050")
    answer = client.get("/readyz")
    return answer.status_code, answer.text


def test_a_canary_opens_and_ends_by_itself_and_comes_out_in_time(make: Made) -> None:
    world = watched(make(WITH_CANARY))
    minutes(world, 0, 121)
    trigger, resolve = world.told()
    assert [(one.kind, one.severity, one.subscription) for one in (trigger, resolve)] == [
        ("trigger", "info", CANARY),
        ("resolve", "info", CANARY),
    ]
    assert trigger.owner.team == "made up by metricwatch: nothing to do, it ends by itself"
    assert (trigger.created, resolve.created) == (NOON + 5 * MINUTE, NOON + 10 * MINUTE)
    assert world.kinds("ops") == world.kinds("pager") == []
    for minute in range(5, 120, 5):
        assert overdue(world.app.bench(), NOON + minute * MINUTE) == {}
    assert readiness(world, NOON + 120 * MINUTE) == (200, "ok\n")
    minutes(world, 121, 140)
    assert world.kinds() == ["trigger", "resolve", "trigger", "resolve"]


def test_a_canary_that_does_not_come_out_is_told_and_stops_the_heartbeat(make: Made) -> None:
    world = watched(make(WITH_CANARY, heartbeat_url=SecretStr("http://127.0.0.1:9/beat")))
    world.app.actions.silence_matching(
        {"subscription": CANARY}, 40 * MINUTE, by="ann", comment="lost", via="cli", now=NOON - MINUTE
    )
    minutes(world, 0, 30)
    assert ailment(world.app.bench(), NOON + 29 * MINUTE) == ""
    minutes(world, 30, 36)
    late = NOON + 35 * MINUTE
    said = "the canary of 2026-01-20 12:00 UTC did not come out within 30 m"
    assert ailment(world.app.bench(), late) == f"{said} at team"
    assert readiness(world, late) == (503, f"{said} at team\n")
    with capture_logs() as logged:
        assert not beat(world.app, {}, late)
    assert [said in str(one.get("reason")) for one in logged] == [True]
    (told,) = [one for one in world.told("ops") if one.kind == "trigger"]
    assert (told.incidents[0].kind, told.incidents[0].metric, told.incidents[0].reason) == ("canary", "team", said)
    minutes(world, 40, 160)
    assert ailment(world.app.bench(), NOON + 155 * MINUTE) == ""
    assert world.kinds("ops") == ["trigger", "resolve"]


def test_a_receiver_that_does_not_answer_is_missed(make: Made) -> None:
    world = watched(make(WITH_CANARY))
    _ = world.app
    world.receivers["team"].planned(*[NotSent("connection refused")] * 50)
    minutes(world, 0, 60)
    assert list(overdue(world.app.bench(), NOON + 55 * MINUTE)) == ["team"]


def test_after_a_night_without_power_the_canary_is_late_and_not_missing(make: Made) -> None:
    world = watched(make(WITH_CANARY))
    world.restart()
    again = NOON + 90 * MINUTE
    world.adopt(again)
    world.app.judge_receivers(again)
    assert overdue(world.app.bench(), again) == {}
    assert ailment(world.app.bench(), again) == "the canary is not evaluated"
    world.evaluate(again)
    assert overdue(world.app.bench(), again + MINUTE) == {}
    world.deliver(again + MINUTE)
    assert world.kinds() == ["resolve"]
    assert ailment(world.app.bench(), again + WITHIN) != "", "evaluated no more"


@pytest.mark.parametrize("yaml", [SHOP, SHOP + "canary:\n"])
def test_without_a_canary_nothing_is_missed(make: Made, yaml: str) -> None:
    world = make(yaml)
    world.adopt(NOON)
    assert ailment(world.app.bench(), NOON) == ""
    assert CANARY not in world.app.config.subscriptions
