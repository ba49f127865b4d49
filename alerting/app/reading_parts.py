"""What one series is made of: level, seasons, effects of named days, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from alerting.app.application import App
from alerting.app.reading_metrics import watchers
from alerting.app.reading_names import OutsideReadings, metric_named, pulled_range, series_of
from alerting.core.blocks import fingerprint
from alerting.core.calendars import events
from alerting.core.decisions import subject_of
from alerting.core.explain import instant
from alerting.core.figures import series_name
from alerting.core.panels import recipe_of
from config.model import Metric, Query
from detectors.buckets import Bucket, as_datetime, as_instant
from detectors.contract import Bools, Event, Floats, Instants, Panel
from detectors.stl import mstl, strengths

MOST_BUCKETS = 5000
"""A longer span is cut to its end, so that a decomposition stays within a second."""
_EPISODE, _EPISODE_BUCKETS = timedelta(days=2), 6
_MOST_INCIDENTS = 1000
_SEASONS = {"1d": {"week": 7, "year": 365}, "1w": {"year": 52}, "1mo": {"year": 12}}
"""By bucket, how many make a season; narrower buckets have a day and a week."""


@dataclass(frozen=True)
class Component:
    """``values[T]`` in the metric's unit, NaN where there is no reading · ``strength`` of a season: the share of what
    is not level that it explains, 0 to 1; None for the others."""

    name: str
    values: Floats
    strength: float | None = None


@dataclass(frozen=True)
class Parts:
    """The readings ``observed[T]`` at ``times[T]`` as a sum: level, seasons, effects of named days, residual.

    ``calendar`` is among the components only where a named day falls into the span. ``notes`` say what was left out.
    """

    title: str
    unit: str | None
    timezone: str
    times: Instants
    observed: Floats
    components: tuple[Component, ...]
    notes: tuple[str, ...]


def parts(
    app: App,
    name: str,
    series: Mapping[str, str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Parts:
    """The series (None: the total, or the only one) taken apart over its buckets from ``since`` to ``until``.

    Robust MSTL on the clock of the query's time zone. The buckets of named days (of any calendar but ``annotate``) and
    those in which an incident began take no part, so that they do not bend level and seasons; the effect of a named day
    is the median of what is left of it. Raises NotFound, PanelError, StoreError.
    """
    metric = metric_named(app, name)
    query = app.config.queries[metric.query]
    labels = series_of(app, metric, series or {})
    first, last = pulled_range(app, query)
    begin = query.bucket.start(max(first, since or first), query.timezone)
    end = min(last, until or last)
    if begin >= end:
        reach = f"there are buckets from {instant(first, query.timezone)} until {instant(last, query.timezone)}"
        raise OutsideReadings(f"{name} has nothing in this span: {reach}")
    cut = query.bucket.start(end - MOST_BUCKETS * query.bucket.nominal, query.timezone)
    panel = _panel(app, metric, query, labels, max(begin, cut), end)
    notes = [f"only the last {MOST_BUCKETS:,} buckets of the span are taken apart"] if cut > begin else []
    components, more = _taken_apart(panel, _days(app, metric, panel), _in_incident(app, metric, panel))
    return Parts(
        title=series_name(name, labels),
        unit=metric.unit,
        timezone=query.timezone,
        times=panel.times,
        observed=panel.values[:, 0],
        components=components,
        notes=(*notes, *more),
    )


def _panel(
    app: App, metric: Metric, query: Query, labels: Mapping[str, str], since: datetime, until: datetime
) -> Panel:
    """The one series alone, however many stand beside it."""
    found = recipe_of(metric, query, app.store.points.keys(query.digest), labels)
    assert found is not None  # series_of knows the same series
    recipe = found[1]
    times, readings = app.store.points.read_rolled_up(query.digest, since, until, recipe.keys, recipe.rolled_up)
    grid = query.bucket.starts(since, until, query.timezone)
    values = np.full((len(grid), 1), np.nan)
    inside = np.isin(times, grid)
    values[np.searchsorted(grid, times[inside]), 0] = recipe.filled(readings)[inside]
    return Panel(grid, values, (labels,), query.bucket.text, query.timezone)


def _days(app: App, metric: Metric, panel: Panel) -> tuple[Event, ...]:
    """The named days in the calendars of whoever watches the metric, each once."""
    found = {
        event.name: event
        for one in watchers(app, metric.name)
        for event in events(one.calendars, panel.times, panel.bucket, one.timezone)
        if event.effect != "annotate"
    }
    return tuple(found.values())


def _in_incident(app: App, metric: Metric, panel: Panel) -> Bools:
    """Which buckets an incident holds, as long as it can be an episode and is no new level."""
    subjects = [subject_of(one.name) for one in watchers(app, metric.name)]
    mark, held = fingerprint(metric.name, panel.labels[0]), np.zeros(len(panel.times), dtype=np.bool_)
    longest = max(_EPISODE, _EPISODE_BUCKETS * Bucket.parse(panel.bucket).nominal)
    begin = as_datetime(panel.times[0])
    for one in app.store.incidents_of_series(subjects, mark, begin, _MOST_INCIDENTS):
        if one.status != "retracted":
            last = as_instant(min(one.last.bucket, one.opened + longest))
            held |= (panel.times >= as_instant(one.opened)) & (panel.times <= last)
    return held


def _taken_apart(
    panel: Panel, days: Sequence[Event], disturbed: Bools
) -> tuple[tuple[Component, ...], tuple[str, ...]]:
    observed, places = panel.values[:, 0], _places(panel)
    ordinary = np.where(disturbed, np.nan, observed)
    for day in days:
        ordinary[day.active] = np.nan
    on_clock = np.full((int(places.max()) + 1, 1), np.nan)
    on_clock[places, 0] = ordinary
    periods, notes = _periods(panel.bucket, len(on_clock))
    if not np.isfinite(on_clock).any():
        return (), ("there is no ordinary reading in this span",)
    seasons: tuple[Component, ...] = ()
    if not periods:
        level = np.full(len(observed), np.nanmedian(ordinary))
    else:
        found = mstl(on_clock, tuple(periods.values()), robust=True)
        level, shares = found.trend[places, 0], strengths(found)
        seasons = tuple(
            Component(name, found.seasons[period][places, 0], float(shares[period][0]))
            for name, period in periods.items()
        )
    rest = observed - level - np.sum([one.values for one in seasons], axis=0)
    effects = _effects(rest, days)
    calendar = [Component("calendar", effects)] if days else []
    return (Component("level", level), *seasons, *calendar, Component("residual", rest - effects)), notes


def _places(panel: Panel) -> NDArray[np.int64]:
    """Where each bucket stands on a grid of the local clock: a season of the day keeps its hours when clocks change."""
    bucket = Bucket.parse(panel.bucket)
    if bucket.is_calendar:
        return np.arange(len(panel.times))
    import pandas as pd  # here, because commands that take nothing apart must start fast

    local = pd.DatetimeIndex(panel.times).tz_localize("UTC").tz_convert(panel.timezone).tz_localize(None)
    seconds = local.to_numpy().astype("datetime64[s]").astype(np.int64)
    width = int(bucket.nominal.total_seconds())
    places = (seconds - seconds.min() + width // 2) // width
    return np.asarray(places, dtype=np.int64)


def _periods(bucket: str, length: int) -> tuple[dict[str, int], tuple[str, ...]]:
    """The seasons that ``length`` buckets can tell, and which they cannot."""
    a_day = round(timedelta(days=1) / Bucket.parse(bucket).nominal)
    possible = _SEASONS.get(bucket, {"day": a_day, "week": 7 * a_day})
    told = {name: period for name, period in possible.items() if period >= 2 and 2 * period < length}
    missing = [name for name, period in possible.items() if period >= 2 and name not in told]
    return told, tuple(f"too short a span for a season of the {name}: it takes more than two" for name in missing)


def _effects(rest: Floats, days: Sequence[Event]) -> Floats:
    effects = np.zeros(len(rest))
    for day in days:
        known = day.active & np.isfinite(rest)
        if known.any():
            effects[day.active] = np.median(rest[known])
    return effects
