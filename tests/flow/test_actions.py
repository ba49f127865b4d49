"""What people do to incidents, from a real pull to what arrives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise

import pytest

from alerting.app import open_app, reading
from alerting.app.actions import Done, UnknownTarget
from alerting.core.actions import Label
from alerting.store import LostRace, Recording
from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.test_silences import OPENED, burning, silence, the
from tests.flow.world import HOUR, NOON, World


def test_an_acknowledgement_is_told_once_and_stops_reminders(make: Made) -> None:
    world = burning(make(), hours=30)
    done = world.app.actions.acknowledge(the(world).id, by="ann", via="cli", now=OPENED)
    assert (done.changed, done.text) == (True, "acknowledged by ann")
    again = world.app.actions.acknowledge(the(world).id[:20], by="bob", via="slack", now=OPENED)
    assert (again.changed, again.text) == (False, "acknowledged by ann already")
    world.hours(OPENED + HOUR, OPENED + 12 * HOUR)
    _, taken = world.told()
    assert (taken.event, taken.acknowledged_by, taken.acknowledged_at) == ("acknowledged", "ann", OPENED)
    assert [change.text for change in taken.changes] == ["acknowledged by ann"]
    world.hours(OPENED + 12 * HOUR, NOON + 36 * HOUR)
    assert world.kinds() == ["trigger", "update", "resolve"]


def test_an_acknowledged_incident_that_gets_worse_is_told(make: Made) -> None:
    world = burning(make(), hours=4)
    world.shop.open_hours(NOON + 4 * HOUR, NOON + 5 * HOUR, 0).load()
    world.app.actions.acknowledge(the(world).id, by="ann", via="cli", now=OPENED)
    world.hours(OPENED + HOUR, NOON + 6 * HOUR)
    assert world.told()[-1].raises_severity
    assert world.kinds("pager") == ["trigger"]


def test_whoever_does_nothing_is_reminded_every_four_hours(make: Made) -> None:
    world = burning(make(), hours=30)
    world.hours(OPENED + HOUR, OPENED + 10 * HOUR)
    first, second = world.told()[1:]
    # The trigger waited 30 s for others: four hours after it is a little after the full hour.
    assert [one.created for one in (first, second)] == [OPENED + 5 * HOUR, OPENED + 9 * HOUR]
    assert {(one.event, one.is_reminder, one.kind, one.joined) for one in (first, second)} == {
        ("reminder", True, "update", False)
    }
    assert first.changes == ()
    rows = world.outbox(the(world))
    assert rows[1].why == "still open since 2026-01-20 12:00 UTC"


def test_a_silenced_group_is_not_reminded(make: Made) -> None:
    world = burning(make(), hours=30)
    silence(world, 10)
    world.hours(OPENED + HOUR, OPENED + 10 * HOUR)
    assert [one.is_reminder for one in world.told()] == [False, False]


def test_expected_ends_it_and_its_buckets_never_train(make: Made) -> None:
    world = burning(make(), hours=30)
    incident = the(world)
    done = world.app.actions.label(incident.id, "expected", by="ann", comment="marathon", via="cli", now=OPENED)
    assert (done.changed, done.text) == (True, "labelled expected by ann")
    world.deliver(OPENED)
    assert world.kinds() == ["trigger", "resolve"]
    assert world.incidents()[0].cause == "labelled expected by ann: marathon"
    assert not world.app.actions.label(incident.id, "expected", by="bob", comment="", via="cli", now=OPENED).changed
    (masked,) = world.app.store.actions.labelled("expected", "subscription:health", "shop.orders")
    assert (masked.opened, masked.last.bucket) == (NOON, NOON + HOUR)


def test_after_new_normal_the_series_opens_nothing_for_two_days(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 60 * HOUR, 30).load()
    world.hours(NOON + HOUR, OPENED + HOUR)
    world.app.actions.label(the(world).id, "new_normal", by="ann", comment="", via="cli", now=OPENED)
    world.hours(OPENED + HOUR, OPENED + 49 * HOUR)
    assert [one.status for one in world.incidents()] == ["resolved"]
    (why,) = reading.why_point(world.app, "shop.orders", {"country": "DE"}, NOON + 10 * HOUR)
    assert why.verdict == "no incident: new normal: opens nothing until Thu 2026-01-22 14:00 UTC: labelled by ann"
    (before,) = reading.why_point(world.app, "shop.orders", {"country": "DE"}, NOON - HOUR)
    assert "new normal" not in before.verdict
    world.hours(OPENED + 49 * HOUR, OPENED + 52 * HOUR)
    assert [one.status for one in world.incidents()] == ["resolved", "firing"]


def test_what_was_resolved_by_hand_opens_again_when_it_goes_on(make: Made) -> None:
    world = burning(make(), hours=30)
    done = world.app.actions.resolve(the(world).id, by="ann", comment="fixed", via="cli", now=OPENED)
    assert done.text == "resolved by ann"
    assert not world.app.actions.resolve(done.incidents[0], by="ann", comment="", via="cli", now=OPENED).changed
    world.at(OPENED + HOUR)
    assert [one.cause for one in world.incidents()] == ["resolved by ann: fixed"]
    world.at(OPENED + 2 * HOUR)
    assert [one.status for one in world.incidents()] == ["resolved", "firing"]
    assert world.kinds() == ["trigger", "resolve", "trigger"]


@pytest.mark.parametrize("target", ["20260105T1400-000000000000", "nobody", ""])
def test_an_unknown_target_says_where_to_look(make: Made, target: str) -> None:
    world = quiet(make())
    with pytest.raises(UnknownTarget, match="metricwatch incidents --all"):
        world.app.actions.acknowledge(target, by="ann", via="cli", now=NOON)


@pytest.mark.parametrize(("label", "next_day"), [("expected", "unknown"), ("not_an_anomaly", "anomaly")])
def test_what_was_expected_is_nothing_to_learn_from(make: Made, label: Label, next_day: str) -> None:
    world = make()
    world.change("threshold: {below: 50}", "change: {against: 1d, outside: 30%}")
    quiet(world)
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).open_hours(NOON + 2 * HOUR, NOON + 40 * HOUR).load()
    world.hours(NOON + HOUR, OPENED + HOUR)
    world.app.actions.label(the(world).id, label, by="ann", comment="", via="cli", now=OPENED)
    world.hours(OPENED + HOUR, NOON + 28 * HOUR)
    day = NOON + 24 * HOUR
    found = world.app.store.verdicts("health", "change", "shop.orders", day, day + 3 * HOUR)
    assert found.status[:, 0].tolist() == [next_day, next_day, "ok"]


def test_a_label_makes_the_detectors_learn_anew_what_they_remembered(make: Made) -> None:
    world = make()
    world.change("detect: [threshold: {below: 50}]", "detect: [seasonal: {}, threshold: {below: 50}]")
    burning(world, hours=30)

    def remembered() -> bytes:
        watch = world.app.store.watch("health", "seasonal", "shop.orders")
        assert watch is not None
        return watch.state

    before = remembered()
    assert before
    world.app.actions.label(the(world).id, "expected", by="ann", comment="", via="cli", now=OPENED)
    assert remembered() == b""
    world.at(OPENED + HOUR)
    assert remembered() not in (b"", before)


@pytest.mark.parametrize("kind", ["acknowledge", "resolve"])
def test_of_many_who_act_at_once_one_changes_something(make: Made, kind: str) -> None:
    world = burning(make())
    incident = the(world).id

    def act(name: str) -> Done:
        with closing(open_app(world.settings)) as app:
            if kind == "acknowledge":
                return app.actions.acknowledge(incident, by=name, via="slack", now=OPENED)
            return app.actions.resolve(incident, by=name, comment="", via="slack", now=OPENED)

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(act, "abcdefgh"))
    assert sum(one.changed for one in done) == 1
    assert len(world.app.store.actions.all()) == 1
    world.deliver(OPENED)
    assert len(world.told()) == 2


def test_an_evaluation_that_began_before_a_resolve_does_not_open_it_again(make: Made) -> None:
    world = burning(make(), hours=30)
    stale = world.app.store.series_states("subscription:health")
    world.app.actions.resolve(the(world).id, by="ann", comment="", via="cli", now=OPENED)
    with pytest.raises(LostRace, match="has ended meanwhile"):
        world.app.store.record(Recording(OPENED, states=tuple(stale.values())))
    assert the(world).status == "resolved"


def gates(world: World, hours: int) -> dict[str, tuple[bool | None, str]]:
    (story, *_) = reading.why_incident(world.app, the(world).id, NOON + hours * HOUR)
    return {gate.name: (gate.passed, gate.detail) for gate in story.gates}


def test_why_and_incidents_say_what_people_did_and_what_comes_next(make: Made) -> None:
    world = burning(make(), hours=30)
    assert gates(world, 2)["reminder team"] == (None, "due Tue 2026-01-20 18:00 UTC if it is still open")
    silence(world, 2)
    world.app.actions.acknowledge(the(world).id, by="ann", via="slack", now=OPENED)
    found = gates(world, 3)
    (one,) = world.app.store.silences.all()
    span = "from Tue 2026-01-20 14:00 UTC until Tue 2026-01-20 16:00 UTC"
    assert found["silence"] == (False, f"{one.id}, {span}, by ann: deploy")
    assert found["acknowledged"] == (True, "Tue 2026-01-20 14:00 UTC by ann (slack)")
    assert "reminder team" not in found
    (line,) = reading.open_incidents(world.app, OPENED)
    assert line.attention == "acknowledged by ann; silenced until Tue 2026-01-20 16:00 UTC by ann: deploy"
    world.hours(OPENED + HOUR, OPENED + 3 * HOUR)
    world.app.actions.label(the(world).id, "expected", by="bob", comment="sale", via="cli", now=OPENED + 3 * HOUR)
    found = gates(world, 6)
    assert found["silence"][0] is None
    assert found["labelled"] == (True, "expected, Tue 2026-01-20 17:00 UTC by bob (cli): sale")


def test_everything_that_was_done_is_in_the_audit_log(make: Made) -> None:
    world = burning(make())
    world.app.actions.acknowledge(the(world).id, by="ann", via="slack", now=OPENED)
    silence(world, 1)
    world.app.actions.resolve(the(world).id, by="bob", comment="fixed", via="dashboard", now=OPENED + HOUR)
    log = world.app.store.actions.all()[::-1]
    told = {(one.by, one.via, one.kind) for one in log}
    assert told == {("ann", "slack", "acknowledge"), ("ann", "cli", "silence"), ("bob", "dashboard", "resolve")}
    assert {one.incidents for one in log} == {(the(world).id,)}
    assert all(one.at <= other.at for one, other in pairwise(log))
