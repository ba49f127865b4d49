"""The whole flow: one query from its warehouse to recorded incidents and owed deliveries."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from alerting.bench import Bench
from alerting.core import health, inhibition
from alerting.core.attention import Attention
from alerting.core.decisions import Change, Decision, Standing, decide, subject_of
from alerting.core.health import QueryState, is_backfilled, is_interrupted
from alerting.hearing import Heard, judge_metrics
from alerting.store import Cost, Judged, LostRace, Recording, Store
from alerting.telemetry import logger
from alerting.warehouse import Pulled, SourceError, Warehouse, Window, plan, settle, settled
from config.model import Config, Query

_log = logger("pipeline")


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
    heard = Heard()
    # Where the pull itself went well, a metric that cannot be made says nothing against the others.
    inhibitors = inhibition.KINDS if error else inhibition.KINDS_OF_DATA
    if is_backfilled(query, state, now):  # also where a later window failed: what came before it is final
        heard = judge_metrics(query, state, restated, bench, now=now)
        error = "; ".join([error] * bool(error) + heard.problems)
    state = replace(state, failures=state.failures + 1 if error else 0, error=error)
    with bench.deciding:
        standing = replace(standing_of([query], bench, now), inhibitors=inhibitors)
        zero_filled = is_zero_filled(bench.config, query)
        ailing = health.judge(
            query,
            state,
            standing.states.get(f"query:{query.name}", {}),
            now,
            zero_filled=zero_filled,
            broken=heard.broken,
        )
        change = Change(tuple(ailing[0]), tuple(ailing[1]))
        decision = decide((finding for finding, _ in heard.findings), change, standing, bench.audiences, now=now)
        judged = [one for _, verdicts in heard.findings for one in verdicts]
        try:
            bench.store.record(recording(decision, judged, now, state))
        except LostRace as exc:
            _log.warning("evaluation discarded", query=query.name, reason=str(exc))
            decision = Decision()
    _tell(decision)
    return Evaluation(query.name, state, decision, len(judged), state.error)


def known_state(query: Query, bench: Bench, now: datetime) -> QueryState:
    """What is known of the query under its present SQL text: nothing where the text is new.

    A text that was there before goes on where it stopped. ``added`` tells which of several texts is the present one.
    Where a new metric reads a column that none did before, the column was a dimension until now: what was pulled is
    forgotten and pulled again.
    """
    texts = bench.store.query_states_of(query.name)
    if _lacks_a_value(query, bench):
        bench.store.points.drop(query.digest)
        return QueryState(query.name, query.digest, added=now)
    if texts and texts[-1].digest == query.digest:
        return texts[-1]
    before = next((state for state in texts if state.digest == query.digest), None)
    return replace(before, added=now) if before else QueryState(query.name, query.digest, added=now)


def _lacks_a_value(query: Query, bench: Bench) -> bool:
    pulled = {key.value for key in bench.store.points.keys(query.digest)}
    return bool(pulled) and not pulled >= {metric.value for metric in bench.config.metrics_of(query.name)}


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
            cost = Cost(1, pulled.rows, pulled.seconds)
            written = bench.store.write_pull(query.digest, settled(pulled.block, window, state), now, state, cost)
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


def standing_of(queries: Sequence[Query], bench: Bench, now: datetime) -> Standing:
    """How things stand for all that these queries feed."""
    subjects = {f"query:{query.name}" for query in queries}
    for query in queries:
        subjects |= {subject_of(subscription.name) for subscription, _ in bench.config.watched(query.name)}
    states = {subject: bench.store.series_states(subject) for subject in sorted(subjects)}
    sources = {metric.name: (metric.query,) for metric in bench.config.metrics.values()}
    return Standing(states, tuple(bench.store.open_groups(now)), attention_of(bench.store, now), sources)


def attention_of(store: Store, now: datetime) -> Attention:
    """What people want to hear of at this moment."""
    silences = tuple(one for one in store.silences.holding() if one.holds(now))
    return Attention(silences, store.actions.acknowledged())


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


def with_columns(state: QueryState, columns: Sequence[str]) -> QueryState:
    """The columns of the first result are the ones expected; what differs is a change until it changes back."""
    if not state.columns:
        return replace(state, columns=tuple(columns), schema_change="")
    gone = [name for name in state.columns if name not in columns]
    new = [name for name in columns if name not in state.columns]
    parts = [f"gone: {', '.join(gone)}"] * bool(gone) + [f"new: {', '.join(new)}"] * bool(new)
    return replace(state, schema_change="; ".join(parts))


def _tell(decision: Decision) -> None:
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
