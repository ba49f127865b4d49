"""Incidents, the states of series and the timeline of transitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select

from alerting.core.incidents import Incident, SeriesState, Status, Transition
from alerting.store import encoding
from alerting.store.errors import AmbiguousIncident, LostRace
from alerting.store.statements import Cells, insert_missing, upsert
from alerting.store.tables import incidents, series_states, transitions

OPEN = ("firing", "recovering")
_MOST_NAMES = 500  # SQLite takes some thousand parameters in a statement


def refuse_ended(connection: Connection, changed: Sequence[Incident]) -> None:
    """Raises LostRace where somebody ended one of these incidents since they were read: it stays ended.

    The rows stay locked until the transaction ends, in the order of their ids, so that two writers never wait for each
    other.
    """
    names = sorted({incident.id for incident in changed})
    for first in range(0, len(names), _MOST_NAMES):
        some = names[first : first + _MOST_NAMES]
        statement = select(incidents.c.id, incidents.c.status).where(incidents.c.id.in_(some))
        rows = connection.execute(statement.order_by(incidents.c.id).with_for_update()).all()
        ended = next((row.id for row in rows if row.status not in OPEN), None)
        if ended is not None:
            raise LostRace(f"somebody else recorded first: incident {ended} has ended meanwhile")


def write(connection: Connection, changed: Sequence[Incident], mentioned: Iterable[Incident]) -> None:
    """``changed`` are as given afterwards; the ``mentioned`` are only added where they are not known.

    Ended ones go first: a series may end one incident and open the next in one evaluation.
    """
    newest = {incident.id: incident for incident in changed}
    ended_first = sorted(newest.values(), key=lambda incident: incident.is_open)
    upsert(connection, incidents, [_incident_row(incident) for incident in ended_first])
    known = {incident.id: incident for incident in mentioned if incident.id not in newest}
    insert_missing(connection, incidents, [_incident_row(incident) for incident in known.values()])


def write_states(connection: Connection, states: Iterable[SeriesState]) -> None:
    upsert(connection, series_states, [_state_row(state) for state in states])


def write_transitions(connection: Connection, found: Iterable[Transition]) -> None:
    rows = [_transition_row(transition) for transition in found]
    if rows:
        connection.execute(insert(transitions), rows)


def read_states(connection: Connection, subject: str) -> dict[str, SeriesState]:
    rows = connection.execute(
        select(incidents).where(incidents.c.subject == subject, incidents.c.status.in_(OPEN))
    ).mappings()
    open_ones = {row["fingerprint"]: incident_of(row) for row in rows}
    states = connection.execute(select(series_states).where(series_states.c.subject == subject)).mappings()
    return {row["fingerprint"]: state_of(row, open_ones.get(row["fingerprint"])) for row in states}


def listed(
    connection: Connection,
    *,
    open_only: bool,
    since: datetime | None,
    subject: str | None,
    metric: str | None,
    limit: int,
) -> list[Incident]:
    """Newest first; ``since`` keeps those that were open at or after it."""
    statement = select(incidents).order_by(incidents.c.detected.desc(), incidents.c.id.desc()).limit(limit)
    if open_only:
        statement = statement.where(incidents.c.status.in_(OPEN))
    if since is not None:
        statement = statement.where(incidents.c.resolved.is_(None) | (incidents.c.resolved >= since))
    if subject is not None:
        statement = statement.where(incidents.c.subject == subject)
    if metric is not None:
        statement = statement.where(incidents.c.kind == "metric", incidents.c.metric == metric)
    return [incident_of(row) for row in connection.execute(statement).mappings()]


def of_series(
    connection: Connection, subjects: Sequence[str], fingerprint: str, since: datetime, limit: int
) -> list[Incident]:
    """Newest first; those that were open at or after ``since``."""
    found = select(incidents).where(incidents.c.fingerprint == fingerprint, incidents.c.subject.in_(subjects))
    found = found.where(incidents.c.resolved.is_(None) | (incidents.c.resolved >= since))
    rows = connection.execute(found.order_by(incidents.c.detected.desc(), incidents.c.id.desc()).limit(limit))
    return [incident_of(row) for row in rows.mappings()]


def by_prefix(connection: Connection, prefix: str) -> Incident | None:
    """Raises AmbiguousIncident."""
    exact = connection.execute(select(incidents).where(incidents.c.id == prefix)).mappings().one_or_none()
    if exact is not None:
        return incident_of(exact)
    statement = select(incidents).where(incidents.c.id.startswith(prefix, autoescape=True)).order_by(incidents.c.id)
    found = connection.execute(statement.limit(5)).mappings().all()
    if len(found) > 1:
        raise AmbiguousIncident(f"{prefix!r} begins several incidents: {', '.join(row['id'] for row in found)}")
    return incident_of(found[0]) if found else None


def timeline(connection: Connection, incident_id: str) -> list[Transition]:
    statement = select(transitions).where(transitions.c.incident_id == incident_id).order_by(transitions.c.id)
    return [_transition_of(row) for row in connection.execute(statement).mappings()]


def transitions_of(
    connection: Connection, subject: str, fingerprint: str, since: datetime, until: datetime
) -> list[Transition]:
    table = transitions.c
    statement = (
        select(transitions)
        .where(table.subject == subject, table.fingerprint == fingerprint, table.at >= since, table.at < until)
        .order_by(table.id)
    )
    return [_transition_of(row) for row in connection.execute(statement).mappings()]


def expire(connection: Connection, before: datetime) -> tuple[int, int]:
    """Removes what ended before; never an open incident nor the timeline of one. Returns (incidents, transitions)."""
    gone = connection.execute(
        delete(incidents).where(incidents.c.status.not_in(OPEN), incidents.c.resolved < before)
    ).rowcount
    kept = select(incidents.c.id).where(incidents.c.id == transitions.c.incident_id).exists()
    old = delete(transitions).where(transitions.c.at < before, ~kept)
    return gone, connection.execute(old).rowcount


def incident_of(row: RowMapping) -> Incident:
    return Incident(
        id=row["id"],
        subject=row["subject"],
        fingerprint=row["fingerprint"],
        kind=row["kind"],
        metric=row["metric"],
        labels=encoding.pairs_from(row["labels"]),
        status=row["status"],
        severity=row["severity"],
        opened=row["opened"],
        detected=row["detected"],
        first=encoding.reading_from(row["first"]),
        last=encoding.reading_from(row["last"]),
        worst=encoding.reading_from(row["worst"]),
        resolved=row["resolved"],
        cause=row["cause"],
        flapping=row["flapping"],
    )


def _incident_row(incident: Incident) -> Cells:
    return {
        "id": incident.id,
        "subject": incident.subject,
        "fingerprint": incident.fingerprint,
        "kind": incident.kind,
        "metric": incident.metric,
        "labels": encoding.pairs_text(incident.labels),
        "status": incident.status,
        "severity": incident.severity,
        "opened": incident.opened,
        "detected": incident.detected,
        "resolved": incident.resolved,
        "cause": incident.cause,
        "flapping": bool(incident.flapping),
        "first": encoding.reading_text(incident.first),
        "last": encoding.reading_text(incident.last),
        "worst": encoding.reading_text(incident.worst),
    }


def _state_row(state: SeriesState) -> Cells:
    pending = state.first_pending
    return {
        "subject": state.subject,
        "fingerprint": state.fingerprint,
        "metric": state.metric,
        "labels": encoding.pairs_text(state.labels),
        "status": str(state.status),
        "since": state.since,
        "last": state.last,
        "streak": int(state.streak),
        "episodes": int(state.episodes),
        "first_pending": None if pending is None else encoding.reading_text(pending),
        "changes": encoding.dumps([encoding.micros(bucket) for bucket in state.changes]),
    }


def state_of(row: RowMapping, incident: Incident | None) -> SeriesState:
    pending = row["first_pending"]
    return SeriesState(
        subject=row["subject"],
        fingerprint=row["fingerprint"],
        metric=row["metric"],
        labels=encoding.pairs_from(row["labels"]),
        status=Status(row["status"]),
        since=row["since"],
        last=row["last"],
        streak=row["streak"],
        episodes=row["episodes"],
        incident=incident,
        first_pending=None if pending is None else encoding.reading_from(pending),
        changes=encoding.instants_from(row["changes"]),
    )


def _transition_row(transition: Transition) -> Cells:
    incident = transition.incident
    return {
        "subject": transition.subject,
        "fingerprint": transition.fingerprint,
        "before": str(transition.before),
        "after": str(transition.after),
        "at": transition.at,
        "reading": encoding.reading_text(transition.reading),
        "cause": transition.cause,
        "incident_id": None if incident is None else incident.id,
        "incident": None if incident is None else encoding.incident_text(incident),
        "severity_rose": bool(transition.severity_rose),
        "began_flapping": bool(transition.began_flapping),
    }


def _transition_of(row: RowMapping) -> Transition:
    incident = row["incident"]
    return Transition(
        subject=row["subject"],
        fingerprint=row["fingerprint"],
        before=Status(row["before"]),
        after=Status(row["after"]),
        at=row["at"],
        reading=encoding.reading_from(row["reading"]),
        cause=row["cause"],
        incident=None if incident is None else encoding.incident_from(incident),
        severity_rose=row["severity_rose"],
        began_flapping=row["began_flapping"],
    )
