"""When the configuration changes: texts are kept, rules that are gone end, files that do not load are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from alerting.bench import Bench
from alerting.core import health
from alerting.core.audiences import Audience
from alerting.core.decisions import Change, Decision, Standing, retired, told
from alerting.core.incidents import Incident, SeriesState
from alerting.pipeline import attention_of, recording
from alerting.store import Store
from config.loader import Loaded
from config.model import Config

_ALL = 1_000_000


def keep_texts(store: Store, loaded: Loaded, now: datetime) -> None:
    """The last good text of each file is in the store; a file that was deleted is forgotten."""
    known = store.config_files.all()
    errors = {problem.path: str(problem) for problem in reversed(loaded.errors)}
    for path, text in loaded.texts.items():
        is_new = path not in known or known[path].text != text
        if is_new or (known[path].error and path not in errors):
            store.config_files.keep(path, text, now)
        if path in errors:
            store.config_files.note_error(path, errors[path])
    for path in known:
        if path not in loaded.texts and not loaded.errors:
            store.config_files.forget(path)


def retire_removed(bench: Bench, now: datetime) -> None:
    """The open incidents of subscriptions, metrics, detectors and queries that are gone are resolved."""
    gone = list(_removed(bench))
    change = retired(gone, now=now, cause="rule removed")
    if change.transitions:
        record(change, bench, bench.audiences, now)


def judge_files(bench: Bench, loaded: Loaded, now: datetime) -> None:
    """One health incident for each file that does not load, until it does."""
    errors = {problem.path: str(problem) for problem in reversed(loaded.errors)}
    everything = bench.store.incidents(open_only=True, limit=_ALL)
    open_ones = {incident.metric for incident in everything if incident.kind == "config"}
    change = Change()
    for path in sorted({*errors, *open_ones}):
        before = bench.store.series_states(f"config:{path}").get(health.file_fingerprint(path))
        after, transitions = health.judge_file(path, errors.get(path, ""), before, now)
        if after is not None and after is not before:
            change += Change((after,), tuple(transitions))
    if change.states:
        record(change, bench, bench.audiences, now)


def is_wanted(incident: Incident, config: Config) -> bool:
    """True while a rule of the configuration stands behind the incident."""
    kind, _, name = incident.subject.partition(":")
    if kind == "query":
        return name in config.queries and bool(config.watched(name))
    if kind in ("receiver", "undelivered", "canary"):
        return name in config.receivers
    if kind != "subscription":
        return True
    subscription = config.subscriptions.get(name)
    if subscription is None or incident.metric not in subscription.metrics:
        return False
    accusers = {incident.first.detector, incident.worst.detector, incident.last.detector} - {""}
    return not accusers or bool(accusers & {entry.key for entry in subscription.detect})


def _removed(bench: Bench) -> Iterator[SeriesState]:
    for incident in bench.store.incidents(open_only=True, limit=_ALL):
        if not is_wanted(incident, bench.config):
            state = bench.store.series_states(incident.subject).get(incident.fingerprint)
            if state is not None:
                yield state


def record(change: Change, bench: Bench, audiences: Mapping[str, Audience], now: datetime) -> Decision:
    """A change outside of any evaluation, with the notices that it owes."""
    standing = Standing({}, tuple(bench.store.open_groups(now)), attention_of(bench.store, now))
    decision = told(change, standing, audiences, now=now)
    bench.store.record(recording(decision, (), now, None))
    return decision
