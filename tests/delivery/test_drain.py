from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from alerting.core.groups import Delivery
from alerting.delivery import DeliveryReport, drain
from alerting.store import Dead, Recording, Sent, Store, Unavailable
from notifiers.contract import Notification, Notifier, Pace
from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, NotSent
from tests.canaries import ROUTING_KEY, SLACK_TOKEN
from tests.delivery.fakes import Fake, FakeClock, Pager, no_picture, refused
from tests.figures import Figure
from tests.store.builders import HOUR, NOON, delivery, group, incident

SECOND = timedelta(seconds=1)


def owe(store: Store, *deliveries: Delivery) -> None:
    numbers = {int(one.group_id[1:]): one.receiver for one in deliveries}
    groups = tuple(group(incident(), number=number, receiver=receiver) for number, receiver in numbers.items())
    store.record(Recording(now=NOON, groups=groups, deliveries=deliveries))


def drained(
    store: Store, notifiers: Notifier | Mapping[str, Notifier], clock: FakeClock | None = None, *, once: bool = False
) -> DeliveryReport:
    named = {"slack": notifiers} if isinstance(notifiers, Notifier) else notifiers
    now = clock if clock is not None else NOON
    return drain(store, named, now=now, picture=no_picture, ignore_waits=once, chance=lambda: 0.5)


def reasons(store: Store) -> list[str]:
    return [row.reason for row in reversed(store.outbox.rows())]


def test_everything_due_is_sent_in_the_order_of_its_group(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2), delivery(1, number=3, after=HOUR))
    slack = Fake()
    report = drained(store, slack)
    assert (report.sent, report.failed, report.removed) == (2, (), 0)
    assert sorted(slack.said) == ["trigger g1", "trigger g2"]
    owe(store, delivery(2, "update"))
    owe(store, delivery(1, number=4))
    drained(store, slack)
    assert (slack.arrived[-2].remote_id, slack.arrived[-2].kind) in (("root:g1", "update"), (None, "trigger"))
    assert store.outbox.rows(group_id="g1")[1].state == "sent"


def test_nothing_owed_is_an_empty_report(store: Store) -> None:
    assert drained(store, Fake()) == DeliveryReport()


def test_a_failed_delivery_is_tried_once_per_drain_and_again_after_its_back_off(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2))
    slack, clock = Fake().planned(refused(), refused()), FakeClock(NOON)
    assert len(drained(store, slack, clock).failed) == 2
    assert drained(store, slack, clock).attempts == ()
    clock.advance(1.5 * SECOND)
    assert drained(store, slack, clock).sent == 2
    assert slack.attempts == ["send"] * 4


def test_once_does_not_wait_for_group_waits_and_back_off(store: Store) -> None:
    owe(store, delivery(1, after=HOUR), delivery(1, number=2))
    slack = Fake().planned(refused())
    assert [type(one.outcome).__name__ for one in drained(store, slack, once=True).attempts] == ["Again", "Sent"]
    assert drained(store, slack, once=True).sent == 1


def test_once_does_not_wait_for_the_lease_of_a_process_that_is_gone(store: Store) -> None:
    owe(store, delivery(1))
    slack = Fake()
    store.outbox.claim("slack", NOON, lease=HOUR, grace=HOUR)
    assert drained(store, slack).attempts == ()
    assert drained(store, slack, once=True).sent == 1
    assert slack.attempts == ["find", "send"]


def test_once_asks_no_receiver_twice_that_asked_for_silence(store: Store) -> None:
    owe(store, *(delivery(1, number=number) for number in (1, 2, 3)))
    slack = Fake().planned(NotSent("429", 60 * SECOND))
    assert len(drained(store, slack, once=True).attempts) == 1
    assert drained(store, slack, once=True).sent == 3


def test_a_lost_answer_is_looked_for_before_anything_is_sent_again(store: Store) -> None:
    owe(store, delivery(1))
    slack, clock = Fake(arrives_anyway=True).planned(Ambiguous("read timeout")), FakeClock(NOON)
    drained(store, slack, clock)
    assert drained(store, slack, clock).attempts == ()  # something may still be on its way
    clock.advance(30 * SECOND)
    assert drained(store, slack, clock).sent == 1
    assert (slack.attempts, slack.said) == (["send", "find"], ["trigger g1"])
    assert reasons(store) == ["an earlier attempt had arrived"]
    assert store.open_groups()[0].remote_id == "root:g1"


def test_a_lost_message_is_sent_again_after_looking(store: Store) -> None:
    owe(store, delivery(1))
    slack, clock = Fake().planned(Ambiguous("read timeout")), FakeClock(NOON)
    drained(store, slack, clock)
    clock.advance(30 * SECOND)
    drained(store, slack, clock)
    assert (slack.attempts, slack.said) == (["send", "find", "send"], ["trigger g1"])
    assert slack.arrived[0].possible_repeat is False


def test_where_nobody_can_look_the_message_says_that_it_may_be_a_repeat(store: Store) -> None:
    owe(store, delivery(1))
    slack, clock = Fake(can_look=False).planned(Ambiguous("read timeout")), FakeClock(NOON)
    drained(store, slack, clock)
    clock.advance(30 * SECOND)
    drained(store, slack, clock)
    assert slack.arrived[0].possible_repeat is True
    assert reasons(store) == ["sent, perhaps a repeat"]


def test_where_sending_twice_has_the_effect_of_once_nobody_looks(store: Store) -> None:
    owe(store, delivery(1))
    pager, clock = Pager().planned(Ambiguous("read timeout")), FakeClock(NOON)
    drained(store, pager, clock)
    clock.advance(30 * SECOND)
    drained(store, pager, clock)
    assert pager.attempts == ["send", "send"]


def test_a_resolve_after_a_lost_answer_is_said_again_after_a_minute_and_after_ten(store: Store) -> None:
    pager, clock = Pager(arrives_anyway=True).planned(Ambiguous("read timeout")), FakeClock(NOON)
    owe(store, delivery(1))
    drained(store, pager, clock)
    owe(store, delivery(2, "resolve"))
    clock.advance(30 * SECOND)
    drained(store, pager, clock)
    assert pager.said == ["trigger g1", "resolve g1"]  # no page for what has ended: the doubtful one is not sent again
    clock.advance(60 * SECOND)
    drained(store, pager, clock)
    clock.advance(539 * SECOND)
    drained(store, pager, clock)
    assert pager.said[2:] == ["resolve g1"]
    clock.advance(SECOND)
    drained(store, pager, clock)
    assert pager.said[2:] == ["resolve g1", "resolve g1"]
    assert len({one.delivery_id for one in pager.arrived}) == 4
    clock.advance(24 * HOUR)
    assert drained(store, pager, clock).attempts == ()


@pytest.mark.parametrize(
    ("error", "probe_after"), [(BadCredential("invalid_auth"), 300 * SECOND), (BadDestination("gone"), 600 * SECOND)]
)
def test_a_receiver_that_refuses_us_is_left_alone_but_probed(
    store: Store, error: BadCredential | BadDestination, probe_after: timedelta
) -> None:
    owe(store, delivery(1), delivery(1, number=2))
    slack, clock = Fake().planned(error).probed(error), FakeClock(NOON)
    assert len(drained(store, slack, clock).attempts) == 1
    clock.advance(probe_after - SECOND)
    drained(store, slack, clock)
    assert slack.attempts == ["send"]
    clock.advance(SECOND)
    drained(store, slack, clock)
    assert slack.attempts == ["send", "probe"]
    clock.advance(probe_after)
    assert drained(store, slack, clock).sent == 2
    assert slack.attempts == ["send", "probe", "probe", "send", "send"]


def test_a_probe_that_breaks_counts_as_failed_and_says_no_secret(store: Store) -> None:
    owe(store, delivery(1))
    slack = Fake().planned(BadCredential("invalid_auth")).probed(KeyError(SLACK_TOKEN))
    drained(store, slack)
    assert drained(store, slack, once=True).attempts == ()
    assert store.outbox.receiver("slack").reason == "the notifier broke with KeyError"
    assert drained(store, slack, once=True).sent == 1


def test_content_that_nobody_takes_is_dead_and_visible_and_the_group_goes_on(store: Store) -> None:
    owe(store, delivery(1))
    slack = Fake().planned(BadContent("no_text"))
    (failed,) = drained(store, slack).failed
    assert failed.outcome == Dead("content refused: no_text")
    owe(store, delivery(2, "update"))
    drained(store, slack)
    assert slack.said == ["trigger g1"]  # the first that it was told of the group


def test_a_delivery_that_fails_for_a_day_is_dead(store: Store) -> None:
    owe(store, delivery(1))
    slack, clock = Fake().planned(*(refused() for _ in range(1000))), FakeClock(NOON)
    attempts = 0
    while store.outbox.rows()[0].state == "ready":
        attempts += len(drained(store, slack, clock).attempts)
        clock.advance(5 * 60 * SECOND)
    assert NOON + 24 * HOUR <= clock.now <= NOON + 24 * HOUR + 600 * SECOND
    assert reasons(store) == [f"gave up after {attempts} attempts: connection refused"]


def test_what_a_receiver_asks_for_holds_for_it_alone(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2), delivery(1, number=3, receiver="pager"))
    slack, pager = Fake().planned(NotSent("429", 300 * SECOND)), Pager()
    clock = FakeClock(NOON)
    both = {"slack": slack, "pager": pager}
    drained(store, both, clock)
    clock.advance(299 * SECOND)
    drained(store, both, clock)
    assert (len(slack.attempts), len(pager.arrived)) == (1, 1)
    clock.advance(SECOND)
    drained(store, both, clock)
    assert len(slack.arrived) == 2


def test_a_notifier_with_a_bug_is_treated_as_perhaps_sent_and_its_words_are_not_stored(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2, receiver="pager"))
    slack, pager = Fake().planned(RuntimeError(f"{SLACK_TOKEN} {ROUTING_KEY}")), Pager()
    report = drained(store, {"slack": slack, "pager": pager})
    assert (report.sent, len(report.failed)) == (1, 1)
    assert "outcome unknown: the notifier broke with RuntimeError" in reasons(store)


@pytest.mark.parametrize("error", [ValueError("no points"), OSError("no font"), KeyError("metric")])
def test_a_picture_that_fails_never_stops_a_message(store: Store, error: Exception) -> None:
    def picture(_: Notification) -> bytes:
        raise error

    owe(store, delivery(1))
    slack = Fake()
    assert drain(store, {"slack": slack}, now=NOON, picture=picture).sent == 1
    assert slack.arrived[0].chart is None


def test_a_picture_travels_with_the_message_where_it_is_wanted(store: Store) -> None:
    owe(store, delivery(1))
    slack = Fake()
    drain(store, {"slack": slack}, now=NOON, picture=lambda one: f"PNG of {one.group_id}".encode())
    assert slack.arrived[0].chart == b"PNG of g1"


def test_who_lost_the_lease_while_drawing_does_not_send(store: Store) -> None:
    clock = FakeClock(NOON)

    def slow(_: Notification) -> None:
        clock.advance(HOUR)

    owe(store, delivery(1))
    slack = Fake()
    report = drain(store, {"slack": slack}, now=clock, picture=slow)
    assert slack.arrived == []
    assert report.attempts[0].outcome.reason == "the lease ended before sending"


def test_an_unreadable_payload_is_dead_not_a_crash(store: Store) -> None:
    owe(store, delivery(1))
    with store.engine.begin() as connection:
        connection.exec_driver_sql('UPDATE outbox SET payload = \'{"from": "the future"}\'')
    (failed,) = drained(store, Fake()).failed
    assert isinstance(failed.outcome, Dead)


def test_deliveries_to_a_receiver_that_was_removed_are_reported(store: Store) -> None:
    owe(store, delivery(1, receiver="old"))
    assert drained(store, Fake()).removed == 1
    assert reasons(store) == ["receiver removed"]


def test_a_channel_is_not_sent_more_than_its_pace(store: Store) -> None:
    owe(store, *(delivery(1, number=number) for number in range(6)))
    waited: list[float] = []
    slack = Fake(speed=Pace(scope="C1", per_second=1, burst=3))
    drain(store, {"slack": slack}, now=NOON, picture=no_picture, pause=waited.append)
    assert len(slack.arrived) == 6
    assert [round(wait) for wait in waited] == [1, 2, 3]


@pytest.mark.parametrize("number", range(1, 8))
def test_whichever_database_operation_fails_nothing_is_lost_or_told_twice(
    store: Store, number: int, figure: Figure
) -> None:
    owe(store, delivery(1))
    slack, clock, count = Fake(), FakeClock(NOON), 0

    def fail(*_: object) -> None:
        nonlocal count
        count += 1
        if count >= number:
            raise OperationalError("", {}, Exception("disk I/O error"))

    event.listen(store.engine, "before_cursor_execute", fail)
    with pytest.raises(Unavailable):
        drain(store, {"slack": slack}, now=clock, picture=no_picture, pause=lambda _: None)
    event.remove(store.engine, "before_cursor_execute", fail)
    clock.advance(HOUR)
    drained(store, slack, clock)
    assert slack.said == ["trigger g1"]
    assert [row.state for row in store.outbox.rows()] == ["sent"]
    figure("T3", f"operation {number} of a delivery failed: told once")


def test_an_outcome_that_cannot_be_written_at_first_is_written_later(store: Store) -> None:
    """No doubt arises where the database is back within a moment."""
    owe(store, delivery(1))
    broken = [True]

    def fail(_: object, __: object, statement: str, *___: object) -> None:
        if broken[0] and statement.startswith("UPDATE outbox") and "remote_id" in statement:
            raise OperationalError("", {}, Exception("database is locked"))

    def pause(_: float) -> None:
        broken[0] = False

    event.listen(store.engine, "before_cursor_execute", fail)
    report = drain(store, {"slack": Fake()}, now=NOON, picture=no_picture, pause=pause)
    assert [isinstance(one.outcome, Sent) and one.is_settled for one in report.attempts] == [True]
    event.remove(store.engine, "before_cursor_execute", fail)
