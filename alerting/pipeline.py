"""The whole flow: one query from its warehouse to recorded incidents and owed deliveries."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from alerting.core import health
from alerting.core.audiences import Audience
from alerting.core.blocks import Block
from alerting.core.decisions import Change, Decision, Finding, Standing, decide, subject_of
from alerting.core.health import QueryState, is_backfilled, is_interrupted
from alerting.core.incidents import Incident
from alerting.core.panels import PanelError, panel
from alerting.core.readings import Judged as Heard
from alerting.core.readings import combine
from alerting.judging import EntryVerdicts, judge
from alerting.store import Judged, LostRace, Points, Recording, Store, Watch
from alerting.telemetry import logger
from alerting.warehouse import Pulled, SourceError, Warehouse, Window, plan, settle, settled
from config.model import Config, Metric, Query, Subscription
from detectors.buckets import as_datetime, as_instant
from detectors.contract import Bools, Panel

_log = logger("pipeline")
SHOWN_SPAN = timedelta(days=21)
SHOWN_BUCKETS = range(60, 1500)
SILENT_SPAN = timedelta(weeks=5)


class Progress(Protocol):
    """Told how many buckets of a query have been pulled so far, of how many."""

    def __call__(self, query: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Bench:
    """What an evaluation works with. One decision at a time: two queries may stir the same group."""

    config: Config
    store: Store
    audiences: Mapping[str, Audience]
    executor: Executor
    deciding: threading.Lock = field(default_factory=threading.Lock)
    cancel: threading.Event = field(default_factory=threading.Event)
    progress: Progress | None = None


@dataclass(frozen=True)
class Refused:
    """Stands for a warehouse that cannot even be opened; each pull fails for that reason."""

    error: SourceError

    def pull_all(
        self,
        query: Query,
        windows: Sequence[Window],
        columns: Sequence[str],
        *,
        cancel: threading.Event | None = None,
    ) -> Iterator[tuple[Window, Pulled]]:
        raise self.error


@dataclass(frozen=True)
class Evaluation:
    """What came of one evaluation of a query. ``error``: why its warehouse or its metrics could not be read."""

    query: str
    state: QueryState
    decision: Decision
    judged: int = 0
    error: str = ""


def evaluate(query: Query, warehouse: Warehouse | Refused, bench: Bench, *, now: datetime) -> Evaluation:
    """Pulls what is due of a query, judges it, and records in one transaction what follows.

    A warehouse that does not answer, or a result that makes no metric, is the health of the query, never an anomaly.
    Raises StoreError.
    """
    state, restated, error = pull(query, known_state(query, bench, now), warehouse, bench, now=now)
    findings: list[tuple[Finding, list[Judged]]] = []
    if is_backfilled(query, state, now):  # also where a later window failed: what came before it is final
        findings, problems = judge_metrics(query, state, restated, bench, now=now)
        error = "; ".join([error] * bool(error) + problems)
    state = replace(state, failures=state.failures + 1 if error else 0, error=error)
    with bench.deciding:
        standing = standing_of([query], bench)
        zero_filled = is_zero_filled(bench.config, query)
        ailing = health.judge(
            query, state, standing.states.get(f"query:{query.name}", {}), now, zero_filled=zero_filled
        )
        change = Change(tuple(ailing[0]), tuple(ailing[1]))
        decision = decide((finding for finding, _ in findings), change, standing, bench.audiences, now=now)
        judged = [one for _, verdicts in findings for one in verdicts]
        try:
            bench.store.record(recording(decision, judged, now, state))
        except LostRace as exc:
            _log.warning("evaluation discarded", query=query.name, reason=str(exc))
            decision = Decision()
    _tell(query, decision, state)
    return Evaluation(query.name, state, decision, len(judged), state.error)


def known_state(query: Query, bench: Bench, now: datetime) -> QueryState:
    """What is known of the query under its present SQL text: nothing where the text is new.

    A text that was there before goes on where it stopped. ``added`` tells which of several texts is the present one.
    """
    texts = bench.store.query_states_of(query.name)
    if texts and texts[-1].digest == query.digest:
        return texts[-1]
    before = next((state for state in texts if state.digest == query.digest), None)
    return replace(before, added=now) if before else QueryState(query.name, query.digest, added=now)


def pull(
    query: Query, state: QueryState, warehouse: Warehouse | Refused, bench: Bench, *, now: datetime
) -> tuple[QueryState, Sequence[np.datetime64], str]:
    """Everything that is due is in the store; a failure keeps what came before it.

    Returns what is known of the query now, the buckets whose readings were restated, and why the pull failed (empty:
    it did not). ``attempted`` is stored with the decisions, not with the points: an evaluation that dies between the
    two is due again at once.
    """
    zero_filled = is_zero_filled(bench.config, query)
    columns = tuple(dict.fromkeys(metric.value for metric in bench.config.metrics_of(query.name)))
    windows = plan(query, state, now)
    total = sum(len(query.bucket.starts(one.since, one.until, query.timezone)) for one in windows)
    restated, done = unjudged(query, state, bench), 0
    try:
        for window, pulled in warehouse.pull_all(query, windows, columns, cancel=bench.cancel):
            state = settle(query, state, pulled.block, window, zero_filled, now)
            state = with_columns(replace(state, succeeded=now), pulled.columns)
            written = bench.store.write_pull(query.digest, settled(pulled.block, window, state), now, state)
            restated += list(written.restated)
            for warning in pulled.warnings:
                _log.warning("pull warned", query=query.name, reason=warning)
            done += len(pulled.block.times)
            if bench.progress is not None:
                bench.progress(query.name, done, total)
    except SourceError as exc:
        return replace(state, attempted=now), restated, str(exc)
    return replace(state, attempted=now, succeeded=now), restated, ""


def unjudged(query: Query, state: QueryState, bench: Bench) -> list[np.datetime64]:
    """The buckets that an evaluation found restated and then died before it could judge them again."""
    if not (query.restate and state.watermark and state.attempted and is_interrupted(state)):
        return []
    since = query.bucket.start(state.attempted - query.restate.window, query.timezone)
    now, then = (
        bench.store.points.read(query.digest, since, state.watermark, as_of=at) for at in (None, state.attempted)
    )
    rows = np.flatnonzero(np.isin(now.times, then.times))
    before = then.values[np.searchsorted(then.times, now.times[rows])]
    is_same = (now.values[rows] == before) | (np.isnan(now.values[rows]) & np.isnan(before))
    return list(now.times[rows[~is_same.all(axis=1)]])


def judge_metrics(
    query: Query, state: QueryState, restated: Sequence[np.datetime64], bench: Bench, *, now: datetime
) -> tuple[list[tuple[Finding, list[Judged]]], list[str]]:
    """What each (subscription, metric) of the query says of the buckets that it has not judged yet.

    A metric that its columns do not make is a problem of its own, told in the second list: the others are judged.
    """
    findings, problems = [], []
    for subscription, metric in bench.config.watched(query.name) if state.watermark else ():
        try:
            found = judge_metric(subscription, metric, query, state, restated, bench, now=now)
        except PanelError as exc:
            problems.append(str(exc))
        else:
            findings += [] if found is None else [found]
    return findings, list(dict.fromkeys(problems))


def judge_metric(
    subscription: Subscription,
    metric: Metric,
    query: Query,
    state: QueryState,
    restated: Sequence[np.datetime64],
    bench: Bench,
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
    view = read_panel(metric, query, earliest, until, bench, [entry.detector.history for entry in entries])
    heard: list[EntryVerdicts] = []
    rows: list[Judged] = []
    for entry in entries:
        watch = watches[entry.key]
        begin = min(_since(watch, query, until), again_from or until)
        trusted = watch.state if watch and not again_from and _remembers(watch, state) else None
        verdicts = judge(entry, view, since=as_instant(begin), state=trusted, executor=bench.executor)
        if verdicts is not None:
            heard.append(verdicts)
            rows.append(_row(subscription, metric, view, verdicts, watch, until, now))
    voices = [Heard(one.entry, one.verdicts, one.columns) for one in heard]
    combined = combine(
        voices,
        panel=view,
        since=as_instant(min(since, again_from or since)),
        guard=subscription.guard,
        better=metric.better,
    )
    cut = int(np.searchsorted(combined.times, as_instant(since)))
    added = min((watch.added for watch in watches.values() if watch), default=now)
    finding = Finding(
        subscription,
        metric.name,
        combined.part(cut, len(combined.times)),
        opens_from(query, added),
        combined if again_from else None,
    )
    return finding, rows


def read_panel(
    metric: Metric,
    query: Query,
    since: datetime,
    until: datetime,
    bench: Bench,
    looks_back: Sequence[object] = (),
    as_of: datetime | None = None,
) -> Panel:
    """The metric from our own store, with as much before ``since`` as the detectors want. Raises PanelError."""
    reach = max((look(query.bucket.text) for look in looks_back), default=np.timedelta64(0, "us"))  # type: ignore[operator]
    begin = query.bucket.start(as_datetime(as_instant(since) - reach), query.timezone)
    block = bench.store.points.read(query.digest, begin, until, as_of=as_of)
    if len(block.times):
        begin = max(begin, as_datetime(block.times[0]))
    if metric.fill == "zero":
        block = with_beginnings(query, block, bench.store.points, begin, as_of)
    return panel(metric, query, block, since=min(begin, since), until=until)


def with_beginnings(
    query: Query, block: Block, points: Points, begin: datetime, as_of: datetime | None = None
) -> Block:
    """The block with a row before it that says which series had readings in the weeks before it.

    Where nothing fills with zero before its first reading, a series that was silent since before the block would never
    be zero again: a shop that stays empty after a long weekend would read as no data.
    """
    silent = tuple(key for key, is_absent in zip(block.keys, _absent_at_first(block), strict=True) if is_absent)
    if not silent:
        return block
    earlier = points.read(query.digest, begin - SILENT_SPAN, begin, keys=silent, as_of=as_of)
    began = {key for key, column in zip(silent, earlier.values.T, strict=True) if not np.isnan(column).all()}
    row = np.array([[0.0 if key in began else np.nan for key in block.keys]])
    before = as_instant(query.bucket.start(begin - timedelta(microseconds=1), query.timezone))
    return Block(np.concatenate([[before], block.times]), block.keys, np.concatenate([row, block.values]))


def standing_of(queries: Sequence[Query], bench: Bench) -> Standing:
    """How things stand for all that these queries feed."""
    subjects = {f"query:{query.name}" for query in queries}
    for query in queries:
        subjects |= {subject_of(subscription.name) for subscription, _ in bench.config.watched(query.name)}
    states = {subject: bench.store.series_states(subject) for subject in sorted(subjects)}
    return Standing(states, tuple(bench.store.open_groups()))


def recording(decision: Decision, judged: Sequence[Judged], now: datetime, state: QueryState | None) -> Recording:
    """The one transaction of an evaluation."""
    return Recording(
        now=now,
        judged=tuple(judged),
        states=decision.change.states,
        transitions=decision.change.transitions,
        groups=decision.groups,
        deliveries=decision.deliveries,
        query_state=state,
    )


def is_zero_filled(config: Config, query: Query) -> bool:
    """True where every metric of the query reads an absent row as zero."""
    metrics = config.metrics_of(query.name)
    return bool(metrics) and all(metric.fill == "zero" for metric in metrics)


def opens_from(query: Query, added: datetime) -> datetime:
    """The first bucket that may open an incident: the one that was still open when the rule was added."""
    return query.bucket.start(added, query.timezone)


def shown_from(query: Query, until: datetime) -> datetime:
    """Where judging begins for a rule that is new: enough for a chart, nothing of it opens an incident."""
    buckets = int(SHOWN_SPAN / query.bucket.nominal)
    count = min(max(buckets, SHOWN_BUCKETS.start), SHOWN_BUCKETS.stop)
    return query.bucket.start(until - count * query.bucket.nominal, query.timezone)


def _absent_at_first(block: Block) -> Bools:
    return np.isnan(block.values[0]) if len(block.values) else np.ones(len(block.keys), dtype=bool)


def _since(watch: Watch | None, query: Query, until: datetime) -> datetime:
    return watch.judged_until if watch and watch.judged_until else shown_from(query, until)


def _remembers(watch: Watch, state: QueryState) -> bool:
    """False while what the detector remembers may be readings of an earlier SQL text: then it learns anew."""
    return watch.judged_until is not None and watch.judged_until > state.added


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
    )


def with_columns(state: QueryState, columns: Sequence[str]) -> QueryState:
    """The columns of the first result are the ones expected; what differs is a change until it changes back."""
    if not state.columns:
        return replace(state, columns=tuple(columns), schema_change="")
    gone = [name for name in state.columns if name not in columns]
    new = [name for name in columns if name not in state.columns]
    parts = [f"gone: {', '.join(gone)}"] * bool(gone) + [f"new: {', '.join(new)}"] * bool(new)
    return replace(state, schema_change="; ".join(parts))


def _tell(query: Query, decision: Decision, state: QueryState) -> None:
    if state.error:
        _log.warning("pull failed", query=query.name, failures=state.failures, reason=state.error)
    for transition in decision.change.transitions:
        incident = transition.incident
        if incident is not None and (transition.opens or transition.ends):
            _log.info(
                f"incident {incident.status if transition.ends else 'opened'}",
                id=incident.id,
                metric=incident.metric,
                labels=dict(incident.labels),
                severity=incident.severity,
                score=round(incident.worst.score, 2),
            )
