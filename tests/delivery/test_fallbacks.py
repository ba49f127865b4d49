"""Who is told while a receiver is out of order, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.core.groups import Delivery
from alerting.delivery import drain
from alerting.store import OutboxRow, Recording, Store
from notifiers.errors import BadContent, BadCredential, BadDestination
from tests.delivery.fakes import Fake, FakeClock, Pager, no_picture
from tests.store.builders import HOUR, NOON, delivery, group, incident

PROBE = timedelta(minutes=10)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


def owe(store: Store, clock: FakeClock, *deliveries: Delivery, members: int = 1) -> None:
    """Records the deliveries, and their groups as of then."""
    found = tuple(incident(number, country=f"C{number}") for number in range(1, members + 1))
    groups = {
        one.group_id: replace(
            group(*found, number=int(one.group_id[1:]), receiver=one.receiver, sequence=one.sequence),
            closed=clock.now if one.kind == "resolve" else None,
        )
        for one in deliveries
    }
    store.record(Recording(now=clock.now, groups=tuple(groups.values()), deliveries=deliveries))


def told(store: Store, clock: FakeClock, notifiers: Mapping[str, Fake]) -> None:
    drain(store, notifiers, now=clock, picture=no_picture, chance=lambda: 0.5)


def row(store: Store, receiver: str) -> list[OutboxRow]:
    return [one for one in reversed(store.outbox.rows()) if one.receiver == receiver]


@pytest.mark.parametrize("error", [BadCredential("invalid_auth"), BadDestination("not_in_channel")])
def test_what_a_receiver_refuses_its_fallback_is_told_once_and_its_end_too(
    store: Store, clock: FakeClock, error: BadCredential | BadDestination
) -> None:
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    slack, ops = Fake().planned(error).probed(error, error, error), Fake()
    owe(store, clock, delivery(1))
    told(store, clock, {"slack": slack, "ops": ops})
    told(store, clock, {"slack": slack, "ops": ops})
    assert [(one.kind, one.receiver) for one in ops.arrived] == [("trigger", "ops")]
    assert row(store, "ops")[0].why.startswith("fallback for slack: ")
    assert str(error) in row(store, "ops")[0].why
    clock.advance(HOUR)
    owe(store, clock, delivery(2, "resolve"))
    told(store, clock, {"slack": slack, "ops": ops})
    assert [one.kind for one in ops.arrived] == ["trigger", "resolve"]
    assert ops.arrived[1].remote_id == f"root:{ops.arrived[0].group_id}"
    assert slack.arrived == []


def test_a_receiver_that_is_back_is_told_itself_and_its_fallback_only_keeps_up(store: Store, clock: FakeClock) -> None:
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    slack, ops = Fake().planned(BadDestination("not_in_channel")), Fake()
    owe(store, clock, delivery(1))
    told(store, clock, {"slack": slack, "ops": ops})
    clock.advance(PROBE)
    told(store, clock, {"slack": slack, "ops": ops})
    assert [one.kind for one in slack.arrived] == ["trigger"]
    owe(store, clock, delivery(2, "update", said=["joined"]))
    told(store, clock, {"slack": slack, "ops": ops})
    owe(store, clock, delivery(3, "resolve", said=["ended"]))
    told(store, clock, {"slack": slack, "ops": ops})
    assert [(one.kind, len(one.changes)) for one in slack.arrived] == [("trigger", 0), ("update", 1), ("resolve", 1)]
    assert [(one.kind, len(one.changes)) for one in ops.arrived] == [("trigger", 0), ("update", 0), ("resolve", 0)]
    assert row(store, "ops")[-1].why == "keeps up: slack is told itself again"
    assert {one.fallback_for for one in ops.arrived} == {"slack"}
    assert [bool(one.fallback_reason) for one in ops.arrived] == [True, False, False]


def test_what_waited_for_its_time_goes_to_the_fallback_at_that_time(store: Store, clock: FakeClock) -> None:
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    error = BadDestination("not_in_channel")
    slack, ops = Fake().planned(error).probed(error), Fake()
    owe(store, clock, delivery(1), delivery(1, number=2, after=timedelta(minutes=5)))
    told(store, clock, {"slack": slack, "ops": ops})
    assert len(ops.arrived) == 1
    clock.advance(timedelta(minutes=5))
    told(store, clock, {"slack": slack, "ops": ops})
    assert len(ops.arrived) == 2


def test_a_fallback_that_was_told_nothing_yet_is_told_nothing_once_the_receiver_is_back(
    store: Store, clock: FakeClock
) -> None:
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    slack, ops = Fake().planned(BadDestination("not_in_channel")), Fake()
    owe(store, clock, delivery(1), delivery(1, number=2, after=HOUR))
    told(store, clock, {"slack": slack, "ops": ops})
    clock.advance(PROBE)
    told(store, clock, {"slack": slack, "ops": ops})
    clock.advance(HOUR)
    told(store, clock, {"slack": slack, "ops": ops})
    assert sorted(slack.said) == ["trigger g1", "trigger g2"]
    assert len(ops.arrived) == 1
    assert row(store, "ops")[-1].reason == "slack works again and is told itself"


def test_content_that_a_receiver_refuses_for_good_goes_to_its_fallback(store: Store, clock: FakeClock) -> None:
    store.outbox.set_fallbacks({"pager": "ops"}, NOON)
    pager, ops = Pager().planned(BadContent("status 400")), Fake()
    owe(store, clock, delivery(1, receiver="pager"))
    told(store, clock, {"ops": ops, "pager": pager})
    assert [one.kind for one in ops.arrived] == ["trigger"]
    assert row(store, "ops")[0].why == "fallback for pager: content refused: status 400"
    assert ops.arrived[0].fallback_reason == "could not be told (content refused: status 400)"
    owe(store, clock, delivery(2, "resolve", receiver="pager"))
    told(store, clock, {"ops": ops, "pager": pager})
    assert [one.kind for one in ops.arrived] == ["trigger", "resolve"]
    assert [one.kind for one in pager.arrived] == ["resolve"]


def test_a_fallback_that_is_out_of_order_has_one_too(store: Store, clock: FakeClock) -> None:
    store.outbox.set_fallbacks({"slack": "ops", "ops": "last"}, NOON)
    error = BadDestination("not_in_channel")
    slack, ops, last = Fake().planned(error), Fake().planned(error), Fake()
    owe(store, clock, delivery(1))
    told(store, clock, {"last": last, "ops": ops, "slack": slack})
    assert [one.kind for one in last.arrived] == ["trigger"]
    owe(store, clock, delivery(2, "resolve"))
    told(store, clock, {"last": last, "ops": ops, "slack": slack})
    assert [one.kind for one in last.arrived] == ["trigger", "resolve"]


def test_a_fallback_that_is_told_of_the_incidents_anyway_is_not_told_twice(store: Store, clock: FakeClock) -> None:
    store.outbox.set_fallbacks({"pager": "slack"}, NOON)
    pager, slack = Pager().planned(BadCredential("invalid key")), Fake()
    owe(store, clock, delivery(1, number=1), delivery(1, number=2, receiver="pager"))
    told(store, clock, {"pager": pager, "slack": slack})
    assert slack.said == ["trigger g1"]
    (recorded,) = [one for one in row(store, "slack") if one.state == "muted"]
    assert recorded.why == (
        "fallback for pager: credentials refused: invalid key; slack is told of these incidents itself"
    )


def test_without_a_fallback_everything_waits(store: Store, clock: FakeClock) -> None:
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    store.outbox.set_fallbacks({}, NOON)
    slack, ops = Fake().planned(BadDestination("not_in_channel")), Fake()
    owe(store, clock, delivery(1))
    told(store, clock, {"slack": slack, "ops": ops})
    assert (ops.arrived, [one.state for one in row(store, "slack")]) == ([], ["parked"])


def test_a_fallback_that_is_named_later_is_told_what_waits(store: Store, clock: FakeClock) -> None:
    error = BadDestination("not_in_channel")
    slack, ops = Fake().planned(error), Fake()
    owe(store, clock, delivery(1))
    told(store, clock, {"slack": slack, "ops": ops})
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    store.outbox.set_fallbacks({"slack": "ops"}, NOON)
    told(store, clock, {"slack": slack, "ops": ops})
    assert [one.kind for one in ops.arrived] == ["trigger"]
