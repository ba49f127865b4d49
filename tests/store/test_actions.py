"""Silences and the audit log on a real database, and what they do to a race."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.core.actions import Action, ActionKind
from alerting.core.incidents import Status, Transition
from alerting.core.silences import silence
from alerting.store import LostRace, Recording, Store
from tests.store.builders import HOUR, NOON, SUBJECT, group, incident, judged, resolved, state_of, transition

MATCHERS = {"metric": "orders", "country": "DE\x00"}


def action(kind: ActionKind = "acknowledge", hours: int = 0, by: str = "ann", *names: str) -> Action:
    found = names or (incident().id,)
    return Action(NOON + hours * HOUR, by, "cli", kind, found[0], "deploy", found)


def ended_now() -> Transition:
    return transition(resolved(incident()), Status.FIRING, Status.RESOLVED)


def opened(store: Store) -> None:
    store.record(Recording(NOON, states=(state_of(incident()),)))


def test_a_silence_comes_back_as_it_was_written_until_its_end_was_told(store: Store) -> None:
    one = silence({"metric": "orders"}, NOON, NOON + HOUR, author="ann", comment="deploy", now=NOON)
    store.record(Recording(NOON, silences=(one,)))
    assert store.silences.named(one.id) == one
    assert store.silences.holding() == (one,)
    over = replace(one, ends=NOON + timedelta(minutes=5), expired_by="bob", told_end=NOON + timedelta(minutes=5))
    store.record(Recording(NOON, silences=(over,)))
    assert store.silences.holding() == ()
    assert store.silences.all() == (over,)
    assert store.silences.named("another") is None


def test_nul_in_a_name_is_kept_out_of_the_way_of_the_database(store: Store) -> None:
    one = silence(MATCHERS, NOON, NOON + HOUR, author="ann\x00", comment="deploy", now=NOON)
    store.record(Recording(NOON, silences=(one,)))
    assert dict(store.silences.holding()[0].matchers) == MATCHERS


def test_an_incident_is_acknowledged_once_whoever_is_faster(store: Store) -> None:
    opened(store)
    store.record(Recording(NOON, actions=(action(),)))
    with pytest.raises(LostRace):
        store.record(Recording(NOON + HOUR, actions=(action(hours=1, by="bob"),)))
    assert [one.by for one in store.actions.all()] == ["ann"]
    assert store.actions.acknowledged() == {incident().id: action()}


def test_the_acknowledgement_of_what_has_ended_concerns_nobody(store: Store) -> None:
    opened(store)
    store.record(Recording(NOON, actions=(action(),)))
    store.record(Recording(NOON, transitions=(ended_now(),)))
    assert store.actions.acknowledged() == {}
    assert store.actions.of_incidents([incident().id]) == {incident().id: (action(),)}


def test_an_incident_that_was_ended_meanwhile_is_not_opened_again(store: Store) -> None:
    opened(store)
    store.record(Recording(NOON, transitions=(ended_now(),)))
    with pytest.raises(LostRace, match="has ended meanwhile"):
        opened(store)
    assert [one.status for one in store.incidents()] == ["resolved"]


def test_the_newest_label_of_an_incident_is_the_one_that_counts(store: Store) -> None:
    opened(store)
    store.record(Recording(NOON, actions=(action("expected"),)))
    assert [one.id for one in store.actions.labelled("expected", SUBJECT, "orders")] == [incident().id]
    store.record(Recording(NOON, actions=(action("not_an_anomaly", 1),)))
    assert store.actions.labelled("expected", SUBJECT, "orders") == ()
    assert store.actions.labelled("not_an_anomaly", SUBJECT, "another") == ()


def test_retention_keeps_what_was_done_to_incidents_that_are_kept(store: Store) -> None:
    opened(store)
    store.record(Recording(NOON, actions=(action(), action("silence", 0, "ann", "20260101T12-gone"))))
    store.expire(NOON + timedelta(days=500), {})
    assert [one.kind for one in store.actions.all()] == ["acknowledge"]


def test_a_judgement_by_what_was_forgotten_meanwhile_is_void(store: Store) -> None:
    first = judged([{"country": "DE"}], [[0.5]])
    store.record(Recording(NOON, judged=(first,)))
    store.record(Recording(NOON, forgotten=((first.subscription, first.metric),)))
    watch = store.watch(first.subscription, first.entry, first.metric)
    assert watch is not None
    assert watch.state == b""
    later = judged([{"country": "DE"}], [[0.5]], start=first.judged_until, previous=first.judged_until)
    with pytest.raises(LostRace):
        store.record(Recording(NOON, judged=(replace(later, remembers=True),)))
    store.record(Recording(NOON, judged=(later,)))


def test_groups_that_are_silent_are_those_somebody_may_be_reminded_of(store: Store) -> None:
    two = incident(2, "FR")
    seen = replace(group(incident(), two), key='["told","subscription:shop"]')
    muted = replace(group(incident(), number=2), key='["muted","subscription:shop"]')
    store.record(Recording(NOON, states=(state_of(incident()), state_of(two)), groups=(seen, muted)))
    (found,) = store.groups_silent_since(NOON)
    assert (found.id, found.subject, found.sequence, found.flushed) == ("g1", SUBJECT, 1, NOON)
    assert store.groups_silent_since(NOON - HOUR) == []
    store.record(Recording(NOON, actions=(action(),)))
    assert len(store.groups_silent_since(NOON)) == 1, "the other one is not acknowledged"
    store.record(Recording(NOON, actions=(action("acknowledge", 0, "bob", two.id),)))
    assert store.groups_silent_since(NOON) == []
