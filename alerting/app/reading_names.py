"""What people name on a command line or in an address, found in the configuration and the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from alerting.app.application import App
from alerting.core.blocks import Block
from alerting.core.explain import instant
from alerting.core.figures import series_name
from alerting.core.incidents import Incident
from alerting.core.panels import PanelError, panel
from alerting.store import AmbiguousIncident
from config.model import Metric, Query, Subscription
from config.problems import suggestion

MOST_LISTED = 20


class NotFound(LookupError):
    """There is nothing of that name or at that time; the message says what there is instead.

    NotFound
    ├── UnknownMetric      the configuration has no such metric
    ├── UnknownSeries      the metric has no such series
    ├── NotWatched         no subscription (of that name) watches the metric
    ├── OutsideReadings    nothing was pulled at that time
    └── UnknownIncident    no incident, or several, begin like this
    """


class UnknownMetric(NotFound):
    pass


class UnknownSeries(NotFound):
    pass


class NotWatched(NotFound):
    pass


class OutsideReadings(NotFound):
    pass


class UnknownIncident(NotFound):
    pass


def metric_named(app: App, name: str) -> Metric:
    """Raises UnknownMetric."""
    found = app.config.metrics.get(name)
    if found is None:
        mistakes = "; the configuration has mistakes, see: metricwatch check" if app.loaded.errors else ""
        raise UnknownMetric(f"there is no metric {name!r}{suggestion(name, app.config.metrics)}{mistakes}")
    return found


def timezone_of(app: App, name: str) -> str:
    """The zone in which a time without an offset is meant: that of the metric's query. Raises UnknownMetric."""
    return app.config.queries[metric_named(app, name).query].timezone


def series_of(app: App, metric: Metric, labels: Mapping[str, str]) -> Mapping[str, str]:
    """The dimensions of the one series meant: as given, or the only one that has them. Raises UnknownSeries."""
    known = all_series(app, metric)
    if any(dict(one) == dict(labels) for one in known):
        return labels
    fitting = [one for one in known if labels.items() <= one.items()]
    if len(fitting) == 1:
        return fitting[0]
    listed = fitting or known
    names = ", ".join(series_name(metric.name, one) for one in listed[:MOST_LISTED])
    more = f" and {len(listed) - MOST_LISTED:,} more" if len(listed) > MOST_LISTED else ""
    wanted = series_name(metric.name, labels)
    if not known:
        raise UnknownSeries(f"{metric.name} has no series yet: {_not_pulled(metric.query)}")
    if fitting:
        raise UnknownSeries(f"{wanted} could be several series: {names}{more}")
    raise UnknownSeries(f"there is no series {wanted}; there are: {names}{more}")


def all_series(app: App, metric: Metric) -> Sequence[Mapping[str, str]]:
    """The dimensions of every series that the metric ever had, the total first. Raises UnknownSeries."""
    query = app.config.queries[metric.query]
    keys = app.store.points.keys(query.digest)
    nothing = Block(np.empty(0, dtype="datetime64[us]"), keys, np.empty((0, len(keys))))
    never = datetime.fromisoformat("2000-01-01T00:00+00:00")
    try:
        return panel(metric, query, nothing, since=never, until=never).labels
    except PanelError as exc:
        raise UnknownSeries(str(exc)) from exc


def pulled_range(app: App, query: Query) -> tuple[datetime, datetime]:
    """Start of the oldest and end of the newest bucket that was pulled. Raises OutsideReadings."""
    found = app.store.points.first_and_last(query.digest)
    if found is None:
        raise OutsideReadings(_not_pulled(query.name))
    return found[0], query.bucket.next(found[1], query.timezone)


def bucket_at(app: App, query: Query, at: datetime) -> datetime:
    """The start of the bucket that holds ``at``. Raises OutsideReadings."""
    first, end = pulled_range(app, query)
    if not first <= at < end:
        zone = query.timezone
        reach = f"there are buckets from {instant(first, zone)} until {instant(end, zone)}"
        # As it was written: the first and the last day of the calendar have no other zone.
        raise OutsideReadings(f"query {query.name} has nothing at {at:%Y-%m-%d %H:%M}: {reach}")
    return query.bucket.start(at, query.timezone)


def watching(app: App, metric: Metric, subscription: str | None = None) -> Sequence[Subscription]:
    """The subscriptions that watch the metric; of one name where given. Raises NotWatched."""
    found = [one for one in app.config.subscriptions.values() if metric.name in one.metrics]
    if subscription is None and not found:
        raise NotWatched(f"no subscription watches {metric.name}")
    if subscription is None:
        return found
    named = [one for one in found if one.name == subscription]
    if not named:
        names = [one.name for one in found]
        raise NotWatched(f"no subscription {subscription!r} watches {metric.name}{suggestion(subscription, names)}")
    return named


def incident_named(app: App, name: str) -> Incident:
    """By id, or by the beginning of one. Raises UnknownIncident."""
    try:
        found = app.store.incident(name) if name else None
    except AmbiguousIncident as exc:
        raise UnknownIncident(str(exc)) from exc
    if found is None:
        raise UnknownIncident(f"there is no incident {name!r}; see: metricwatch incidents --all")
    return found


def _not_pulled(query: str) -> str:
    return f"nothing of query {query} has been pulled yet, see: metricwatch once"
