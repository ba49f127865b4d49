"""What each subscription says of the metrics of one query: of new buckets, and again of restated ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from alerting.bench import Bench
from alerting.core.blocks import Block, ColumnKey
from alerting.core.calendars import with_events
from alerting.core.decisions import Finding, subject_of
from alerting.core.health import QueryState
from alerting.core.incidents import Incident
from alerting.core.labels import without
from alerting.core.panels import PanelError, panel
from alerting.core.readings import Judged as Opinion
from alerting.core.readings import combine
from alerting.judging import EntryVerdicts, columns_of, judge, remembers, since_only, spread
from alerting.store import Judged, Store, StoreError, Watch
from alerting.telemetry import logger
from config.model import Detect, Metric, Query, Subscription
from detectors.buckets import as_datetime, as_instant
from detectors.contract import Bools, Panel

_log = logger("hearing")
LookBack = Callable[[str], np.timedelta64]
"""How much before its first bucket somebody wants to see, by the text of the bucket."""
SHOWN_SPAN = timedelta(days=21)
SHOWN_BUCKETS = range(60, 1500)
SILENT_SPAN = timedelta(weeks=5)


@dataclass(frozen=True)
class Heard:
    """``findings`` with what to store of them · ``problems``: metrics that the columns do not make · ``broken``: what
    a detector died of. All others are judged."""

    findings: list[tuple[Finding, list[Judged]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def judge_metrics(
    query: Query, state: QueryState, restated: Sequence[np.datetime64], bench: Bench, *, now: datetime
) -> Heard:
    """What each (subscription, metric) of the query says of the buckets that it has not judged yet.

    Raises StoreError.
    """
    heard = Heard()
    shares = Shares(bench.store)
    for subscription, metric in bench.config.watched(query.name) if state.watermark else ():
        try:
            found = judge_metric(subscription, metric, query, state, restated, bench, shares, now=now)
        except PanelError as exc:
            if str(exc) not in heard.problems:
                heard.problems.append(str(exc))
        except StoreError:
            raise
        except Exception as exc:  # noqa: BLE001  # detectors are foreign code: the other subscriptions go on
            name = f"{metric.name} of {subscription.name}"
            _log.exception("judging broke", subscription=subscription.name, metric=metric.name)
            heard.broken.append(f"{name} cannot be judged: {type(exc).__name__} (the log says where)")
        else:
            heard.findings.extend([] if found is None else [found])
    return heard


def judge_metric(
    subscription: Subscription,
    metric: Metric,
    query: Query,
    state: QueryState,
    restated: Sequence[np.datetime64],
    bench: Bench,
    shares: Shares,
    *,
    now: datetime,
) -> tuple[Finding, list[Judged]] | None:
    """Judges the buckets before the watermark that are new, and again those that a restatement touches.

    Raises PanelError.
    """
    assert state.watermark is not None
    until = state.watermark
    entries = [entry for entry in subscription.detect if entry.metric in (None, metric.name)]
    watches = {entry.key: bench.store.watch(subscription.name, entry.key, metric.name) for entry in entries}
    judged_until = [watch.judged_until for watch in watches.values() if watch and watch.judged_until]
    since = max(judged_until, default=shown_from(query, until))
    again_from = _again_from(subscription, metric, restated, since, bench) if judged_until else None
    if not entries or (since >= until and again_from is None):
        return None
    earliest = min(since, again_from or since, *(_since(watch, query, until) for watch in watches.values()))
    trusted = {} if again_from else _trusted(watches, state)
    view, trusted = _view(entries, trusted, metric, query, earliest, state, watches, bench)
    view = with_events(view, subscription.calendars, subscription.timezone)
    view = without(view, bench.store.actions.labelled("expected", subject_of(subscription.name), metric.name))
    heard = [
        (judged, watches[entry.key])
        for entry in shares.spread(entries, subscription, metric.name, view)
        if (judged := _judged(entry, view, watches[entry.key], trusted.get(entry.key), query, until, again_from, bench))
    ]
    combined = combine(
        [Opinion(one.entry, one.verdicts, one.columns) for one, _ in heard],
        panel=view,
        since=as_instant(min(since, again_from or since)),
        guard=subscription.guard,
        better=metric.better,
        require=subscription.require,
    )
    new = combined.part(int(np.searchsorted(combined.times, as_instant(since))), len(combined.times))
    added = min((watch.added for watch in watches.values() if watch), default=now)
    again = combined if again_from else None
    finding = Finding(subscription, metric.name, new, opens_from(query, added), again, query.bucket.nominal)
    return finding, [_row(subscription, metric, view, one, watch, until, now) for one, watch in heard]


@dataclass(frozen=True)
class Shares:
    """Over how many series the entries of a subscription spread their budgets.

    A metric counts with the series of its panel where that is at hand, else with those it was ever judged in (one,
    while it never was). So the count changes when a series appears, and never because of a restart.
    """

    store: Store

    @cached_property
    def _known(self) -> dict[tuple[str, str, str], int]:
        return {key: len(watch.labels) for key, watch in self.store.watches().items()}

    def spread(
        self, entries: Sequence[Detect], subscription: Subscription, metric: str = "", view: Panel | None = None
    ) -> list[Detect]:
        """The entries with their shares; ``view`` is the panel of ``metric``."""

        def series(entry: Detect, name: str) -> int:
            if view is not None and name == metric:
                return len(columns_of(entry, view))
            return self._known.get((subscription.name, entry.key, name), 1)

        return [spread(entry, subscription, partial(series, entry)) for entry in entries]


def _view(
    entries: Sequence[Detect],
    trusted: Mapping[str, bytes],
    metric: Metric,
    query: Query,
    earliest: datetime,
    state: QueryState,
    watches: Mapping[str, Watch | None],
    bench: Bench,
) -> tuple[Panel, Mapping[str, bytes]]:
    """As much of the metric as the entries need, and the states that they can go on from.

    What a detector remembers it need not see again; only where it turns out that it does not, all is read.
    """
    assert state.watermark is not None
    until, everything = state.watermark, [entry.detector.history for entry in entries]
    missing = [entry.detector.history for entry in entries if entry.key not in trusted]
    view = read_panel(metric, query, earliest, until, bench, missing, silent_for=everything)
    begins = {entry.key: as_instant(_since(watches[entry.key], query, until)) for entry in entries}
    usable = _usable(entries, trusted, view, begins)
    if usable.keys() == trusted.keys():
        return view, usable
    view = read_panel(metric, query, earliest, until, bench, everything)
    return view, _usable(entries, trusted, view, begins)


def _usable(
    entries: Sequence[Detect], trusted: Mapping[str, bytes], view: Panel, begins: Mapping[str, np.datetime64]
) -> Mapping[str, bytes]:
    return {
        entry.key: trusted[entry.key]
        for entry in entries
        if entry.key in trusted and remembers(entry, view, begins[entry.key], trusted[entry.key])
    }


def _judged(
    entry: Detect,
    view: Panel,
    watch: Watch | None,
    trusted: bytes | None,
    query: Query,
    until: datetime,
    again_from: datetime | None,
    bench: Bench,
) -> EntryVerdicts | None:
    """What one entry says of its new buckets, or of everything from ``again_from`` on."""
    begin = as_instant(min(_since(watch, query, until), again_from or until))
    if trusted is None:
        return judge(entry, view, since=begin, state=None, executor=bench.executor)
    # A state speaks of what came before: a panel that shows it again would be learned anew.
    return judge(entry, since_only(view, begin), since=begin, state=trusted, executor=bench.executor)


def read_panel(
    metric: Metric,
    query: Query,
    since: datetime,
    until: datetime,
    bench: Bench,
    looks_back: Sequence[LookBack] = (),
    as_of: datetime | None = None,
    silent_for: Sequence[LookBack] = (),
) -> Panel:
    """The metric from our own store, with as much before ``since`` as the detectors want. Raises PanelError.

    ``silent_for``: how far back a first reading may lie, where that is further than ``looks_back``.
    """
    reach = _reach(looks_back, query)
    begin = query.bucket.start(as_datetime(as_instant(since) - reach), query.timezone)
    block = bench.store.points.read(query.digest, begin, until, as_of=as_of)
    if len(block.times):
        begin = max(begin, as_datetime(block.times[0]))
    if metric.fill == "zero":
        beyond = _span(max(_reach(silent_for, query), reach) - reach)
        block = with_beginnings(query, block, bench.store.points, begin, as_of, beyond)
    return panel(metric, query, block, since=min(begin, since), until=until)


def _reach(looks_back: Sequence[LookBack], query: Query) -> np.timedelta64:
    return max((look(query.bucket.text) for look in looks_back), default=np.timedelta64(0, "us"))


def _span(width: np.timedelta64) -> timedelta:
    return timedelta(microseconds=int(width / np.timedelta64(1, "us")))


class Readings(Protocol):
    """Where readings come from: the point store, or anything that answers like it."""

    def read(
        self,
        digest: str,
        since: datetime,
        until: datetime,
        *,
        as_of: datetime | None = None,
        keys: Sequence[ColumnKey] | None = None,
    ) -> Block: ...


def with_beginnings(
    query: Query,
    block: Block,
    points: Readings,
    begin: datetime,
    as_of: datetime | None = None,
    beyond: timedelta = timedelta(0),
) -> Block:
    """The block with a row before it that says which series had readings in the weeks before it, and ``beyond`` these.

    Where nothing fills with zero before its first reading, a series that was silent since before the block would never
    be zero again: a shop that stays empty after a long weekend would read as no data.
    """
    silent = tuple(key for key, is_absent in zip(block.keys, _absent_at_first(block), strict=True) if is_absent)
    if not silent:
        return block
    began = _begun(query, points, silent, begin - SILENT_SPAN, begin, as_of)
    quiet = tuple(key for key in silent if key not in began) if beyond else ()
    if quiet:
        began |= _begun(query, points, quiet, begin - SILENT_SPAN - beyond, begin - SILENT_SPAN, as_of)
    row = np.array([[0.0 if key in began else np.nan for key in block.keys]])
    before = as_instant(query.bucket.start(begin - timedelta(microseconds=1), query.timezone))
    return Block(np.concatenate([[before], block.times]), block.keys, np.concatenate([row, block.values]))


def _begun(
    query: Query,
    points: Readings,
    keys: tuple[ColumnKey, ...],
    since: datetime,
    until: datetime,
    as_of: datetime | None,
) -> set[ColumnKey]:
    earlier = points.read(query.digest, since, until, keys=keys, as_of=as_of)
    return {key for key, column in zip(keys, earlier.values.T, strict=True) if not np.isnan(column).all()}


def opens_from(query: Query, added: datetime) -> datetime:
    """The first bucket that may open an incident: the one that was still open when the rule was added."""
    return query.bucket.start(added, query.timezone)


def shown_from(query: Query, until: datetime) -> datetime:
    """Where judging begins for a rule that is new: enough for a chart, nothing of it opens an incident."""
    buckets = int(SHOWN_SPAN / query.bucket.nominal)
    count = min(max(buckets, SHOWN_BUCKETS.start), SHOWN_BUCKETS.stop)
    return query.bucket.start(until - count * query.bucket.nominal, query.timezone)


def _trusted(watches: Mapping[str, Watch | None], state: QueryState) -> Mapping[str, bytes]:
    """What the entries remember, without what may be readings of an earlier SQL text: there they learn anew."""
    return {
        key: watch.state
        for key, watch in watches.items()
        if watch and watch.state and watch.judged_until is not None and watch.judged_until > state.added
    }


def _again_from(
    subscription: Subscription, metric: Metric, restated: Sequence[np.datetime64], since: datetime, bench: Bench
) -> datetime | None:
    """The first bucket to judge again: the first restated one, or the start of what is open or pending there."""
    touched = [as_datetime(moment) for moment in restated if as_datetime(moment) < since]
    if not touched:
        return None
    states = bench.store.series_states(subject_of(subscription.name)).values()
    begun = [state.incident or state.first_pending for state in states if state.metric == metric.name]
    opened = [one.opened if isinstance(one, Incident) else one.bucket for one in begun if one is not None]
    return min([*touched, *opened])


def _row(
    subscription: Subscription,
    metric: Metric,
    view: Panel,
    heard: EntryVerdicts,
    watch: Watch | None,
    until: datetime,
    now: datetime,
) -> Judged:
    return Judged(
        subscription=subscription.name,
        entry=heard.entry.key,
        metric=metric.name,
        labels=tuple(view.labels[s] for s in heard.columns),
        verdicts=heard.verdicts,
        judged_until=until,
        expected_previous=watch.judged_until if watch else None,
        added=watch.added if watch else now,
        remembers=bool(watch and watch.state),
    )


def _absent_at_first(block: Block) -> Bools:
    return np.isnan(block.values[0]) if len(block.values) else np.ones(len(block.keys), dtype=bool)


def _since(watch: Watch | None, query: Query, until: datetime) -> datetime:
    return watch.judged_until if watch and watch.judged_until else shown_from(query, until)
