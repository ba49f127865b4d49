"""Incidents by what people remember of them, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from alerting.core.incidents import Incident, Severity
from alerting.store.encoding import dumps
from alerting.store.incidents import OPEN, incident_of
from alerting.store.tables import incidents


@dataclass(frozen=True)
class Sought:
    """What an incident must be. ``subjects`` None: any; ``text`` stands somewhere in its id, subject, metric or
    dimensions, in any case of ASCII letters; empty: anything."""

    state: Literal["open", "ended", "all"] = "all"
    severity: Severity | None = None
    subjects: frozenset[str] | None = None
    metric: str = ""
    text: str = ""


def found(connection: Connection, sought: Sought, *, limit: int, offset: int) -> tuple[list[Incident], int]:
    """The incidents from ``offset`` on, open ones first, then the newest; and how many there are in all."""
    wanted = _conditions(sought)
    is_over = case((incidents.c.status.in_(OPEN), 0), else_=1)
    order = (is_over, incidents.c.detected.desc(), incidents.c.id.desc())
    rows = connection.execute(select(incidents).where(*wanted).order_by(*order).limit(limit).offset(offset))
    total = connection.execute(select(func.count()).select_from(incidents).where(*wanted)).scalar_one()
    return [incident_of(row) for row in rows.mappings()], total


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    table = incidents.c
    wanted: list[ColumnElement[bool]] = []
    if sought.state != "all":
        wanted.append(table.status.in_(OPEN) if sought.state == "open" else table.status.not_in(OPEN))
    if sought.severity is not None:
        wanted.append(table.severity == sought.severity)
    if sought.subjects is not None:
        wanted.append(table.subject.in_(sorted(sought.subjects)))
    if sought.metric:
        wanted.append(table.metric == sought.metric)
    if sought.text:
        words = sought.text.replace("\0", "")
        kept = dumps(words)[1:-1]  # dimensions are kept as JSON, where some characters are written otherwise
        columns = (table.id, table.subject, table.metric)
        places = [column.icontains(words, autoescape=True) for column in columns]
        wanted.append(or_(*places, table.labels.icontains(kept, autoescape=True)))
    return wanted
