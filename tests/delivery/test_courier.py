"""The courier's threads, with a clock that stands still: no test waits for time to pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from alerting.core.groups import Delivery
from alerting.delivery import Courier, Timing
from alerting.store import Recording, Store
from notifiers.contract import Notification, Notifier
from notifiers.errors import NotSent
from tests.delivery.fakes import Fake, FakeClock, no_picture, refused
from tests.store.builders import HOUR, NOON, delivery

SECOND = timedelta(seconds=1)
QUICK = Timing(poll=timedelta(milliseconds=20))


def owe(store: Store, *deliveries: Delivery) -> None:
    store.record(Recording(now=NOON, deliveries=deliveries))


@contextmanager
def running(
    store: Store, notifiers: Mapping[str, Notifier], clock: FakeClock, timing: Timing = QUICK
) -> Iterator[Courier]:
    courier = Courier(store, notifiers, clock=clock, picture=no_picture, timing=timing, chance=lambda: 0.0)
    courier.start()
    try:
        yield courier
    finally:
        courier.stop()


def eventually(is_true: Callable[[], bool], timeout_s: float = 20) -> bool:
    """Looks again as often as it can be told that something may have changed."""
    tick = threading.Event()
    for _ in range(int(timeout_s / 0.01)):
        if is_true():
            return True
        tick.wait(0.01)
    return is_true()


def states(store: Store) -> list[str]:
    return [row.state for row in reversed(store.outbox.rows())]


def test_what_is_recorded_is_sent_as_soon_as_the_courier_is_woken(store: Store) -> None:
    slack, clock = Fake(), FakeClock(NOON)
    with running(store, {"slack": slack}, clock, Timing(poll=HOUR)) as courier:
        owe(store, delivery(1))
        courier.wake()
        assert slack.wait_for(1)
        assert eventually(lambda: states(store) == ["sent"])
        owe(store, delivery(2, "update"))
        courier.wake("slack")
        assert slack.wait_for(2)


def test_what_another_process_records_is_found_by_looking(store: Store) -> None:
    slack = Fake()
    with running(store, {"slack": slack}, FakeClock(NOON)):
        owe(store, delivery(1))
        assert slack.wait_for(1)


def test_a_receiver_that_hangs_delays_no_other(store: Store) -> None:
    release = threading.Event()
    slack, pager = Fake().calling(lambda _: release.wait(20)), Fake()
    owe(store, delivery(1), *(delivery(1, number=number, receiver="pager") for number in range(2, 12)))
    with running(store, {"slack": slack, "pager": pager}, FakeClock(NOON)):
        assert pager.wait_for(10)
        assert slack.arrived == []
        release.set()
        assert slack.wait_for(1)


def test_a_delivery_that_failed_is_tried_again_when_its_time_has_come(store: Store) -> None:
    slack, clock = Fake().planned(refused()), FakeClock(NOON)
    owe(store, delivery(1))
    with running(store, {"slack": slack}, clock) as courier:
        assert slack.wait_for_attempts(1)
        assert eventually(lambda: states(store) == ["ready"])
        clock.advance(SECOND)
        courier.wake()
        assert slack.wait_for(1)
    assert states(store) == ["sent"]


def test_nothing_is_sent_before_a_receiver_wants_it_and_all_is_sent_then(store: Store) -> None:
    slack, clock = Fake().planned(NotSent("429", 300 * SECOND)), FakeClock(NOON)
    owe(store, *(delivery(1, number=number) for number in range(20)))
    with running(store, {"slack": slack}, clock) as courier:
        assert eventually(lambda: store.outbox.receiver("slack").wait_until is not None)
        for step in (298 * SECOND, SECOND / 2, SECOND / 2):  # a second beat proves that it has looked in between
            clock.advance(step)
            courier.wake()
            assert eventually(lambda: courier.heartbeats()["slack"] == clock.now)
        assert slack.attempts == ["send"]
        clock.advance(SECOND)
        courier.wake()
        assert slack.wait_for(20)
    assert slack.attempts == ["send"] * 21


def test_a_broken_database_pauses_delivery_and_nothing_else(store: Store) -> None:
    broken = threading.Event()
    failures = []

    def fail(*_: object) -> None:
        if broken.is_set():
            failures.append(1)
            raise OperationalError("", {}, Exception("database is locked"))

    event.listen(store.engine, "before_cursor_execute", fail)
    slack, clock = Fake(), FakeClock(NOON)
    try:
        with running(store, {"slack": slack}, clock) as courier:
            broken.set()
            courier.wake()
            assert eventually(lambda: bool(failures))
            broken.clear()
            owe(store, delivery(1))
            courier.wake()
            assert slack.wait_for(1)
    finally:
        event.remove(store.engine, "before_cursor_execute", fail)


def test_stopping_finishes_what_is_being_sent_and_claims_nothing_more(store: Store) -> None:
    entered, release = threading.Event(), threading.Event()

    def hold(_: Notification) -> None:
        entered.set()
        release.wait(20)

    slack = Fake().calling(hold)
    owe(store, delivery(1), delivery(1, number=2))
    courier = Courier(store, {"slack": slack}, clock=FakeClock(NOON), picture=no_picture, timing=QUICK)
    courier.start()
    assert entered.wait(20)
    assert courier.stop(timeout=timedelta(0)) is False  # still sending
    release.set()
    assert courier.stop() is True
    assert sorted(states(store)) == ["ready", "sent"]
    assert len(slack.arrived) == 1


def test_what_was_claimed_but_not_sent_is_released_on_stop(store: Store) -> None:
    entered, release = threading.Event(), threading.Event()

    def picture(_: Notification) -> None:
        entered.set()
        release.wait(20)

    slack = Fake()
    owe(store, delivery(1))
    courier = Courier(store, {"slack": slack}, clock=FakeClock(NOON), picture=picture, timing=QUICK)
    courier.start()
    assert entered.wait(20)
    courier.stop(timeout=timedelta(0))
    release.set()
    assert courier.stop() is True
    (row,) = store.outbox.rows()
    assert (row.state, row.attempt, row.is_doubtful, slack.attempts) == ("ready", 0, False, [])


def test_heartbeats_follow_the_clock_of_each_receiver(store: Store) -> None:
    clock = FakeClock(NOON)
    with running(store, {"slack": Fake(), "pager": Fake()}, clock) as courier:
        clock.advance(HOUR)
        assert eventually(lambda: set(courier.heartbeats().values()) == {NOON + HOUR})


def test_starting_buries_what_is_owed_to_receivers_that_are_gone(store: Store) -> None:
    owe(store, delivery(1, receiver="old"))
    with running(store, {"slack": Fake()}, FakeClock(NOON)):
        assert states(store) == ["dead"]


def test_a_courier_that_was_never_started_can_be_stopped(store: Store) -> None:
    courier = Courier(store, {"slack": Fake()}, clock=FakeClock(NOON), picture=no_picture)
    assert courier.stop() is True


@pytest.mark.parametrize("frozen_for", [timedelta(minutes=3), timedelta(hours=1)])
def test_a_courier_that_was_frozen_while_sending_cannot_settle(store: Store, frozen_for: timedelta) -> None:
    """Another one took over, looked, found the message and settled; the first one wakes and is refused."""
    entered, release = threading.Event(), threading.Event()

    def freeze(_: Notification) -> None:
        entered.set()
        release.wait(20)

    clock = FakeClock(NOON)
    frozen, awake = Fake().calling(freeze), Fake()
    owe(store, delivery(1))
    with running(store, {"slack": frozen}, clock):
        assert entered.wait(20)
        clock.advance(frozen_for)
        with running(store, {"slack": awake}, clock):
            assert awake.wait_for(1)
            assert eventually(lambda: states(store) == ["sent"])
        release.set()
    (row,) = store.outbox.rows()
    assert (row.state, row.attempt, awake.attempts) == ("sent", 2, ["find", "send"])
