"""The same decisions over history: what would have been told, bucket by bucket, had the daemon been running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import numpy as np

from alerting.core.audiences import Audience, audiences
from alerting.core.calendars import with_events
from alerting.core.decisions import Change, Decision, Finding, Standing, decide
from alerting.core.panels import panel
from alerting.core.readings import Judged as Heard
from alerting.core.readings import combine
from alerting.hearing import Readings, with_beginnings
from alerting.judging import Inline, columns_of, judge, spread
from alerting.store import Judged
from config.model import Config, Detect, Metric, Query, Subscription
from detectors.buckets import as_datetime, as_instant
from detectors.contract import Panel


class Progress(Protocol):
    """Told how many of the (subscription, metric) pairs have been judged."""

    def __call__(self, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Step:
    """What was decided at one moment; moments at which nothing moved are left out."""

    now: datetime
    decision: Decision


@dataclass(frozen=True)
class History:
    """One (subscription, metric) judged over the whole span: ``finding`` for decisions, ``rows`` for the store."""

    query: Query
    finding: Finding
    rows: tuple[Judged, ...]


def replay(config: Config, points: Readings, since: datetime, until: datetime) -> Iterator[Step]:
    """The decisions over every bucket with ``since`` ≤ start < ``until``, each at the moment it would have been due."""
    return steps(histories(config, points, since, until), audiences(config))


def histories(
    config: Config,
    points: Readings,
    since: datetime,
    until: datetime,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[History]:
    """Every watched metric judged in one go: detectors are causal, so this is what they would have said each time."""
    pairs = [(query, *pair) for query in config.queries.values() for pair in config.watched(query.name)]
    found = []
    for done, (query, subscription, metric) in enumerate(pairs, 1):
        entries = [
            spread(entry, subscription, partial(_series, config, points, entry, until))
            for entry in subscription.entries(metric.name)
        ]
        found.append(_history(query, subscription, metric, entries, points, since, until, executor or Inline()))
        if progress is not None:
            progress(done, len(pairs))
    return found


def steps(judged: list[History], known: Mapping[str, Audience]) -> Iterator[Step]:
    """The moments at which something was decided, in the order of time."""
    standing = Standing({})
    for now, findings in _moments(judged):
        decision = decide(findings, Change(), standing, known, now=now)
        if not decision.is_quiet:
            standing = standing.after(decision, now)
            yield Step(now, decision)


def _history(
    query: Query,
    subscription: Subscription,
    metric: Metric,
    entries: list[Detect],
    points: Readings,
    since: datetime,
    until: datetime,
    executor: Executor,
) -> History:
    reach = max((entry.detector.history(query.bucket.text) for entry in entries), default=np.timedelta64(0, "us"))
    begin = query.bucket.start(as_datetime(as_instant(since) - reach), query.timezone)
    block = points.read(query.digest, begin, until)
    if metric.fill == "zero":
        block = with_beginnings(query, block, points, begin)
    view = _trimmed(panel(metric, query, block, since=begin, until=until), since)
    view = with_events(view, subscription.calendars, subscription.timezone)
    judged = [judge(entry, view, since=as_instant(since), state=None, executor=executor) for entry in entries]
    heard = [one for one in judged if one is not None]
    combined = combine(
        [Heard(one.entry, one.verdicts, one.columns) for one in heard],
        panel=view,
        since=as_instant(since),
        guard=subscription.guard,
        better=metric.better,
        require=subscription.require,
    )
    rows = tuple(
        Judged(
            subscription=subscription.name,
            entry=one.entry.key,
            metric=metric.name,
            labels=tuple(view.labels[s] for s in one.columns),
            verdicts=one.verdicts,
            judged_until=until,
            expected_previous=None,
            added=since,
        )
        for one in heard
    )
    return History(query, Finding(subscription, metric.name, combined, since, width=query.bucket.nominal), rows)


def _series(config: Config, points: Readings, entry: Detect, until: datetime, name: str) -> int:
    """How many series of the metric the entry judges, of all that there are at the end."""
    metric = config.metrics[name]
    query = config.queries[metric.query]
    last = query.bucket.start(until - timedelta(microseconds=1), query.timezone)
    block = points.read(query.digest, last, until)
    return len(columns_of(entry, panel(metric, query, block, since=last, until=until)))


def _trimmed(view: Panel, since: datetime) -> Panel:
    """Without the empty buckets before the first reading: no detector learns from them."""
    filled = np.flatnonzero(~np.isnan(view.values).all(axis=1)) if view.values.size else np.array([], dtype=np.intp)
    first = int(filled[0]) if len(filled) else 0
    first = min(first, int(np.searchsorted(view.times, as_instant(since))))
    return Panel(view.times[first:], view.values[first:], view.labels, view.bucket, view.timezone)


def _moments(judged: list[History]) -> Iterator[tuple[datetime, list[Finding]]]:
    """When each bucket of each query was due, with what was then said of it."""
    due: dict[datetime, list[tuple[History, int]]] = {}
    for history in judged:
        query = history.query
        for j, start in enumerate(history.finding.combined.buckets):
            due.setdefault(query.bucket.next(start, query.timezone) + query.delay, []).append((history, j))
    for now in sorted(due):
        yield now, [_bucket(history.finding, j) for history, j in due[now]]


def _bucket(finding: Finding, j: int) -> Finding:
    part = finding.combined.part(j, j + 1)
    return replace(finding, combined=part)
