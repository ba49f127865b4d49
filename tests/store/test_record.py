from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError, StatementError

from alerting.core.incidents import Incident, Status
from alerting.store import AmbiguousIncident, LostRace, Recording, Store, Unavailable, open_store
from tests.figures import Figure
from tests.store.builders import (
    HOUR,
    NOON,
    SUBJECT,
    delivery,
    group,
    incident,
    judged,
    query_state,
    reading,
    resolved,
    state_of,
    transition,
)

NAN = float("nan")
DE, FR, US = {"country": "DE"}, {"country": "FR"}, {"country": "US"}
EVER = (NOON - 10_000 * HOUR, NOON + 10_000 * HOUR)


def assert_each_series_reads_alike(store: Store) -> None:
    """``verdicts_of_series`` says of each series what ``verdicts`` says of all."""
    whole = store.verdicts("shop", "seasonal", "orders", *EVER)
    assert whole.labels
    for place, labels in enumerate(whole.labels):
        alone = store.verdicts_of_series("shop", "seasonal", "orders", labels, *EVER)
        assert alone is not None
        for name in ("times", "expected", "lower", "upper", "score", "status"):
            of_one = getattr(alone, name)
            of_all = getattr(whole, name)
            np.testing.assert_array_equal(of_one, of_all if name == "times" else of_all[:, [place]])
    assert store.verdicts_of_series("shop", "seasonal", "orders", {"country": "nowhere"}, *EVER) is None


def opening(one: Incident, *, sequence: int = 1) -> Recording:
    """What an evaluation records when an incident opens."""
    return Recording(
        now=NOON,
        judged=(judged([DE], [[1.5], [2.0]]),),
        states=(state_of(one),),
        transitions=(transition(one),),
        groups=(group(one, sequence=sequence),),
        deliveries=(delivery(sequence),),
        query_state=query_state(),
    )


def test_everything_that_was_recorded_is_read_back_as_it_was(store: Store) -> None:
    one = incident()
    pending = replace(state_of(incident(2, "FR")), incident=None, status=Status.PENDING, first_pending=reading(1, NAN))
    recorded = opening(one)
    store.record(replace(recorded, states=(state_of(one), pending)))
    states = store.series_states(SUBJECT)
    # NaN is not equal to itself, but reads alike.
    assert repr(states[one.fingerprint]) == repr(state_of(one))
    assert repr(states[pending.fingerprint]) == repr(pending)
    assert repr(store.incident(one.id)) == repr(one)
    assert repr(store.timeline(one.id)) == repr([transition(one)])
    assert repr(store.open_groups()) == repr([group(one)])
    assert repr(store.groups_of(one.id)) == repr([group(one)])
    assert store.query_states() == {"orders_hourly": query_state()}
    assert [(row.delivery_id, row.state, row.why) for row in store.outbox.rows()] == [
        ("slack-g1-1", "ready", "trigger of g1")
    ]


def test_what_is_remembered_of_a_series_that_flaps_is_read_back(store: Store) -> None:
    one = replace(incident(), flapping=True)
    flapping = replace(state_of(one), changes=(NOON - 2 * HOUR, NOON - HOUR, NOON))
    began = replace(transition(one), began_flapping=True)
    store.record(replace(opening(one), states=(flapping,), transitions=(began,)))
    assert repr(store.series_states(SUBJECT)[one.fingerprint]) == repr(flapping)
    assert repr(store.incident(one.id)) == repr(one)
    assert repr(store.timeline(one.id)) == repr([began])
    assert repr(store.open_groups()[0].members) == repr((one,))


def test_a_group_is_open_until_its_resolve_is_due(store: Store) -> None:
    closing = replace(group(incident()), closed=NOON + HOUR)
    store.record(replace(opening(incident()), groups=(closing,)))
    assert store.open_groups() == store.open_groups(NOON + HOUR) == []
    assert repr(store.open_groups(NOON)) == repr([closing])


def test_infinite_and_missing_numbers_of_a_reading_survive(store: Store) -> None:
    one = replace(incident(), worst=replace(reading(), score=float("inf"), upper=float("-inf")))
    store.record(opening(one))
    found = store.incident(one.id)
    assert found is not None
    assert (found.worst.score, found.worst.upper) == (float("inf"), float("-inf"))
    assert np.isnan(found.worst.lower)


def test_numpy_numbers_become_numbers(store: Store) -> None:
    one = replace(
        incident(),
        last=replace(reading(), observed=np.float64(5), direction=np.int8(-1)),  # type: ignore[arg-type]  # as detectors do
    )
    state = replace(state_of(one), streak=np.int64(3))  # type: ignore[arg-type]  # as detectors do
    store.record(replace(opening(one), states=(state,)))
    found = store.series_states(SUBJECT)[one.fingerprint]
    assert (found.streak, type(found.streak)) == (3, int)
    assert found.incident is not None
    assert (found.incident.last.observed, found.incident.last.direction) == (5.0, -1)


def test_text_that_a_database_refuses_is_kept_without_it(store: Store) -> None:
    one = replace(incident(), cause="a\x00b\ud800", labels={"country": "\x00\ud800"})
    store.record(opening(one))
    found = store.incident(one.id)
    assert found is not None
    assert (found.cause, found.labels) == ("ab?", {"country": "\x00\ud800"})


def test_a_second_open_incident_of_a_series_is_refused_and_nothing_is_written(store: Store) -> None:
    store.record(opening(incident(1)))
    second = replace(opening(incident(2), sequence=2), judged=(judged([DE], [[9.0]], previous=NOON + 2 * HOUR),))
    with pytest.raises(LostRace):
        store.record(second)
    assert [one.id for one in store.incidents()] == [incident(1).id]
    assert len(store.outbox.rows()) == 1
    assert len(store.verdicts("shop", "seasonal", "orders", *EVER).times) == 2


def test_a_series_may_end_one_incident_and_open_the_next_in_one_recording(store: Store) -> None:
    first, second = incident(1), incident(2)
    store.record(opening(first))
    store.record(
        Recording(
            now=NOON,
            states=(state_of(second),),
            transitions=(transition(second), transition(resolved(first), Status.RECOVERING, Status.RESOLVED)),
        )
    )
    assert [one.id for one in store.incidents(open_only=True)] == [second.id]
    found = store.incident(first.id)
    assert found is not None
    assert found.status == "resolved"


def test_a_stale_member_of_a_group_does_not_reopen_its_incident(store: Store) -> None:
    one = incident()
    store.record(opening(one))
    store.record(Recording(now=NOON, transitions=(transition(resolved(one), Status.FIRING, Status.RESOLVED),)))
    store.record(Recording(now=NOON, groups=(group(one, sequence=2),)))
    assert store.incidents(open_only=True) == []


def test_members_stay_in_the_order_in_which_they_joined(store: Store) -> None:
    members = tuple(incident(number, country) for number, country in enumerate(("FR", "DE", "US")))
    store.record(Recording(now=NOON, groups=(group(members[0]),)))
    store.record(Recording(now=NOON, groups=(group(*members),)))
    (found,) = store.open_groups()
    assert [one.labels["country"] for one in found.members] == ["FR", "DE", "US"]


def test_who_judged_on_old_knowledge_loses_the_race_and_writes_nothing(store: Store) -> None:
    store.record(opening(incident()))
    late = replace(opening(incident(2, "FR"), sequence=2), judged=(judged([DE], [[0.1]], previous=None),))
    with pytest.raises(LostRace, match="orders was judged by somebody else"):
        store.record(late)
    assert len(store.incidents()) == 1
    watch = store.watch("shop", "seasonal", "orders")
    assert watch is not None
    assert (watch.added, watch.judged_until, watch.state) == (NOON, NOON + 2 * HOUR, b"learned")


def test_a_race_for_the_first_judgement_has_one_winner(store: Store, url: str) -> None:
    other = open_store(url)
    store.record(Recording(now=NOON, judged=(judged([DE], [[0.5]]),)))
    with pytest.raises(LostRace):
        other.record(Recording(now=NOON, judged=(judged([DE], [[0.7]]),)))
    other.close()
    assert store.verdicts("shop", "seasonal", "orders", *EVER).score.tolist() == [[0.5]]


def test_a_taken_sequence_number_is_a_lost_race(store: Store) -> None:
    store.record(Recording(now=NOON, deliveries=(delivery(1),)))
    twin = replace(delivery(1), delivery_id="another")
    with pytest.raises(LostRace):
        store.record(Recording(now=NOON, deliveries=(twin,)))


def test_verdicts_are_read_back_as_judged(store: Store) -> None:
    store.record(Recording(now=NOON, judged=(judged([DE, FR], [[0.5, 1.5], [NAN, 2.0]]),)))
    found = store.verdicts("shop", "seasonal", "orders", *EVER)
    assert_each_series_reads_alike(store)
    assert found.labels == (DE, FR)
    np.testing.assert_array_equal(found.score, [[0.5, 1.5], [NAN, 2.0]])
    np.testing.assert_array_equal(found.expected, [[100, 100], [NAN, 100]])
    np.testing.assert_array_equal(found.lower, [[90, 90], [NAN, 90]])
    assert np.isnan(found.upper).all()
    assert found.status.tolist() == [["ok", "anomaly"], ["unknown", "anomaly"]]
    assert found.times[0] == np.datetime64("2026-03-02T12:00")


def test_judging_a_bucket_again_replaces_its_verdict(store: Store) -> None:
    store.record(Recording(now=NOON, judged=(judged([DE], [[1.5], [2.0]]),)))
    again = judged([DE], [[0.3]], start=NOON + HOUR, previous=NOON + 2 * HOUR)
    store.record(Recording(now=NOON, judged=(again,)))
    assert store.verdicts("shop", "seasonal", "orders", *EVER).score.tolist() == [[1.5], [0.3]]


def test_series_come_and_go_without_losing_their_column(store: Store) -> None:
    store.record(Recording(now=NOON, judged=(judged([DE, FR], [[1, 2]]),)))
    later = judged([US, FR], [[3, 4]], start=NOON + HOUR, previous=NOON + HOUR)
    store.record(Recording(now=NOON, judged=(later,)))
    found = store.verdicts("shop", "seasonal", "orders", *EVER)
    assert_each_series_reads_alike(store)
    assert found.labels == (DE, FR, US)
    np.testing.assert_array_equal(found.score, [[1, 2, NAN], [NAN, 4, 3]])
    assert found.status.tolist() == [["ok", "anomaly", "unknown"], ["unknown", "anomaly", "anomaly"]]


def test_a_year_of_verdicts_is_written_in_one_recording(store: Store) -> None:
    scores = np.random.default_rng(3).uniform(size=(1000, 3))
    store.record(Recording(now=NOON, judged=(judged([DE, FR, US], scores.tolist()),)))
    np.testing.assert_array_equal(store.verdicts("shop", "seasonal", "orders", *EVER).score, scores)


def test_watches_list_everything_without_the_state_blobs(store: Store) -> None:
    store.record(Recording(now=NOON, judged=(judged([DE], [[0.5]]),)))
    (key,) = store.watches()
    assert key == ("shop", "seasonal", "orders")
    assert (store.watches()[key].state, store.watches()[key].labels) == (b"", (DE,))
    assert store.watch("shop", "seasonal", "other") is None
    assert store.verdicts("shop", "seasonal", "other", *EVER).score.shape == (0, 0)


def test_an_evaluation_does_not_undo_what_delivery_learned(store: Store) -> None:
    store.record(opening(incident()))
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE groups SET remote_id = 'C1:7', sent_version = 1")
    store.record(Recording(now=NOON, groups=(group(incident(), sequence=2),)))
    (found,) = store.open_groups()
    assert (found.remote_id, found.sent_version, found.sequence) == ("C1:7", 1, 2)


def test_an_incident_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for number, country in ((0x1111, "DE"), (0x1122, "FR")):
        store.record(Recording(now=NOON, transitions=(transition(incident(number, country)),)))
    found = store.incident("20260302T12-00001122")
    assert found is not None
    assert found.labels == FR
    assert store.incident("20260302T12-0000111") is not None
    assert store.incident("2025") is None
    assert store.incident("%") is None
    with pytest.raises(AmbiguousIncident, match="20260302T12-00001111, 20260302T12-00001122"):
        store.incident("2026")


def test_incidents_are_filtered_and_newest_first(store: Store) -> None:
    old = resolved(incident(1))
    new = replace(incident(2, "FR"), detected=NOON + 9 * HOUR)
    other = replace(incident(3, "US", subject="query:orders"), detected=NOON + 5 * HOUR)
    store.record(Recording(now=NOON, transitions=tuple(transition(one) for one in (old, new, other))))
    assert numbers(store.incidents()) == [2, 3, 1]
    assert numbers(store.incidents(open_only=True)) == [2, 3]
    assert numbers(store.incidents(since=NOON + 7 * HOUR)) == [2, 3]
    assert numbers(store.incidents(subject=SUBJECT)) == [2, 1]
    assert numbers(store.incidents(limit=1)) == [2]


def numbers(found: list[Incident]) -> list[int]:
    return [int(one.id[-8:], 16) for one in found]


def test_transitions_of_a_series_are_found_also_before_an_incident(store: Store) -> None:
    one = incident()
    pending = replace(transition(one, Status.OK, Status.PENDING), incident=None, at=NOON)
    store.record(Recording(now=NOON, transitions=(pending, transition(one))))
    found = store.transitions(SUBJECT, one.fingerprint, NOON, NOON + 24 * HOUR)
    assert [change.after for change in found] == [Status.PENDING, Status.FIRING]
    assert [change.after for change in store.timeline(one.id)] == [Status.FIRING]
    assert store.transitions(SUBJECT, one.fingerprint, NOON + HOUR, NOON + 2 * HOUR) == []


def test_whichever_database_operation_fails_nothing_is_half_recorded(store: Store, figure: Figure) -> None:
    """Fail the first operation, then the second, … until it gets through: each time all or nothing."""
    one, failed = incident(), 0
    for number in range(1, 100):
        if record_failing_at(store, number, opening(one)):
            break
        failed += 1
        assert (store.incidents(), store.outbox.rows(), store.watches(), store.query_states()) == ([], [], {}, {})
        assert store.series_states(SUBJECT) == {}
    assert failed > 8
    assert len(store.outbox.rows()) == len(store.incidents()) == len(store.open_groups()) == 1
    figure("T3", f"each of {failed} operations of a recording failed in turn: 0 lost, 0 half recorded")


def record_failing_at(store: Store, number: int, recording: Recording) -> bool:
    """True where the recording needed fewer operations."""
    count = 0

    def fail(*_: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise OperationalError("", {}, Exception("disk I/O error"))

    event.listen(store.engine, "before_cursor_execute", fail)
    try:
        store.record(recording)
    except Unavailable:
        return False
    finally:
        event.remove(store.engine, "before_cursor_execute", fail)
    return True


def test_a_query_whose_sql_changed_keeps_both_states_until_one_is_forgotten(store: Store) -> None:
    old, new = query_state(digest="old"), replace(query_state(digest="new"), added=NOON + HOUR)
    store.save_query_state(new)
    store.save_query_state(old)
    store.save_query_state(replace(old, failures=2, error="no route"))
    assert store.query_states()["orders_hourly"].digest == "new"
    assert [state.failures for state in store.query_states_of("orders_hourly")] == [2, 0]
    store.forget_query_state("orders_hourly", "old")
    assert store.query_states_of("orders_hourly") == (new,)


def test_naive_instants_are_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        store.save_query_state(replace(query_state(), added=NOON.replace(tzinfo=None)))


def test_instants_come_back_in_utc(store: Store) -> None:
    berlin = NOON.astimezone(ZoneInfo("Europe/Berlin")) + timedelta(microseconds=7)
    store.save_query_state(replace(query_state(), watermark=berlin))
    found = store.query_states()["orders_hourly"].watermark
    assert found is not None
    assert found.isoformat() == "2026-03-02T12:00:00.000007+00:00"
