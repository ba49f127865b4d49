"""The life of all series of a metric at once: a series that is ok and stays ok costs no Python."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from alerting.core.blocks import fingerprint
from alerting.core.incidents import IncidentKind, Reading, SeriesState, Transition
from alerting.core.lifecycle import Course, blank, step
from alerting.core.readings import IS_ANOMALY, IS_NO_DATA, Combined
from config.model import IncidentRules
from detectors.buckets import as_instant
from detectors.contract import Bools

Walk = Iterator[tuple[SeriesState, Transition | None]]


def advance_panel(
    states: Mapping[str, SeriesState],
    combined: Combined,
    rules: IncidentRules,
    *,
    subject: str,
    metric: str,
    now: datetime,
    kind: IncidentKind = "metric",
    opens_from: datetime | None = None,
    width: timedelta | None = None,
) -> tuple[list[SeriesState], list[Transition]]:
    """``lifecycle.advance`` for every series: the states that changed, and the transitions by bucket, then series.

    ``states`` are those of the subject by fingerprint; those of other metrics are left alone. A series that is not in
    the panel any more, yet has something open or pending, reads as no data.
    """
    course = Course(rules, now, kind, opens_from, width)
    bad = _opening(combined, course)
    open_columns, vanished = _unquiet(states, combined, metric)
    walks: list[tuple[SeriesState, Walk]] = []
    for s in sorted({*np.flatnonzero(bad.any(axis=0)).tolist(), *open_columns}):
        name = fingerprint(metric, combined.labels[s])
        before = states.get(name) or blank(subject, name, metric, combined.labels[s])
        walks.append((before, _walk(before, combined, s, np.flatnonzero(bad[:, s]).tolist(), course)))
    walks += [(before, _fade(before, combined, course)) for before in vanished]
    changed: list[SeriesState] = []
    transitions: list[Transition] = []
    for before, walk in walks:
        after = before
        for state, transition in walk:
            after = state
            transitions += [] if transition is None else [transition]
        changed += [] if after is before else [after]
    # The sort is stable: within a bucket the order of the series stays.
    return changed, sorted(transitions, key=lambda transition: transition.reading.bucket)


def _fade(state: SeriesState, combined: Combined, course: Course) -> Walk:
    for bucket in [combined.buckets[j] for j in np.flatnonzero(~combined.quiet)]:
        state, transition = step(state, Reading(bucket, "no_data", reason="the series is gone"), course)
        yield state, transition


def _opening(combined: Combined, course: Course) -> Bools:
    """Where a quiet series stops being quiet: bad readings that may open something."""
    bad: Bools = combined.status == IS_ANOMALY
    if course.rules.no_data == "alert":
        bad = bad | (combined.status == IS_NO_DATA)
    if course.opens_from is not None:
        bad = bad & (combined.times >= as_instant(course.opens_from))[:, None]
    return bad


def _unquiet(states: Mapping[str, SeriesState], combined: Combined, metric: str) -> tuple[list[int], list[SeriesState]]:
    """Columns of the series with something open or pending, and such states without a column."""
    unquiet = [state for state in states.values() if state.metric == metric and not state.is_quiet]
    if not unquiet:
        return [], []
    found = [(combined.places.get(frozenset(state.labels.items())), state) for state in unquiet]
    return [s for s, _ in found if s is not None], [state for s, state in found if s is None]


def _walk(state: SeriesState, combined: Combined, s: int, bad: list[int], course: Course) -> Walk:
    """Bucket by bucket while something is open or pending, else straight to the next bad one."""
    j = 0
    while j < len(combined.times):
        if state.is_quiet:
            at = bisect_left(bad, j)
            if at == len(bad):
                return
            j = bad[at]
        state, transition = step(state, combined.reading(j, s), course)
        yield state, transition
        j += 1
