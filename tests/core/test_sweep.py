"""All series at once behave like each of them alone, and quiet ones cost nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.blocks import fingerprint
from alerting.core.incidents import SEVERITIES, Reading, SeriesState, Status, Transition
from alerting.core.lifecycle import advance
from alerting.core.readings import STATUSES, Combined, Judged
from alerting.core.sweep import advance_panel
from config.model import Detect, Guard, IncidentRules
from detectors.contract import Event, Verdicts
from tests.core.readings_of import HOUR, NOW, START, reading, rules
from tests.core.test_readings import Silent

SUBJECT = "subscription:checkout-health"
METRIC = "checkout.orders"


def combined(columns: Sequence[str], first_hour: int = 0, countries: Sequence[str] | None = None) -> Combined:
    """What the detect entries said: one text of letters per series."""
    names = countries if countries is not None else [f"c{s}" for s in range(len(columns))]
    rows = len(columns[0]) if columns else 0
    grid = [[reading(columns[s][j], first_hour + j) for s in range(len(columns))] for j in range(rows)]

    def numbers(name: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        return np.array([[getattr(item, name) for item in row] for row in grid]).reshape(rows, len(columns))

    times = np.datetime64("2026-01-05", "us") + (first_hour + np.arange(rows)) * np.timedelta64(1, "h")
    reasons = np.array([[item.reason for item in row] for row in grid], dtype=object).reshape(rows, len(columns))
    statuses = np.array([[STATUSES.index(item.status) for item in row] for row in grid], dtype=np.int8)
    severities = np.array([[SEVERITIES.index(item.severity) for item in row] for row in grid], dtype=np.int8)
    direction = numbers("direction").astype(np.int8)
    said = Verdicts(
        times=times,
        observed=numbers("observed"),
        expected=numbers("expected"),
        lower=numbers("lower"),
        upper=numbers("upper"),
        score=numbers("score"),
        status=reasons,
        direction=direction,
        reason=reasons,
    )
    return Combined(
        times=times,
        labels=tuple({"country": name} for name in names),
        judged=(Judged(Detect("seasonal", "seasonal", Silent()), said, range(len(columns))),),
        rules=Guard(),
        status=statuses.reshape(rows, len(columns)),
        severity=severities.reshape(rows, len(columns)),
        observed=said.observed,
        expected=said.expected,
        lower=said.lower,
        upper=said.upper,
        score=said.score,
        direction=direction,
        entry=np.zeros((rows, len(columns)), np.int16),
        guard=np.zeros((rows, len(columns)), np.int8),
        votes=(statuses == STATUSES.index("anomaly")).astype(np.int8).reshape(rows, len(columns)),
        needed=np.ones(len(columns), np.int8),
    )


def swept(
    found: Combined,
    how: IncidentRules | None = None,
    states: Mapping[str, SeriesState] | None = None,
    opens_from: datetime | None = None,
    width: timedelta | None = HOUR,
) -> tuple[list[SeriesState], list[Transition]]:
    return advance_panel(
        states or {},
        found,
        how or rules(),
        subject=SUBJECT,
        metric=METRIC,
        now=NOW,
        opens_from=opens_from,
        width=width,
    )


def alone(
    found: Combined, s: int, how: IncidentRules, opens_from: datetime | None
) -> tuple[SeriesState | None, list[Transition]]:
    return advance(
        None,
        [found.reading(j, s) for j in range(len(found.times))],
        how,
        subject=SUBJECT,
        fingerprint=fingerprint(METRIC, found.labels[s]),
        metric=METRIC,
        labels=found.labels[s],
        kind="metric",
        now=NOW,
        opens_from=opens_from,
        width=HOUR,
    )


def kept(states: Sequence[SeriesState]) -> dict[str, SeriesState]:
    return {state.fingerprint: state for state in states}


@st.composite
def grids(draw: st.DrawFn) -> list[str]:
    rows = draw(st.integers(1, 30))
    return draw(st.lists(st.text(alphabet=".aC?_", min_size=rows, max_size=rows), min_size=1, max_size=4))


RULES = st.builds(rules, st.integers(1, 3), st.integers(1, 3), st.sampled_from(["keep", "ok", "alert"]))
HOURS = st.one_of(st.none(), st.integers(0, 10))


@settings(deadline=None)
@given(grids(), RULES, HOURS)
def test_every_series_of_a_panel_goes_the_way_it_goes_alone(
    columns: list[str], how: IncidentRules, opens_from_hour: int | None
) -> None:
    found = combined(columns)
    opens_from = None if opens_from_hour is None else START + opens_from_hour * HOUR
    states, transitions = swept(found, how, opens_from=opens_from)
    by_hand = [alone(found, s, how, opens_from) for s in range(len(columns))]
    assert repr(states) == repr([state for state, _ in by_hand if state is not None])
    expected = sorted((told.reading.bucket, s, repr(told)) for s, (_, moves) in enumerate(by_hand) for told in moves)
    assert [repr(told) for told in transitions] == [text for *_, text in expected]


@settings(deadline=None)
@given(grids(), RULES, st.lists(st.integers(1, 29), max_size=3))
def test_a_panel_in_any_chunks_gives_the_same_states(columns: list[str], how: IncidentRules, cuts: list[int]) -> None:
    whole_states, whole_told = swept(combined(columns), how)
    states: dict[str, SeriesState] = {}
    told: list[Transition] = []
    edges = sorted({0, len(columns[0]), *(cut for cut in cuts if cut < len(columns[0]))})
    for begin, end in pairwise(edges):
        changed, moves = swept(combined(columns).part(begin, end), how, states)
        states |= kept(changed)
        told += moves
    assert {name: repr(state) for name, state in states.items()} == {
        name: repr(state) for name, state in kept(whole_states).items()
    }
    assert [repr(item) for item in told] == [repr(item) for item in whole_told]


class Unread(Combined):
    """Readings that may not be looked at one by one."""

    def reading(self, j: int, s: int) -> Reading:
        raise AssertionError(f"series {s} was looked at")


def test_series_that_are_ok_and_stay_ok_are_not_even_looked_at() -> None:
    quiet = combined(["...", "?_?", "..."])
    assert swept(Unread(**vars(quiet))) == ([], [])


def test_a_state_that_does_not_change_is_not_returned() -> None:
    states, _ = swept(combined(["aa...", "a...."]))
    assert swept(combined(["..", "?_"], first_hour=5), states=kept(states)) == ([], [])


def test_states_of_other_metrics_are_left_alone() -> None:
    states, _ = swept(combined(["aa"]))
    other = {"f" * 64: SeriesState(SUBJECT, "f" * 64, "checkout.revenue", {}, Status.PENDING, START, START, 1)}
    assert swept(combined(["."], first_hour=2), states=other) == ([], [])
    assert len(states) == 1


def test_a_series_that_is_gone_reads_as_no_data() -> None:
    states, _ = swept(combined(["aa"]))
    left = combined(["..."], first_hour=2, countries=["another"])
    held, moves = swept(left, rules(no_data="keep"), kept(states))
    assert [state.status for state in held] == [Status.FIRING]
    assert moves == []
    ended, moves = swept(left, rules(no_data="ok"), kept(states))
    assert [move.after for move in moves] == [Status.RECOVERING, Status.RESOLVED]
    assert ended[0].is_quiet


def test_a_series_that_is_gone_opens_nothing_on_a_muted_day() -> None:
    states, _ = swept(combined(["a"]), rules(open_after=3))
    left = combined(["..."], first_hour=1, countries=["another"])
    muted = replace(left, events=(Event("Closed", "mute", np.array([True, True, True]), "shop"),))
    still, moves = swept(muted, rules(open_after=3, no_data="alert"), kept(states))
    assert (still, moves) == ([], [])
    _, moves = swept(left, rules(open_after=3, no_data="alert"), kept(states))
    assert [move.after for move in moves] == [Status.FIRING]


def test_transitions_come_by_bucket_then_by_series() -> None:
    _, transitions = swept(combined([".a", "aa"]), rules(open_after=1))
    places = [(told.reading.bucket.hour, told.incident and told.incident.labels["country"]) for told in transitions]
    assert places == [(0, "c1"), (1, "c0")]
