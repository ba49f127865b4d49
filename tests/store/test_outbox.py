"""The outbox on its own: who may try what when, and what follows from each outcome."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from alerting.core.groups import Delivery
from alerting.store import Again, Claim, Dead, LostRace, Outcome, Parked, Recording, Released, Sent, Store, open_store
from alerting.store.encoding import notification_from
from notifiers.contract import Kind, Receipt
from tests.store.builders import HOUR, NOON, delivery, group, incident

SECOND = timedelta(seconds=1)
LEASE, GRACE = 60 * SECOND, 10 * SECOND
RECEIPT = Receipt(remote_id="C1:100")
CLOSINGS = (60 * SECOND, 600 * SECOND)


def owe(store: Store, *deliveries: Delivery, now: datetime = NOON) -> None:
    store.record(Recording(now=now, deliveries=deliveries))


def claim(store: Store, now: datetime = NOON, receiver: str = "slack", *, ignore_waits: bool = False) -> Claim | None:
    return store.outbox.claim(receiver, now, lease=LEASE, grace=GRACE, ignore_waits=ignore_waits)


def claimed(store: Store, now: datetime = NOON, receiver: str = "slack") -> Claim:
    found = claim(store, now, receiver)
    assert found is not None
    return found


def settle(store: Store, one: Claim, outcome: Outcome, now: datetime = NOON) -> bool:
    return store.outbox.settle(one, outcome, now, grace=GRACE)


def states(store: Store, **filters: str) -> list[tuple[int, str, str]]:
    """(sequence, state, kind) of each row, in the order of their numbers."""
    rows = store.outbox.rows(group_id=filters.get("group_id", "g1"))
    return [(row.sequence, row.state, row.kind) for row in rows]


def sent(receipt: Receipt = RECEIPT, closings: tuple[timedelta, ...] = ()) -> Sent:
    return Sent(receipt, "sent", closings)


# Claims


def test_a_delivery_is_claimed_once_and_only_from_its_time_on(store: Store) -> None:
    owe(store, delivery(after=30 * SECOND))
    assert claim(store, NOON + 29 * SECOND) is None
    first = claimed(store, NOON + 30 * SECOND)
    assert (first.delivery_id, first.attempt, first.is_doubtful) == ("slack-g1-1", 1, False)
    assert claim(store, NOON + 31 * SECOND) is None


def test_a_receiver_gets_only_its_own_deliveries(store: Store) -> None:
    owe(store, delivery(receiver="pager"))
    assert claim(store, receiver="slack") is None
    assert claimed(store, receiver="pager").receiver == "pager"


def test_a_group_is_told_strictly_in_sequence(store: Store) -> None:
    owe(store, delivery(1))
    first = claimed(store)
    owe(store, delivery(2, "update"))
    assert claim(store) is None
    settle(store, first, sent())
    assert claimed(store).sequence == 2


@pytest.mark.parametrize(
    "outcome",
    [Again(NOON + HOUR, "outcome unknown", is_doubtful=True), Parked("credential", NOON + HOUR, "refused")],
    ids=["again", "parked"],
)
def test_what_was_tried_in_vain_holds_back_the_rest_of_its_group_only(store: Store, outcome: Outcome) -> None:
    owe(store, delivery(1), delivery(1, number=2))
    settle(store, claimed(store), outcome)
    owe(store, delivery(2, "resolve"))
    other = claim(store)
    assert (other is None) == isinstance(outcome, Parked)  # a parked receiver gets nothing at all
    assert other is None or other.group_id == "g2"


def test_a_dead_delivery_does_not_hold_back_its_group(store: Store) -> None:
    owe(store, delivery(1))
    first = claimed(store)
    owe(store, delivery(2, "resolve"))
    settle(store, first, Dead("content refused"))
    assert claimed(store).sequence == 2


def test_of_many_couriers_one_gets_each_delivery(store: Store, url: str) -> None:
    owe(store, *(delivery(number=number) for number in range(20)))
    stores = [open_store(url) for _ in range(4)]
    found: list[str] = []

    def work(own: Store) -> None:
        while one := claim(own):
            found.append(one.delivery_id)

    threads = [threading.Thread(target=work, args=(own,)) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in stores:
        own.close()
    assert sorted(found) == sorted(f"slack-g{number}-1" for number in range(20))


def test_a_broken_lease_is_taken_over_after_the_grace_and_in_doubt(store: Store) -> None:
    owe(store, delivery())
    first = claimed(store)
    assert claim(store, NOON + LEASE + GRACE - SECOND) is None
    second = claimed(store, NOON + LEASE + GRACE)
    assert (second.is_doubtful, second.attempt, second.term) == (True, 2, first.term + 1)


def test_who_lost_the_lease_cannot_settle(store: Store) -> None:
    owe(store, delivery())
    frozen = claimed(store)
    owner = claimed(store, NOON + LEASE + GRACE)
    assert settle(store, frozen, sent()) is False
    assert settle(store, owner, sent()) is True
    assert settle(store, owner, Dead("twice")) is False
    assert states(store) == [(1, "sent", "trigger")]


def test_the_claim_knows_the_first_message_of_its_group(store: Store) -> None:
    store.record(Recording(now=NOON, groups=(group(incident()),), deliveries=(delivery(1),)))
    assert claimed(store).remote_id is None
    settle(store, claimed(store, NOON + HOUR), sent())
    owe(store, delivery(2, "update"))
    assert claimed(store).remote_id == "C1:100"
    (found,) = store.open_groups()
    assert (found.remote_id, found.sent_version) == ("C1:100", 1)


def test_a_new_first_message_replaces_the_old_one_for_later_edits(store: Store) -> None:
    store.record(Recording(now=NOON, groups=(group(incident()),), deliveries=(delivery(1),)))
    settle(store, claimed(store), sent())
    for sequence, receipt in ((2, Receipt()), (3, Receipt(remote_id="C1:300"))):
        owe(store, delivery(sequence, "update"))
        settle(store, claimed(store), sent(receipt))
    (found,) = store.open_groups()
    assert found.remote_id == "C1:300"


def test_a_receiver_that_was_never_told_gets_an_update_as_trigger(store: Store) -> None:
    store.record(Recording(now=NOON, groups=(group(incident()),), deliveries=(delivery(1),)))
    settle(store, claimed(store), Dead("content refused"))
    owe(store, delivery(2, "update"))
    assert claimed(store).kind == "trigger"


def test_what_was_released_is_ready_as_if_never_claimed(store: Store) -> None:
    owe(store, delivery())
    settle(store, claimed(store), Released())
    again = claimed(store)
    assert (again.attempt, again.is_doubtful) == (1, False)


# Merging


def test_a_newer_update_replaces_an_unsent_older_one_and_says_its_news_too(store: Store) -> None:
    owe(store, delivery(1))
    settle(store, claimed(store), sent())
    owe(store, delivery(2, "update", after=HOUR, said=["France joined"]))
    owe(store, delivery(3, "update", after=HOUR, said=["Spain joined"]))
    assert states(store) == [(1, "sent", "trigger"), (2, "merged", "update"), (3, "ready", "update")]
    merged = store.outbox.rows(group_id="g1")[1]
    assert merged.reason == "merged into 3"
    said = notification_from(claimed(store, NOON + HOUR).payload).changes
    assert [entry.text for entry in said] == ["France joined", "Spain joined"]


def test_an_update_that_replaces_an_unsent_trigger_becomes_it_at_its_time(store: Store) -> None:
    owe(store, delivery(1, after=30 * SECOND))
    owe(store, delivery(2, "update", after=300 * SECOND))
    assert states(store) == [(1, "merged", "trigger"), (2, "ready", "trigger")]
    assert claimed(store, NOON + 30 * SECOND).kind == "trigger"


def test_a_resolve_that_replaces_an_unsent_trigger_stays_a_resolve(store: Store) -> None:
    owe(store, delivery(1, after=30 * SECOND))
    owe(store, delivery(2, "update", after=300 * SECOND))
    owe(store, delivery(3, "resolve"))
    assert states(store) == [(1, "merged", "trigger"), (2, "merged", "trigger"), (3, "ready", "resolve")]


def test_what_was_surely_not_posted_is_replaced_too_and_its_back_off_goes_on(store: Store) -> None:
    owe(store, delivery(1))
    settle(store, claimed(store), Again(NOON + HOUR, "not sent: refused"))
    owe(store, delivery(2, "resolve"))
    assert states(store) == [(1, "merged", "trigger"), (2, "ready", "resolve")]
    assert claimed(store).attempt == 2


def test_what_may_have_been_posted_is_never_replaced(store: Store) -> None:
    owe(store, delivery(1))
    settle(store, claimed(store), Again(NOON + HOUR, "outcome unknown", is_doubtful=True))
    owe(store, delivery(2, "resolve"))
    assert states(store) == [(1, "ready", "trigger"), (2, "ready", "resolve")]
    assert claim(store) is None


def test_what_is_being_sent_is_never_replaced(store: Store) -> None:
    owe(store, delivery(1))
    claimed(store)
    owe(store, delivery(2, "resolve"))
    assert states(store) == [(1, "leased", "trigger"), (2, "ready", "resolve")]


def test_other_receivers_and_other_groups_are_not_merged(store: Store) -> None:
    owe(store, delivery(1), delivery(1, receiver="pager"), delivery(1, number=2))
    owe(store, delivery(2, "resolve"))
    untouched = [row for row in store.outbox.rows() if row.state == "ready"]
    assert {(row.receiver, row.group_id, row.sequence) for row in untouched} == {
        ("slack", "g1", 2),
        ("pager", "g1", 1),
        ("slack", "g2", 1),
    }


def test_several_deliveries_of_one_recording_merge_in_their_order(store: Store) -> None:
    owe(store, delivery(2, "update", after=HOUR), delivery(1))
    assert states(store) == [(1, "merged", "trigger"), (2, "ready", "trigger")]


def test_muted_deliveries_are_recorded_with_their_reason_and_never_sent(store: Store) -> None:
    owe(store, delivery(1, is_muted=True))
    assert claim(store, ignore_waits=True) is None
    (row,) = store.outbox.rows()
    assert (row.state, row.reason) == ("muted", "trigger of g1")
    owe(store, delivery(2, "update"))
    assert states(store) == [(1, "muted", "trigger"), (2, "ready", "update")]


# Outcomes


def test_a_wait_that_a_receiver_asked_for_holds_for_all_its_groups_but_no_other_receiver(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2), delivery(1, receiver="pager"))
    until = NOON + 300 * SECOND
    settle(store, claimed(store), Again(until, "not sent: 429", receiver_waits_until=until))
    assert claim(store, until - SECOND) is None
    assert claim(store, NOON, "pager") is not None
    assert store.outbox.next_due("slack", grace=GRACE) == until
    assert {claimed(store, until).group_id, claimed(store, until).group_id} == {"g1", "g2"}


def test_a_shorter_wait_does_not_cut_a_longer_one(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2))
    first, second = claimed(store), claimed(store)
    for one, wait in ((first, 300), (second, 5)):
        until = NOON + wait * SECOND
        settle(store, one, Again(until, "429", receiver_waits_until=until))
    assert store.outbox.receiver("slack").wait_until == NOON + 300 * SECOND


def test_a_receiver_out_of_order_gets_nothing_until_it_works_again(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2))
    probe_at = NOON + 300 * SECOND
    settle(store, claimed(store), Parked("credential", probe_at, "credentials refused: invalid_auth"))
    assert claim(store, NOON + 24 * HOUR) is None
    assert claim(store, NOON, ignore_waits=True) is None
    state = store.outbox.receiver("slack")
    assert (state.trouble, state.since, state.probe_at) == ("credential", NOON, probe_at)
    assert store.outbox.next_due("slack", grace=GRACE) == probe_at
    assert [one.name for one in store.outbox.receivers_in_trouble()] == ["slack"]
    store.outbox.receiver_still_fails("slack", "credential", "still refused", probe_at + HOUR, probe_at)
    assert store.outbox.receiver("slack").since == NOON
    store.outbox.receiver_works("slack", NOON)
    assert store.outbox.receivers_in_trouble() == []
    assert claimed(store).group_id != claimed(store).group_id


def test_the_first_success_ends_the_back_off_of_the_others(store: Store) -> None:
    for number in (1, 2, 3):
        owe(store, delivery(1, number=number))
    one, two, three = (claimed(store) for _ in range(3))
    settle(store, two, Again(NOON + 5 * HOUR, "not sent: refused"))
    settle(store, three, Again(NOON + 5 * HOUR, "outcome unknown", is_doubtful=True))
    settle(store, one, sent(), NOON + HOUR)
    assert claimed(store, NOON + HOUR).group_id == two.group_id
    assert claim(store, NOON + HOUR) is None  # something may still be on its way
    assert claimed(store, NOON + HOUR + GRACE).group_id == three.group_id


@pytest.mark.parametrize(("kind", "due_after"), [("update", HOUR), ("resolve", 3 * HOUR)])
def test_the_first_success_hurries_nothing_before_it_is_due(store: Store, kind: Kind, due_after: timedelta) -> None:
    """An update that became the trigger is due when that was; anything else when it was planned."""
    owe(store, delivery(1), delivery(1, number=2))
    one, two = claimed(store), claimed(store)
    settle(store, two, Again(NOON + 5 * HOUR, "not sent: refused"))
    owe(store, delivery(2, kind, number=int(two.group_id[1:]), after=3 * HOUR))
    settle(store, one, sent(), NOON + HOUR)
    assert store.outbox.next_due("slack", grace=GRACE) == NOON + due_after
    assert claim(store, NOON + due_after - SECOND) is None
    assert claimed(store, NOON + due_after).group_id == two.group_id


def test_a_resolve_after_a_doubtful_trigger_is_said_again_twice(store: Store) -> None:
    owe(store, delivery(1))
    settle(store, claimed(store), Again(NOON, "outcome unknown", is_doubtful=True))
    settle(store, claimed(store), sent(closings=CLOSINGS))
    owe(store, delivery(2, "resolve"))
    settle(store, claimed(store), sent(closings=CLOSINGS), NOON + HOUR)
    closings = [row for row in store.outbox.rows(group_id="g1") if row.is_closing]
    assert [(row.not_before - NOON - HOUR, row.kind, row.state) for row in closings] == [
        (60 * SECOND, "resolve", "ready"),
        (600 * SECOND, "resolve", "ready"),
    ]
    assert claim(store, NOON + HOUR, ignore_waits=True) is None  # a trigger on its way does not hurry for us
    for wait in CLOSINGS:
        settle(store, claimed(store, NOON + HOUR + wait), sent(closings=CLOSINGS), NOON + HOUR + wait)
    assert len(store.outbox.rows(group_id="g1")) == 4


def test_a_resolve_after_a_clean_trigger_is_said_once(store: Store) -> None:
    owe(store, delivery(1))
    settle(store, claimed(store), sent(closings=CLOSINGS))
    owe(store, delivery(2, "resolve"))
    settle(store, claimed(store), sent(closings=CLOSINGS))
    assert states(store) == [(1, "sent", "trigger"), (2, "sent", "resolve")]


def test_a_crash_while_sending_counts_as_doubt_for_closing_resolves(store: Store) -> None:
    owe(store, delivery(1))
    claimed(store)
    settle(store, claimed(store, NOON + HOUR), sent(closings=CLOSINGS), NOON + HOUR)
    owe(store, delivery(2, "resolve"))
    settle(store, claimed(store, NOON + HOUR), sent(closings=CLOSINGS), NOON + HOUR)
    assert len(states(store)) == 4


def test_every_settlement_leaves_its_reason(store: Store) -> None:
    owe(store, *(delivery(number=number) for number in range(4)))
    outcomes = (Sent(RECEIPT, "sent, without chart"), Again(NOON, "not sent: 429"), Dead("content refused: no_text"))
    for outcome in outcomes:
        settle(store, claimed(store), outcome)
        assert outcome.reason in [row.reason for row in store.outbox.rows()]


# What people and the daemon ask


def test_deliveries_to_a_receiver_that_was_removed_are_dead_and_say_so(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2), delivery(1, receiver="pager"))
    claimed(store)
    assert store.outbox.receivers_waited_for() == frozenset({"slack", "pager"})
    assert store.outbox.bury_removed(["pager"], NOON) == 1  # the other one is just being sent
    assert store.outbox.bury_removed(["pager"], NOON + LEASE) == 1
    dead = [(row.receiver, row.state, row.reason) for row in store.outbox.rows() if row.receiver == "slack"]
    assert dead == [("slack", "dead", "receiver removed")] * 2
    assert store.outbox.receivers_waited_for() == frozenset({"pager"})


def test_next_due_is_the_earliest_head_of_a_group(store: Store) -> None:
    assert store.outbox.next_due("slack", grace=GRACE) is None
    owe(store, delivery(1, after=HOUR), delivery(1, number=2, after=2 * HOUR))
    assert store.outbox.next_due("slack", grace=GRACE) == NOON + HOUR
    claimed(store, NOON + HOUR)
    assert store.outbox.next_due("slack", grace=GRACE) == NOON + HOUR + LEASE + GRACE


def test_the_oldest_delivery_that_is_late_is_known(store: Store) -> None:
    assert store.outbox.oldest_due(NOON) is None
    owe(store, delivery(1, after=HOUR))
    assert store.outbox.oldest_due(NOON) is None
    assert store.outbox.oldest_due(NOON + HOUR) == NOON + HOUR


def test_rows_are_filtered_for_people(store: Store) -> None:
    owe(store, delivery(1))
    owe(store, delivery(1, number=2), now=NOON + HOUR)
    settle(store, claimed(store), sent())
    assert [row.group_id for row in store.outbox.rows()] == ["g2", "g1"]
    assert [row.group_id for row in store.outbox.rows(unsettled_only=True)] == ["g2"]
    assert [row.group_id for row in store.outbox.rows(since=NOON + HOUR)] == ["g2"]
    assert [row.group_id for row in store.outbox.rows(receiver="pager")] == []
    assert len(store.outbox.rows(limit=1)) == 1


def test_the_recorded_notification_can_be_shown(store: Store) -> None:
    one = delivery(1, said=["a\x00b \ud800"])
    owe(store, one)
    payload = store.outbox.payload("slack-g1-1")
    assert payload is not None
    assert notification_from(payload) == one.payload
    assert store.outbox.payload("unknown") is None


def test_a_payload_of_another_version_does_not_stop_a_newer_delivery(store: Store) -> None:
    owe(store, delivery(1))
    with store.engine.begin() as connection:
        connection.exec_driver_sql('UPDATE outbox SET payload = \'{"from": "the future"}\'')
    owe(store, delivery(2, "update", said=["news"]))
    assert states(store) == [(1, "merged", "trigger"), (2, "ready", "trigger")]


def test_a_lost_race_for_a_sequence_number_merges_nothing(store: Store) -> None:
    owe(store, delivery(1), delivery(2, "update"))
    with pytest.raises(LostRace):
        owe(store, delivery(3, "update"), delivery(2, "resolve"))
    assert states(store) == [(1, "merged", "trigger"), (2, "ready", "trigger")]
