"""Which readings move a series where: a table of walks, then the properties that hold for all of them."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.incidents import Incident, SeriesState, Status, Transition, incident_id
from alerting.core.lifecycle import condition, retire
from alerting.core.restating import revise
from config.model import IncidentRules, NoData
from tests.core.readings_of import HOUR, NOW, START, incident_after, reading, readings, rules, walk

OK, P, F, R, D, N = (
    Status.OK,
    Status.PENDING,
    Status.FIRING,
    Status.RECOVERING,
    Status.RESOLVED,
    Status.NO_DATA,
)


@pytest.mark.parametrize(
    ("letters", "open_after", "resolve_after", "no_data", "moves"),
    [
        # nothing happens
        ("", 2, 3, "keep", []),
        (".....", 2, 3, "keep", []),
        ("?_?_", 2, 3, "keep", []),
        # a streak that is too short
        ("a", 2, 3, "keep", [P]),
        ("a.", 2, 3, "keep", [P, OK]),
        ("a.a.a.", 2, 3, "keep", [P, OK, P, OK, P, OK]),
        ("aa.", 3, 3, "keep", [P, OK]),
        # opening
        ("aa", 2, 3, "keep", [P, F]),
        ("a", 1, 3, "keep", [F]),
        ("aaa", 3, 3, "keep", [P, F]),
        ("aaaaa", 2, 3, "keep", [P, F]),
        # recovering and resolving
        ("aa.", 2, 3, "keep", [P, F, R]),
        ("aa..", 2, 3, "keep", [P, F, R]),
        ("aa...", 2, 3, "keep", [P, F, R, D]),
        ("aa....", 2, 3, "keep", [P, F, R, D]),
        ("a.", 1, 1, "keep", [F, D]),
        # anomalous while recovering: the same incident goes on
        ("aa.a", 2, 3, "keep", [P, F, R, F]),
        ("aa..a...", 2, 3, "keep", [P, F, R, F, R, D]),
        # after the end, a new one
        ("aa...aa", 2, 3, "keep", [P, F, R, D, P, F]),
        # severity rises, never falls
        ("aaC", 2, 3, "keep", [P, F, F]),
        ("aaCa", 2, 3, "keep", [P, F, F]),
        ("CCaa", 2, 3, "keep", [P, F]),
        ("aa.C", 2, 3, "keep", [P, F, R, F]),
        # unknown moves nothing: it neither breaks nor lengthens a streak
        ("a?a", 2, 3, "keep", [P, F]),
        ("a?", 2, 3, "keep", [P]),
        ("a????.", 2, 3, "keep", [P, OK]),
        ("aa.?.?.", 2, 3, "keep", [P, F, R, D]),
        ("aa???", 2, 3, "keep", [P, F]),
        # no data, kept
        ("a_a", 2, 3, "keep", [P, F]),
        ("aa____", 2, 3, "keep", [P, F]),
        ("____", 2, 3, "keep", []),
        # no data counts as clean
        ("a_a", 2, 3, "ok", [P, OK, P]),
        ("aa___", 2, 3, "ok", [P, F, R, D]),
        ("aa._.", 2, 3, "ok", [P, F, R, D]),
        ("____", 2, 3, "ok", []),
        # no data alerts
        ("_", 2, 3, "alert", [N]),
        ("__", 2, 3, "alert", [N, F]),
        ("_.", 2, 3, "alert", [N, OK]),
        ("_a", 2, 3, "alert", [N, F]),
        ("a_", 2, 3, "alert", [P, F]),
        ("aa.__...", 2, 3, "alert", [P, F, R, F, R, D]),
        ("?_?_", 2, 3, "alert", [N, F]),
    ],
)
def test_readings_move_a_series(
    letters: str, open_after: int, resolve_after: int, no_data: NoData, moves: list[Status]
) -> None:
    _, transitions = walk(None, readings(letters), rules(open_after, resolve_after, no_data))
    assert [transition.after for transition in transitions] == moves


def test_an_incident_opens_at_the_first_anomalous_bucket_of_its_streak() -> None:
    incident = incident_after("..a?a")
    assert (incident.opened, incident.detected) == (START + 2 * HOUR, NOW)
    assert (incident.first.bucket, incident.last.bucket) == (START + 2 * HOUR, START + 4 * HOUR)


def test_the_worst_reading_of_the_pending_streak_is_kept() -> None:
    streak = [reading("a", 0, 1.2), reading("a", 1, 9.0), reading("a", 2, 1.1)]
    state, _ = walk(None, streak, rules(open_after=3))
    assert state is not None
    assert state.incident is not None
    assert state.incident.worst.score == 9.0


def test_a_critical_reading_is_worse_than_a_higher_score() -> None:
    state, _ = walk(None, [reading("C", 0, 2.5), reading("a", 1, 7.0)])
    assert state is not None
    assert state.incident is not None
    assert (state.incident.severity, state.incident.worst.score) == ("critical", 2.5)


def test_only_a_rising_severity_is_marked() -> None:
    _, transitions = walk(None, readings("aaCaC..."))
    assert [transition.severity_rose for transition in transitions] == [False, False, True, False, False]
    assert transitions[2].cause == "severity rose to critical: low"


def test_a_rise_while_recovering_reopens_and_rises_at_once() -> None:
    _, transitions = walk(None, readings("aa.C"))
    assert transitions[-1].severity_rose
    assert transitions[-1].cause == "anomalous again, severity rose to critical: low"


def test_a_resolved_incident_keeps_its_story() -> None:
    _, transitions = walk(None, readings("aCa..."))
    ended = transitions[-1].incident
    assert ended is not None
    assert (ended.status, ended.resolved, ended.severity) == ("resolved", NOW, "critical")
    assert ended.cause == "3 clean buckets in a row"
    assert (ended.worst.observed, ended.last.observed) == (600.0, 1000.0)


def test_the_same_bucket_is_never_counted_twice() -> None:
    state, _ = walk(None, readings("a"))
    again, transitions = walk(state, readings("a"))
    assert again == state
    assert transitions == []


def test_a_new_subscription_opens_nothing_from_earlier_buckets() -> None:
    state, transitions = walk(None, readings("aaaa"), opens_from=START + 3 * HOUR)
    assert [transition.after for transition in transitions] == [P]
    assert state is not None
    assert state.since == START + 3 * HOUR


def test_an_open_incident_is_carried_on_whatever_opens_from_says() -> None:
    state, _ = walk(None, readings("aa"))
    _, transitions = walk(state, readings("...", 2), opens_from=START + 100 * HOUR)
    assert [transition.after for transition in transitions] == [R, D]


def test_an_id_sorts_by_its_opening_bucket_and_tells_episodes_apart() -> None:
    one = incident_id("subscription:a", "f", START, 0)
    assert one.startswith("20260105T0000-")
    assert one == incident_id("subscription:a", "f", START, 0)
    others = [
        incident_id("subscription:a", "f", START, 1),
        incident_id("subscription:a", "g", START, 0),
        incident_id("subscription:b", "f", START, 0),
    ]
    assert len({one, *others}) == 4
    assert one < incident_id("subscription:a", "f", START + HOUR, 0)


@pytest.mark.parametrize(("letters", "moves"), [("aa", [D]), ("aa.", [D]), ("a", [OK]), ("aa...", []), ("a.", [])])
def test_a_removed_rule_ends_what_is_open(letters: str, moves: list[Status]) -> None:
    state, _ = walk(None, readings(letters))
    assert state is not None
    retired, transitions = retire(state, NOW, "rule removed")
    assert [transition.after for transition in transitions] == moves
    assert retired.is_quiet
    assert [transition.cause for transition in transitions] == ["rule removed"] * len(moves)


def test_an_incident_of_a_removed_rule_says_so() -> None:
    state, _ = walk(None, readings("aa"))
    assert state is not None
    _, (transition,) = retire(state, NOW, "rule removed")
    assert transition.incident is not None
    assert (transition.incident.status, transition.incident.cause) == ("resolved", "rule removed")


def restated(letters: str, again: str) -> tuple[SeriesState, list[Transition]]:
    state, _ = walk(None, readings(letters))
    assert state is not None
    return revise(state, readings(again), rules(), now=NOW)


@pytest.mark.parametrize(
    ("letters", "again", "retracts"),
    [
        ("aa", "..", True),
        ("aaa", "...", True),
        ("aa.", "...", True),
        ("aaaa", ".a..", True),  # what is left is too short a streak
        ("aaaa", ".a.a", False),  # the newest bucket is still anomalous: wait and see
        ("aa", "aa", False),
        ("aa", ".a", False),
        ("aa", "a.", False),
        ("aaa", ".aa", False),
        ("aa", "?.", False),
        ("aa", "__", False),
        ("aa", ".", False),
        ("aa", "", False),
        ("a", ".", False),
        ("....", "....", False),
    ],
)
def test_restated_values_retract_an_incident_that_nothing_justifies(letters: str, again: str, retracts: bool) -> None:
    state, _ = walk(None, readings(letters))
    if state is None:
        return
    _, transitions = revise(state, readings(again), rules(), now=NOW)
    assert [transition.after for transition in transitions] == ([D] if retracts else [])


def test_a_retraction_says_which_value_became_which() -> None:
    state, (transition,) = restated("aC", "..")
    assert transition.incident is not None
    assert (transition.incident.status, transition.incident.cause) == ("retracted", "600 was restated to 1,000")
    assert transition.cause == transition.incident.cause
    assert state.status is D


def test_a_retraction_without_a_new_value_says_that_the_history_changed() -> None:
    state, _ = walk(None, readings("aa"))
    assert state is not None
    forgiven = [replace(item, status="ok", reason="") for item in readings("aa")]
    _, (transition,) = revise(state, forgiven, rules(), now=NOW)
    assert transition.cause == "judged again with restated history: inside its band"


def test_a_series_reopens_after_a_retraction_only_from_later_buckets() -> None:
    state, _ = restated("aa", "..")
    same, transitions = walk(state, readings("aa"))
    assert (same, transitions) == (state, [])
    _, transitions = walk(state, readings("aa", 2))
    assert [transition.after for transition in transitions] == [P, F]


@pytest.mark.parametrize(
    ("letters", "is_failing", "has_reading", "seen"),
    [
        ("", False, True, OK),
        ("aa", False, True, F),
        ("aa", True, False, Status.ERROR),
        ("aa", False, False, N),
        ("", True, True, Status.ERROR),
    ],
)
def test_failure_and_missing_data_are_seen_before_the_status(
    letters: str, is_failing: bool, has_reading: bool, seen: Status
) -> None:
    state, _ = walk(None, readings(letters))
    assert condition(state, is_failing=is_failing, has_reading=has_reading) is seen


LETTERS = st.text(alphabet=".aC?_", max_size=40)
RULES = st.builds(rules, st.integers(1, 4), st.integers(1, 4), st.sampled_from(["keep", "ok", "alert"]))
LEGAL = {
    (OK, P), (OK, N), (OK, F), (D, P), (D, N), (D, F), (P, OK), (P, F), (N, OK), (N, F),
    (F, R), (F, F), (F, D), (R, F), (R, D),
}  # fmt: skip


@settings(deadline=None)
@given(LETTERS, RULES, st.lists(st.integers(0, 40), max_size=5))
def test_any_chunks_give_the_same_states_and_transitions(letters: str, how: IncidentRules, cuts: list[int]) -> None:
    these = readings(letters)
    whole = walk(None, these, how, width=HOUR)
    state: SeriesState | None = None
    told: list[Transition] = []
    edges = sorted({0, len(these), *(cut for cut in cuts if cut <= len(these))})
    for begin, end in pairwise(edges):
        state, transitions = walk(state, these[begin:end], how, width=HOUR)
        told += transitions
    # NaN is equal to nothing, so readings are compared as they print.
    assert repr((state, told)) == repr(whole)


@settings(deadline=None)
@given(LETTERS, RULES)
def test_every_walk_is_legal_and_holds_at_most_one_open_incident(letters: str, how: IncidentRules) -> None:
    state, transitions = walk(None, readings(letters), how, width=HOUR)
    before = OK
    open_id: str | None = None
    ids: list[str] = []
    for transition in transitions:
        assert transition.before is before
        assert (transition.before, transition.after) in LEGAL
        before = transition.after
        incident = transition.incident
        assert (incident is not None) == (transition.after in (F, R, D))
        if incident is None:
            continue
        if transition.opens:
            assert open_id is None
            ids.append(incident.id)
        else:
            assert incident.id == open_id
        check(incident)
        open_id = incident.id if incident.is_open else None
    assert len(set(ids)) == len(ids)
    if state is not None:
        assert state.status is before
        assert (state.incident.id if state.incident else None) == open_id
        assert state.episodes == len(ids)


def check(incident: Incident) -> None:
    assert incident.opened == incident.first.bucket <= incident.worst.bucket <= incident.last.bucket
    assert incident.severity == incident.worst.severity
    assert incident.is_open == (incident.resolved is None) == (not incident.cause)
    assert incident.is_open or not incident.flapping


@settings(deadline=None)
@given(LETTERS, RULES)
def test_ids_are_stable_whenever_they_are_computed(letters: str, how: IncidentRules) -> None:
    _, today = walk(None, readings(letters), how)
    _, later = walk(None, readings(letters), how, now=NOW + timedelta(days=9))
    ids = [[transition.incident and transition.incident.id for transition in told] for told in (today, later)]
    assert ids[0] == ids[1]
