"""What becomes of an incident, or of a streak, whose buckets were judged again with restated values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from alerting.core.figures import amount
from alerting.core.incidents import Reading, SeriesState, Status, Transition
from alerting.core.lifecycle import NEVER, Course, blank, calm, end, step
from config.model import IncidentRules


def revise(
    state: SeriesState, readings: Sequence[Reading], rules: IncidentRules, *, now: datetime
) -> tuple[SeriesState, list[Transition]]:
    """Retracts the open incident where restated values no longer justify it.

    ``readings``: every bucket from ``incident.opened`` to ``state.last`` as judged again, ascending. The incident is
    retracted when its first and its worst bucket are ok now, the newest is not anomalous and the span would open
    nothing any more; otherwise, or where the span is not covered, the state stays. A restated value opens no incident.
    """
    incident = state.incident
    if incident is None or not readings:
        return state, []
    again = {reading.bucket: reading for reading in readings}
    accused = [again.get(bucket) for bucket in (incident.first.bucket, incident.worst.bucket)]
    if any(reading is None or reading.status != "ok" for reading in accused) or max(again) < state.last:
        return state, []
    if again[max(again)].status == "anomaly" or _would_open(state, readings, rules):
        return state, []
    restated = again[incident.worst.bucket]
    revised = replace(incident, last=again[max(again)])
    ended, transition = end(state, revised, "retracted", restated, _restatement(incident.worst, restated), now)
    return ended, [transition] if transition else []


def reconsider(
    state: SeriesState, readings: Sequence[Reading], rules: IncidentRules, *, now: datetime
) -> tuple[SeriesState, list[Transition]]:
    """Counts a pending streak anew where its buckets were judged again: a restated bucket is no part of it any more.

    ``readings``: every bucket from ``first_pending`` to ``state.last`` as judged again, ascending. Where they are not
    covered, or would open an incident, the state stays.
    """
    first = state.first_pending
    if first is None or not readings or readings[0].bucket != first.bucket or readings[-1].bucket < state.last:
        return state, []
    counted = replace(state, status=Status.OK, last=NEVER, streak=0, first_pending=None, worst_pending=None)
    for reading in readings:
        counted, _ = step(counted, reading, Course(rules, now))
        if counted.incident is not None:
            return state, []
    if counted.is_quiet:
        ended, transition = calm(state, Status.OK, readings[-1], "no longer anomalous: judged again", now)
        return ended, [transition] if transition else []
    return replace(counted, last=state.last), []


def _would_open(state: SeriesState, readings: Sequence[Reading], rules: IncidentRules) -> bool:
    clean = blank(state.subject, state.fingerprint, state.metric, state.labels)
    course = Course(rules, now=state.last)
    for reading in readings:
        clean, _ = step(clean, reading, course)
        if clean.incident is not None:
            return True
    return False


def _restatement(before: Reading, after: Reading) -> str:
    if before.observed == after.observed:
        return "judged again with restated history: inside its band"
    return f"{amount(before.observed)} was restated to {amount(after.observed)}"
