"""Which series flap, what they tell then, and when they are calm again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.flapping import CALM, CHANGES, SPAN, noted
from alerting.core.incidents import Status, Transition
from config.model import IncidentRules
from tests.core.readings_of import HOUR, START, reading, readings, rules, walk

F, D = Status.FIRING, Status.RESOLVED


def changes(transitions: list[Transition]) -> list[Status]:
    """Opened and ended, in order."""
    return [one.after for one in transitions if one.opens or one.ends]


@pytest.mark.parametrize(
    ("letters", "open_after", "resolve_after", "flaps_at"),
    [
        ("a.", 1, 1, None),
        ("a.a", 1, 1, None),
        ("a.a.", 1, 1, 3),  # the second end is the fourth change
        ("a.a.a.a.a.", 1, 1, 3),
        ("a....a.", 1, 1, 6),
        ("a..........a.", 1, 1, None),  # the fourth is twelve buckets after the first
        ("a.........a.", 1, 1, 11),
        ("a????a.", 1, 1, None),
        ("aa...aa...", 2, 3, 9),
        ("aa...aa..a..a..a...", 2, 3, None),  # open all the time, so nothing to be quiet about
        ("a.a.a.a.a.a.", 2, 1, None),
        ("a" + "." * 13 + "a" * 30 + ".a.a", 1, 1, 47),  # the fourth change opens
    ],
)
def test_four_changes_between_open_and_ended_within_twelve_buckets_flap(
    letters: str, open_after: int, resolve_after: int, flaps_at: int | None
) -> None:
    state, transitions = walk(None, readings(letters), rules(open_after, resolve_after), width=HOUR)
    began = [(one.reading.bucket - START) // HOUR for one in transitions if one.began_flapping]
    assert began == ([] if flaps_at is None else [flaps_at])
    assert state is not None
    assert (state.incident is not None and state.incident.flapping) is (flaps_at is not None)


def test_a_series_that_flaps_stays_open_and_tells_one_transition() -> None:
    state, transitions = walk(None, readings("a.a." + "a." * 100), rules(1, 1), width=HOUR)
    assert changes(transitions) == [F, D, F]
    (flapping,) = [one for one in transitions if one.began_flapping]
    assert transitions[-1] is flapping
    assert flapping.cause == (
        "flapping: opened or ended 4 times within 12 buckets, held open until 12 clean buckets in a row"
    )
    assert state is not None
    assert state.incident is not None
    assert (state.status, state.incident.status, state.incident.flapping) == (F, "firing", True)


@pytest.mark.parametrize(
    ("calm", "ends"),
    [("." * 11, False), ("." * 12, True), ("." * 11 + "a", False), ("." * 6 + "?_" + "." * 6, True)],
)
def test_twelve_clean_buckets_in_a_row_end_it(calm: str, ends: bool) -> None:
    state, transitions = walk(None, readings("a.a.a" + calm), rules(1, 1), width=HOUR)
    assert changes(transitions)[3:] == [D] * ends
    assert state is not None
    if ends:
        incident = transitions[-1].incident
        assert incident is not None
        assert (incident.status, incident.cause, incident.flapping) == ("resolved", "12 clean buckets in a row", False)


def test_the_clean_buckets_that_made_it_flap_count() -> None:
    _, transitions = walk(None, readings("aa...aa..." + "." * 9), rules(2, 3), width=HOUR)
    assert changes(transitions) == [F, D, F, D]


def test_a_longer_resolve_after_is_kept() -> None:
    how = IncidentRules(1, 20)
    state, _ = walk(None, readings("a.a.a"), rules(1, 1), width=HOUR)
    _, early = walk(state, readings("." * 19, 5), how, width=HOUR)
    _, later = walk(state, readings("." * 20, 5), how, width=HOUR)
    assert (changes(early), changes(later)) == ([], [D])


def test_a_severity_that_rises_is_told_while_it_flaps() -> None:
    state, _ = walk(None, readings("a.a.a"), rules(1, 1), width=HOUR)
    _, transitions = walk(state, readings(".a.C", 5), rules(1, 1), width=HOUR)
    assert [one.severity_rose for one in transitions] == [True]


def test_without_a_width_nothing_flaps() -> None:
    state, transitions = walk(None, readings("a." * 20), rules(1, 1))
    assert changes(transitions) == [F, D] * 20
    assert state is not None
    assert state.changes == ()


def test_a_restart_between_any_two_buckets_changes_nothing() -> None:
    letters = "a.a." + "a." * 5 + "." * 13 + "a.a.a"
    whole = walk(None, readings(letters), rules(1, 1), width=HOUR)
    state, told = None, []
    for hour, letter in enumerate(letters):
        state, transitions = walk(state, [reading(letter, hour)], rules(1, 1), width=HOUR)
        told += transitions
    assert repr((state, told)) == repr(whole)


@pytest.mark.parametrize(
    ("width", "steps"),
    [
        (timedelta(minutes=1), [timedelta(minutes=11)]),
        (timedelta(days=1), [timedelta(days=11, hours=1), timedelta(days=11, hours=-1)]),
        (timedelta(weeks=1), [timedelta(weeks=11, hours=1)]),
        (timedelta(days=30), [timedelta(days=334), timedelta(days=335)]),
    ],
)
def test_calendar_buckets_count_as_one_each(width: timedelta, steps: list[timedelta]) -> None:
    for step in steps:
        assert noted((START,), START + step, width) == (START, START + step)
        assert noted((START,), START + step + width, width) == (START + step + width,)


@settings(deadline=None)
@given(st.text(alphabet=".aC?_", max_size=80), st.builds(rules, st.integers(1, 3), st.integers(1, 3)))
def test_no_series_opens_or_ends_more_often_than_allowed(letters: str, how: IncidentRules) -> None:
    _, transitions = walk(None, readings(letters), how, width=HOUR)
    moved = [one.reading.bucket for one in transitions if one.opens or one.ends]
    for first, last in zip(moved, moved[CHANGES:], strict=False):
        assert last - first >= SPAN * HOUR
    flapping = [one.reading.bucket for one in transitions if one.began_flapping]
    for one, other in pairwise(flapping):
        assert other - one >= CALM * HOUR
