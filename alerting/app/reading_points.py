"""Why one point of one series became a message or did not: the facts, for ``core.explain``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from alerting.app.application import App
from alerting.app.reading_names import bucket_at, metric_named, series_of, watching
from alerting.core import explain, explain_actions
from alerting.core.actions import Action
from alerting.core.audiences import Audience, vanished_audience
from alerting.core.blocks import fingerprint
from alerting.core.calendars import described, with_events
from alerting.core.decisions import subject_of
from alerting.core.explain import Opinion, Outcome, Point, Why
from alerting.core.incidents import Incident, Reading
from alerting.core.labels import without
from alerting.core.readings import Judged, combine
from alerting.hearing import Shares, opens_from, read_panel
from alerting.judging import Inline, columns_of, judge, part
from config.model import Detect, Metric, Query, Subscription
from detectors.buckets import as_instant
from detectors.contract import Panel

TRAIL = 24
"""How many buckets before the point are judged again, to count a streak."""
MOST_VERSIONS = 5


def why_point(
    app: App, metric: str, labels: Mapping[str, str], at: datetime, subscription: str | None = None
) -> tuple[Why, ...]:
    """Every gate of the bucket that holds ``at``, once for each subscription that watches the metric.

    Judged again from the stored points up to that bucket, with the rules as they are now. Raises NotFound, StoreError,
    PanelError.
    """
    found = metric_named(app, metric)
    query = app.config.queries[found.query]
    rules = watching(app, found, subscription)
    series = series_of(app, found, labels)
    bucket = bucket_at(app, query, at)
    return tuple(_why(app, one, found, query, series, bucket) for one in rules)


def outcomes_of(app: App, incident: Incident) -> tuple[Outcome, ...]:
    """What became of every delivery about the groups that the incident joined, receiver by receiver."""
    rows = [row for group in app.store.groups_of(incident.id) for row in app.store.outbox.rows(group_id=group.id)]
    return tuple(
        Outcome(row.receiver, row.kind, row.sequence, row.state, row.why, row.reason, row.settled or row.due)
        for row in sorted(rows, key=lambda row: (row.receiver, row.created, row.group_id, row.sequence))
    )


def audience_of_subject(app: App, subject: str) -> Audience:
    """Who is told of a subject; where its rule is gone, nobody."""
    return app.audiences.get(subject) or vanished_audience(subject)


def _why(
    app: App, subscription: Subscription, metric: Metric, query: Query, labels: Mapping[str, str], bucket: datetime
) -> Why:
    incident = _incident_at(app, subscription, metric, labels, bucket)
    audience = audience_of_subject(app, subject_of(subscription.name))
    told = audience.told(incident.severity) if incident else ()
    outcomes = outcomes_of(app, incident) if incident else ()
    point = _point(app, subscription, metric, query, labels, bucket)
    why = explain.why_point(point, subscription.incident, incident, outcomes, told)
    if incident is not None:
        return why
    return explain_actions.with_settling(
        why, bucket, _labels_before(app, subscription, metric, labels, bucket), query.timezone
    )


def _labels_before(
    app: App, subscription: Subscription, metric: Metric, labels: Mapping[str, str], bucket: datetime
) -> list[Action]:
    """What people said of the incidents of the series that were over before the bucket."""
    found = app.store.actions.labelled("new_normal", subject_of(subscription.name), metric.name)
    names = [one.id for one in found if dict(one.labels) == dict(labels) and one.last.bucket < bucket]
    return [action for said in app.store.actions.of_incidents(names).values() for action in said]


def _point(
    app: App, subscription: Subscription, metric: Metric, query: Query, labels: Mapping[str, str], bucket: datetime
) -> Point:
    entries = Shares(app.store).spread(subscription.entries(metric.name), subscription)
    buckets = max(subscription.incident.open_after, TRAIL)
    begin = query.bucket.start(bucket - buckets * query.bucket.nominal, query.timezone)
    read = _series(app, metric, query, labels, entries, begin, bucket)
    view = with_events(read, subscription.calendars, subscription.timezone)
    view = without(view, app.store.actions.labelled("expected", subject_of(subscription.name), metric.name))
    trail = _trail(subscription, metric, entries, view, begin)
    seen = app.store.points.seen(query.digest, bucket)
    before = [
        float(_series(app, metric, query, labels, entries, bucket, bucket, as_of=moment).values[-1, 0])
        for moment in seen[:-1][-MOST_VERSIONS:]
    ]
    observed = float(view.values[-1, 0])
    return Point(
        subscription=subscription.name,
        metric=metric.name,
        labels=labels,
        bucket=bucket,
        timezone=subscription.timezone,
        unit=metric.unit,
        pulled=seen[0] if seen else None,
        observed=observed,
        versions=_changes(before, observed),
        opinions=tuple(_opinion(entry, view) for entry in entries),
        combined=trail[-1],
        trail=trail,
        opens_from=_opens_from(app, subscription, metric, query, entries),
        calendar=described(view.events, -1),
        require=subscription.require,
    )


def _series(
    app: App,
    metric: Metric,
    query: Query,
    labels: Mapping[str, str],
    entries: Sequence[Detect],
    since: datetime,
    bucket: datetime,
    *,
    as_of: datetime | None = None,
) -> Panel:
    """The one series up to and including ``bucket``, as far back as the detectors look; NaN where it was unknown."""
    until = query.bucket.next(bucket, query.timezone)
    looks_back = [entry.detector.history for entry in entries]
    panel = read_panel(metric, query, since, until, app.bench(), looks_back, as_of=as_of)
    return part(panel, [next(s for s, one in enumerate(panel.labels) if dict(one) == dict(labels))])


def _trail(
    subscription: Subscription, metric: Metric, entries: Sequence[Detect], view: Panel, begin: datetime
) -> tuple[Reading, ...]:
    since = as_instant(begin)
    heard = [judge(entry, view, since=since, state=None, executor=Inline()) for entry in entries]
    voices = [Judged(one.entry, one.verdicts, one.columns) for one in heard if one is not None]
    combined = combine(
        voices,
        panel=view,
        since=since,
        guard=subscription.guard,
        better=metric.better,
        require=subscription.require,
    )
    return tuple(combined.reading(j, 0) for j in range(len(combined.times)))


def _opinion(entry: Detect, view: Panel) -> Opinion:
    said = entry.detector.explain(view, 0, view.times[-1]) if columns_of(entry, view) else None
    return Opinion(entry.key, said)


def _changes(before: Sequence[float], now: float) -> tuple[float, ...]:
    """The values before ``now`` without repetitions: another series of the same bucket may have been restated."""
    values = [*before, now]
    differs = [repr(one) != repr(following) for one, following in pairwise(values)]
    return tuple(value for value, is_different in zip(before, differs, strict=True) if is_different)


def _opens_from(
    app: App, subscription: Subscription, metric: Metric, query: Query, entries: Sequence[Detect]
) -> datetime | None:
    watches = [app.store.watch(subscription.name, entry.key, metric.name) for entry in entries]
    added = min((watch.added for watch in watches if watch is not None), default=None)
    return None if added is None else opens_from(query, added)


def _incident_at(
    app: App, subscription: Subscription, metric: Metric, labels: Mapping[str, str], bucket: datetime
) -> Incident | None:
    """The incident that holds the bucket: one that was not taken back before one that was."""
    subject, mark = subject_of(subscription.name), fingerprint(metric.name, labels)
    holding = [
        incident
        for incident in app.store.incidents(subject=subject, since=bucket, limit=100_000)
        if incident.fingerprint == mark and incident.opened <= bucket <= incident.last.bucket
    ]
    return min(holding, key=lambda incident: incident.status == "retracted", default=None)
