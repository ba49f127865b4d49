"""What commands and pages read: incidents with their story, deliveries, and what the other ``reading_*`` find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.app.application import App
from alerting.app.pictures import BUCKETS_AFTER, Trace, drawn, newest, trace
from alerting.app.reading_names import (
    NotFound,
    NotWatched,
    OutsideReadings,
    UnknownIncident,
    UnknownMetric,
    UnknownSeries,
    incident_named,
    pulled_range,
    timezone_of,
)
from alerting.app.reading_points import audience_of_subject, outcomes_of, why_point
from alerting.app.reading_series import Shown, ShownSeries, show
from alerting.charts import ChartError
from alerting.core import explain, explain_actions, views
from alerting.core.actions import Action
from alerting.core.attention import Attention, marked
from alerting.core.audiences import Audience
from alerting.core.explain import Gate, Outcome, Why
from alerting.core.incidents import Incident
from alerting.core.panels import PanelError
from alerting.hearing import shown_from
from alerting.pipeline import attention_of
from alerting.store import OutboxRow, ReceiverState
from config.model import Query
from notifiers import standing, wording
from notifiers.contract import Notification, TimelineEntry

__all__ = [
    "Gate",
    "IncidentLine",
    "IncidentPage",
    "NotFound",
    "NotWatched",
    "OutsideReadings",
    "Shown",
    "ShownSeries",
    "Trace",
    "UnknownIncident",
    "UnknownMetric",
    "UnknownSeries",
    "Why",
    "actions_done",
    "deliveries",
    "drawn",
    "incident_chart",
    "incident_page",
    "incidents",
    "line_of",
    "lines_of",
    "newest",
    "open_incidents",
    "receivers_in_trouble",
    "show",
    "timezone_of",
    "why_incident",
    "why_point",
]


@dataclass(frozen=True)
class IncidentLine:
    """An incident in words: ``headline`` and ``since`` as its messages say them. ``rule`` names what it belongs to."""

    incident: Incident
    rule: str
    state: standing.State
    headline: str
    since: str
    timezone: str
    attention: str = ""
    """Who works on it, until when it is silenced; empty while nobody did anything."""


@dataclass(frozen=True)
class IncidentPage:
    """Everything that is known of one incident.

    ``why`` are the gates of the bucket that opened it, or the story itself where that cannot be judged again;
    ``outcomes`` what each receiver got; ``trace`` None where there is nothing to draw.
    """

    line: IncidentLine
    timeline: tuple[TimelineEntry, ...]
    why: Why
    outcomes: tuple[Outcome, ...]
    team: str | None
    runbook: str | None
    trace: Trace | None


def incidents(
    app: App, now: datetime, *, open_only: bool = False, since: datetime | None = None, limit: int = 200
) -> tuple[IncidentLine, ...]:
    """Open ones first, then the newest. ``since`` keeps those that were open at or after it. Raises StoreError."""
    found = app.store.incidents(open_only=True, since=since, limit=limit)
    if not open_only:
        newest_ones = app.store.incidents(since=since, limit=limit)
        found += [incident for incident in newest_ones if not incident.is_open]
    return lines_of(app, found[:limit], now)


def lines_of(app: App, found: Iterable[Incident], now: datetime) -> tuple[IncidentLine, ...]:
    """These incidents in words, in their order. Raises StoreError."""
    attention = attention_of(app.store, now)
    return tuple(line_of(app, incident, now, attention) for incident in found)


def open_incidents(app: App, now: datetime) -> tuple[IncidentLine, ...]:
    return incidents(app, now, open_only=True)


def incident_page(app: App, name: str, now: datetime) -> IncidentPage:
    """By id, or by the beginning of one. Raises UnknownIncident, StoreError."""
    incident = incident_named(app, name)
    audience = audience_of_subject(app, incident.subject)
    return IncidentPage(
        line=line_of(app, incident, now, attention_of(app.store, now)),
        timeline=tuple(views.entry(transition) for transition in app.store.timeline(incident.id)),
        why=_opening_point(app, incident) or _without_receivers(_story(app, incident, now)),
        outcomes=outcomes_of(app, incident),
        team=audience.owner.team,
        runbook=audience.runbook,
        trace=_trace_of(app, incident),
    )


def incident_chart(app: App, name: str) -> bytes | None:
    """The PNG of an incident; None where there is nothing to draw. Raises UnknownIncident, StoreError."""
    found = _trace_of(app, incident_named(app, name))
    try:
        return None if found is None else drawn(found)
    except ChartError:
        return None


def why_incident(app: App, name: str, now: datetime) -> tuple[Why, ...]:
    """The story of an incident, then the gates of the bucket that opened it where that can still be judged.

    Raises UnknownIncident, StoreError.
    """
    incident = incident_named(app, name)
    opening = _opening_point(app, incident)
    return (_story(app, incident, now), *([opening] if opening else []))


def deliveries(app: App, *, unsettled_only: bool = False, limit: int = 200) -> tuple[OutboxRow, ...]:
    """Newest first. Raises StoreError."""
    return tuple(app.store.outbox.rows(unsettled_only=unsettled_only, limit=limit))


def actions_done(app: App, *, limit: int = 200) -> tuple[Action, ...]:
    """What people did, the newest first. Raises StoreError."""
    return app.store.actions.all(limit=limit)


def receivers_in_trouble(app: App) -> tuple[ReceiverState, ...]:
    """Receivers that refuse everything, with the reason. Raises StoreError."""
    return tuple(app.store.outbox.receivers_in_trouble())


def line_of(app: App, incident: Incident, now: datetime, attention: Attention) -> IncidentLine:
    """The incident in words, as of now."""
    audience = audience_of_subject(app, incident.subject)
    said = marked(_notification(incident, audience, now), [incident], (), attention, now)
    words = wording.headline(said), wording.since_line(said), said.timezone
    taken = explain_actions.standing(incident, attention, now)
    return IncidentLine(incident, audience.name, standing.state(said), *words, taken)


def _notification(incident: Incident, audience: Audience, now: datetime) -> Notification:
    """What a message about this incident alone would say."""
    return Notification(
        delivery_id=incident.id,
        group_id=incident.id,
        receiver="page",
        sequence=1,
        kind="trigger" if incident.is_open else "resolve",
        severity=incident.severity,
        subscription=audience.name,
        created=now,
        timezone=audience.timezone,
        incidents=(views.view(incident, audience),),
    )


def _story(app: App, incident: Incident, now: datetime) -> Why:
    audience = audience_of_subject(app, incident.subject)
    measure = audience.metrics.get(incident.metric)
    gates = explain_actions.done(app.store.actions.of_incidents([incident.id]).get(incident.id, ()), audience.timezone)
    gates += explain_actions.silenced(incident, app.store.silences.all(), audience.timezone)
    attention = attention_of(app.store, now)
    gates += explain_actions.reminded(app.store.groups_of(incident.id), audience, attention, now)
    story = explain.why_incident(
        incident,
        app.store.timeline(incident.id),
        outcomes_of(app, incident),
        audience.told(incident.severity),
        timezone=audience.timezone,
        unit=measure.unit if measure else None,
    )
    return explain_actions.with_actions(story, gates)


def _opening_point(app: App, incident: Incident) -> Why | None:
    """None for query health, and where the rule, the series or the readings are gone."""
    kind, _, name = incident.subject.partition(":")
    if kind != "subscription":
        return None
    opened = [transition.reading.bucket for transition in app.store.timeline(incident.id) if transition.opens]
    try:
        (found,) = why_point(app, incident.metric, incident.labels, (opened or [incident.opened])[0], name)
    except (NotFound, PanelError):
        return None
    return _without_receivers(found)


def _without_receivers(why: Why) -> Why:
    return replace(why, gates=tuple(gate for gate in why.gates if not gate.name.startswith("receiver")))


def _trace_of(app: App, incident: Incident) -> Trace | None:
    kind, _, name = incident.subject.partition(":")
    subscription, metric = app.config.subscriptions.get(name), app.config.metrics.get(incident.metric)
    if kind != "subscription" or subscription is None or metric is None:
        return None
    query = app.config.queries[metric.query]
    entry = incident.last.detector or incident.worst.detector
    try:
        since, until = _span(app, query, incident)
        return trace(app.bench(), subscription, metric.name, incident.labels, entry=entry, since=since, until=until)
    except (ChartError, PanelError, NotFound):
        return None


def _span(app: App, query: Query, incident: Incident) -> tuple[datetime, datetime]:
    """From what a message shows until a little after the incident, as far as there are readings."""
    _, end = pulled_range(app, query)
    after = incident.last.bucket + (1 + BUCKETS_AFTER) * query.bucket.nominal
    until = min(end, query.bucket.start(after, query.timezone))
    return min(shown_from(query, until), incident.opened), until
