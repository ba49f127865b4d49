"""How series move from one status to the next. Pure: the same readings in any chunks give the same states.

A reading is *bad* (anomalous; with ``no_data: alert`` also empty), *clean* (ok; with ``no_data: ok`` also empty) or it
*holds* (unknown; with ``no_data: keep`` also empty) and then moves nothing: it neither breaks a streak nor adds to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from alerting.core.figures import count
from alerting.core.flapping import CHANGES, SPAN, calm_after, is_flapping, noted
from alerting.core.incidents import (
    SEVERITIES,
    Incident,
    IncidentKind,
    Reading,
    SeriesState,
    Status,
    Transition,
    incident_id,
    worse,
)
from config.model import IncidentRules, NoData

NEVER = datetime.min.replace(tzinfo=UTC)
_Step = tuple[SeriesState, Transition | None]


@dataclass(frozen=True)
class Course:
    """What every step of one evaluation has in common.

    ``opens_from``: buckets that start before it open nothing (the subscription is newer than they are).
    ``width`` of a bucket, by which flapping is noticed; None = it is not.
    """

    rules: IncidentRules
    now: datetime
    kind: IncidentKind = "metric"
    opens_from: datetime | None = None
    width: timedelta | None = None


def advance(
    state: SeriesState | None,
    readings: Sequence[Reading],
    rules: IncidentRules,
    *,
    subject: str,
    fingerprint: str,
    metric: str,
    labels: Mapping[str, str],
    kind: IncidentKind,
    now: datetime,
    opens_from: datetime | None = None,
    width: timedelta | None = None,
) -> tuple[SeriesState | None, list[Transition]]:
    """Where the series stands after these readings (ascending), and each change on the way.

    Readings at or before ``state.last`` are passed over, so judging a bucket twice changes nothing. The answer is None
    while nothing has ever happened to the series.
    """
    course = Course(rules, now, kind, opens_from, width)
    current = state or blank(subject, fingerprint, metric, labels)
    transitions = []
    for reading in readings:
        current, transition = step(current, reading, course)
        if transition is not None:
            transitions.append(transition)
    return (None if current.last == NEVER else current), transitions


def blank(subject: str, fingerprint: str, metric: str, labels: Mapping[str, str]) -> SeriesState:
    """A series to which nothing has happened yet."""
    return SeriesState(subject, fingerprint, metric, labels, Status.OK, since=NEVER, last=NEVER)


def step(state: SeriesState, reading: Reading, course: Course) -> _Step:
    """One bucket further. The very same state comes back where nothing moves."""
    if reading.bucket <= state.last:
        return state, None
    effect = effect_of(reading, course.rules.no_data)
    if state.incident is not None:
        return _while_open(state, state.incident, reading, effect, course)
    if effect == "bad":
        return _while_closed(state, reading, course)
    if state.is_quiet:
        return state, None
    if effect == "holds":
        return replace(state, last=reading.bucket), None
    cause = f"clean again after {state.streak} of {count(course.rules.open_after, 'bucket')}"
    return calm(state, Status.OK, reading, cause, course.now)


def effect_of(reading: Reading, no_data: NoData) -> Literal["bad", "clean", "holds"]:
    """What a reading does to a streak."""
    if reading.status == "no_data":
        return {"alert": "bad", "ok": "clean", "keep": "holds"}[no_data]  # type: ignore[return-value]  # a literal map
    return {"anomaly": "bad", "ok": "clean", "unknown": "holds"}[reading.status]  # type: ignore[return-value]


def _while_closed(state: SeriesState, reading: Reading, course: Course) -> _Step:
    if course.opens_from is not None and reading.bucket < course.opens_from:
        return state, None
    first = state.first_pending or reading
    worst = worse(state.worst_pending or first, reading)
    streak = state.streak + 1 if state.first_pending else 1
    if streak >= course.rules.open_after:
        return _open(state, first, worst, reading, streak, course)
    status = Status.NO_DATA if first.status == "no_data" else Status.PENDING
    since = state.since if state.first_pending else reading.bucket
    moved = replace(
        state, status=status, since=since, last=reading.bucket, streak=streak, first_pending=first, worst_pending=worst
    )
    if not state.is_quiet:
        return moved, None
    cause = f"anomalous bucket {streak} of {course.rules.open_after}: {reading.reason or reading.status}"
    return moved, _transition(state, status, reading, cause, course.now)


def _open(state: SeriesState, first: Reading, worst: Reading, reading: Reading, streak: int, course: Course) -> _Step:
    changes = noted(state.changes, reading.bucket, course.width)
    flapping = is_flapping(changes)
    cause = f"{count(streak, 'anomalous bucket')} in a row: {reading.reason or reading.status}"
    incident = Incident(
        id=incident_id(state.subject, state.fingerprint, first.bucket, state.episodes),
        subject=state.subject,
        fingerprint=state.fingerprint,
        kind=course.kind,
        metric=state.metric,
        labels=state.labels,
        status="firing",
        severity=worst.severity,
        opened=first.bucket,
        detected=course.now,
        first=first,
        last=reading,
        worst=worst,
        flapping=flapping,
    )
    opened = replace(
        state,
        status=Status.FIRING,
        since=reading.bucket,
        last=reading.bucket,
        streak=0,
        episodes=state.episodes + 1,
        incident=incident,
        first_pending=None,
        worst_pending=None,
        changes=changes,
    )
    cause += f"; {_flaps(course)}" if flapping else ""
    return opened, _transition(state, Status.FIRING, reading, cause, course.now, incident, began_flapping=flapping)


def _while_open(state: SeriesState, incident: Incident, reading: Reading, effect: str, course: Course) -> _Step:
    if effect == "holds":
        return replace(state, last=reading.bucket), None
    if effect == "bad":
        return _burn(state, incident, reading, course.now)
    return _recover(state, replace(incident, last=reading), reading, course)


def _burn(state: SeriesState, incident: Incident, reading: Reading, now: datetime) -> _Step:
    worst = worse(incident.worst, reading)
    rose = SEVERITIES.index(worst.severity) > SEVERITIES.index(incident.severity)
    burning = replace(incident, status="firing", last=reading, worst=worst, severity=worst.severity)
    again = state.status is not Status.FIRING
    since = reading.bucket if again else state.since
    moved = replace(state, status=Status.FIRING, since=since, last=reading.bucket, streak=0, incident=burning)
    if not (again or rose):
        return moved, None
    causes = ["anomalous again"] * again + [f"severity rose to {worst.severity}"] * rose
    cause = f"{', '.join(causes)}: {reading.reason or reading.status}"
    return moved, _transition(state, Status.FIRING, reading, cause, now, burning, severity_rose=rose)


def _recover(state: SeriesState, incident: Incident, reading: Reading, course: Course) -> _Step:
    clean = state.streak + 1
    needed = course.rules.resolve_after
    if incident.flapping and clean < calm_after(needed):
        return replace(state, last=reading.bucket, streak=clean, incident=incident), None
    if clean >= needed:
        changes = noted(state.changes, reading.bucket, course.width)
        if is_flapping(changes) and not incident.flapping:
            return _hold(replace(state, changes=changes), incident, reading, clean, course)
        cause = f"{count(clean, 'clean bucket')} in a row"
        return end(replace(state, changes=changes), incident, "resolved", reading, cause, course.now)
    recovering = replace(incident, status="recovering")
    since = reading.bucket if state.status is Status.FIRING else state.since
    moved = replace(
        state, status=Status.RECOVERING, since=since, last=reading.bucket, streak=clean, incident=recovering
    )
    if state.status is Status.RECOVERING:
        return moved, None
    cause = f"clean bucket {clean} of {course.rules.resolve_after}"
    return moved, _transition(state, Status.RECOVERING, reading, cause, course.now, recovering)


def _hold(state: SeriesState, incident: Incident, reading: Reading, clean: int, course: Course) -> _Step:
    """The incident would end, once more: it stays open until the series is calm."""
    held = replace(incident, status="firing", flapping=True)
    since = state.since if state.status is Status.FIRING else reading.bucket
    moved = replace(state, status=Status.FIRING, since=since, last=reading.bucket, streak=clean, incident=held)
    return moved, _transition(state, Status.FIRING, reading, _flaps(course), course.now, held, began_flapping=True)


def _flaps(course: Course) -> str:
    clean = count(calm_after(course.rules.resolve_after), "clean bucket")
    return f"flapping: opened or ended {CHANGES} times within {SPAN} buckets, held open until {clean} in a row"


def end(
    state: SeriesState,
    incident: Incident,
    status: Literal["resolved", "retracted"],
    reading: Reading,
    cause: str,
    now: datetime,
) -> _Step:
    """The incident is over, and so is its flapping; the series is as calm as one that never opened anything."""
    return calm(
        state,
        Status.RESOLVED,
        reading,
        cause,
        now,
        replace(incident, status=status, resolved=now, cause=cause, flapping=False),
    )


def calm(
    state: SeriesState, status: Status, reading: Reading, cause: str, now: datetime, ended: Incident | None = None
) -> _Step:
    """Nothing is open or pending any more; ``ended`` is the incident that this ends."""
    calmed = replace(
        state,
        status=status,
        since=reading.bucket,
        last=max(state.last, reading.bucket),
        streak=0,
        incident=None,
        first_pending=None,
        worst_pending=None,
    )
    return calmed, _transition(state, status, reading, cause, now, ended)


def _transition(
    before: SeriesState,
    after: Status,
    reading: Reading,
    cause: str,
    now: datetime,
    incident: Incident | None = None,
    *,
    severity_rose: bool = False,
    began_flapping: bool = False,
) -> Transition:
    return Transition(
        before.subject,
        before.fingerprint,
        before.status,
        after,
        now,
        reading,
        cause,
        incident,
        severity_rose,
        began_flapping,
    )


def retire(state: SeriesState, now: datetime, cause: str) -> tuple[SeriesState, list[Transition]]:
    """Ends whatever is open or pending because its rule is gone; a quiet state stays as it is."""
    if state.incident is not None:
        ended, transition = end(state, state.incident, "resolved", state.incident.last, cause, now)
    elif state.first_pending is not None:
        ended, transition = calm(state, Status.OK, state.first_pending, cause, now)
    else:
        return state, []
    return ended, [transition] if transition else []


def condition(state: SeriesState | None, *, is_failing: bool, has_reading: bool) -> Status:
    """What people see of a series: its query's failure first, then an empty newest bucket, then its own status."""
    if is_failing:
        return Status.ERROR
    if not has_reading:
        return Status.NO_DATA
    return Status.OK if state is None else state.status
