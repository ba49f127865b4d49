from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from alerting.core.incidents import Status
from alerting.store import Expired, Recording, Sent, Store
from notifiers.contract import Receipt
from tests.store.builders import (
    HOUR,
    NOON,
    SUBJECT,
    block,
    delivery,
    group,
    incident,
    judged,
    key,
    resolved,
    transition,
)

DAY = timedelta(days=1)
EVER = (NOON - 10_000 * HOUR, NOON + 10_000 * HOUR)


def send_all(store: Store) -> None:
    while one := store.outbox.claim("slack", NOON, lease=DAY, grace=DAY):
        store.outbox.settle(one, Sent(Receipt(remote_id="C1:1"), "sent"), NOON, grace=DAY)


def test_points_go_when_they_are_older_than_the_history_of_their_query(store: Store) -> None:
    for digest in ("short", "long"):
        store.points.write(digest, block([[1], [2], [3]], [key("DE")]), NOON)
    now = NOON + 30 * DAY + HOUR
    expired = store.expire(now, {"short": 30 * DAY, "long": 90 * DAY})
    assert expired == Expired(points=1)
    assert store.points.read("short", *EVER).values.tolist() == [[2], [3]]
    assert len(store.points.read("long", *EVER).times) == 3


def test_sealed_weeks_go_as_a_whole(store: Store) -> None:
    hours = 24 * 21
    store.points.write("d1", block([[hour] for hour in range(hours)], [key("DE")]), NOON)
    store.points.seal(NOON + 90 * DAY)
    store.expire(NOON + 40 * DAY, {"d1": 30 * DAY})
    first, last = store.points.first_and_last("d1") or (NOON, NOON)
    assert NOON < first <= NOON + 10 * DAY
    assert last == NOON + (hours - 1) * HOUR


def test_points_of_a_query_that_is_not_configured_any_more_stay_400_days(store: Store) -> None:
    store.points.write("gone", block([[1]], [key("DE")]), NOON)
    assert store.expire(NOON + 399 * DAY, {}).points == 0
    assert store.expire(NOON + 401 * DAY, {}).points == 1
    assert store.points.digests() == frozenset()


def test_what_was_told_goes_after_400_days_with_its_timeline_and_group(store: Store) -> None:
    one = resolved(incident())
    changes = (transition(incident()), transition(one, Status.RECOVERING, Status.RESOLVED))
    closed = replace(group(one), closed=NOON + 6 * HOUR)
    verdicts = judged([{"country": "DE"}], [[1.5]])
    store.record(Recording(NOON, (verdicts,), (), changes, (closed,), (delivery(),)))
    send_all(store)
    assert store.expire(NOON + 399 * DAY, {}) == Expired()
    assert store.expire(NOON + 401 * DAY, {}) == Expired(verdicts=1, incidents=1, transitions=2, groups=1, deliveries=1)
    assert (store.incidents(), store.timeline(one.id), store.groups_of(one.id), store.outbox.rows()) == ([], [], [], [])


def test_open_incidents_and_what_is_still_owed_are_never_removed(store: Store) -> None:
    one = incident()
    store.record(Recording(NOON, (), (), (transition(one),), (group(one),), (delivery(),)))
    assert store.expire(NOON + 4000 * DAY, {}) == Expired()
    assert (len(store.incidents()), len(store.timeline(one.id)), len(store.open_groups())) == (1, 1, 1)
    assert [row.state for row in store.outbox.rows()] == ["ready"]


def test_a_closed_group_stays_while_something_is_owed_about_it(store: Store) -> None:
    one = resolved(incident())
    closed = replace(group(one), closed=NOON + 6 * HOUR)
    store.record(Recording(NOON, (), (), (transition(one),), (closed,), (delivery(1, "resolve"),)))
    assert store.expire(NOON + 401 * DAY, {}).groups == 0
    send_all(store)
    assert store.expire(NOON + 402 * DAY, {}).groups == 1


def test_old_transitions_that_opened_no_incident_go_too(store: Store) -> None:
    pending = replace(transition(incident(), Status.OK, Status.PENDING), incident=None)
    store.record(Recording(NOON, transitions=(pending,)))
    assert store.expire(NOON + 401 * DAY, {}).transitions == 1
    assert store.transitions(SUBJECT, pending.fingerprint, *EVER) == []
