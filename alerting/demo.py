"""The demo: real warehouses with real data, replayed through the real decisions, store and delivery."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TextIO
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from alerting import sample
from alerting.app import App, open_app
from alerting.backtest import histories, steps
from alerting.bench import Bench
from alerting.core.health import QueryState
from alerting.core.incidents import Incident
from alerting.pipeline import pull, recording
from alerting.store import Recording
from config.model import Config
from config.settings import Settings
from notifiers.console import Console
from notifiers.contract import Notifier

WEEKS = {"city": 15, "store": 4}
BLIZZARD = datetime(2015, 1, 27, 17, tzinfo=UTC)
"""When the city's warehouse ends: at noon of a day on which New York stood still, so that something is unusual."""
_SERIES = {"nyc-taxi": ("city", "city.taxi_passengers")}
_LOOKS_S = 0.5
_KEY_FILE = "pagerduty-routing-key"
Tell = Callable[[str, float], None]
"""Told what is being done and how far it is, 0 to 1."""


@dataclass(frozen=True)
class Senders:
    """Where the demo sends beside the terminal; None: not there."""

    slack_channel: str | None = None
    routing_key: SecretStr | None = None


@dataclass(frozen=True)
class Alert:
    """One incident of the replay; ``label`` is the labelled window it opened in, if any."""

    incident: Incident
    label: sample.Label | None


@dataclass(frozen=True)
class Marked:
    """One labelled window within the replayed weeks, and the alert that opened in it."""

    metric: str
    label: sample.Label
    fired: Alert | None


@dataclass(frozen=True)
class Outcome:
    """``weeks`` are series × weeks replayed; a false alert opened in no labelled window. ``ended`` is the moment up to
    which every warehouse was replayed."""

    alerts: tuple[Alert, ...]
    labelled: tuple[Marked, ...]
    weeks: float
    series: int
    ended: datetime

    @property
    def false_per_week(self) -> float:
        """False alerts per series and week."""
        return sum(alert.label is None for alert in self.alerts) / self.weeks


@contextmanager
def world(folder: Path, settings: Settings, senders: Senders, out: TextIO) -> Iterator[App]:
    """An app over warehouses and YAML written into ``folder``; alerts go to ``out``, and where ``senders`` say."""
    for name in ("city", "store"):
        _load(folder / f"{name}.duckdb", name)
    metrics = folder / "metrics"
    metrics.mkdir()
    if senders.routing_key is not None:
        # By file, because the key may have come by a variable of another name; the folder is ours alone and goes.
        key = folder / _KEY_FILE
        key.touch(mode=0o600)
        key.write_text(senders.routing_key.get_secret_value(), encoding="utf-8")
    (metrics / "demo.yaml").write_text(_yaml(folder, senders), encoding="utf-8")
    changed = {"config": metrics, "state_url": SecretStr(f"sqlite:///{folder / 'state.db'}")}
    app = open_app(settings.model_copy(update=changed))
    terminal: Notifier = Console.printing_to(out)
    app.notifiers = {**app.notifiers, "terminal": terminal}
    try:
        yield app
    finally:
        app.close()


def play(app: App, tell: Tell, weeks: Mapping[str, int] = MappingProxyType(WEEKS)) -> Outcome:
    """Pulls, judges, replays and delivers; returns what fired beside what people had labelled.

    ``weeks`` says how many of the last ones to replay, by subscription; those that are not in it are left out.
    """
    bench = app.bench()
    ends = _pull_all(app, bench, tell)
    incidents: dict[str, Incident] = {}
    for subscription in weeks:
        part = _only(app.config, subscription)
        until = max(ends[name] for name in part.queries)
        since = until - timedelta(weeks=weeks[subscription])
        judged = histories(part, app.store.points, since, until, executor=app.executor)
        tell(f"judging {subscription}", 1.0)
        rows = tuple(row for history in judged for row in history.rows)
        app.store.record(Recording(now=until, judged=rows))
        for step in steps(judged, app.audiences):
            app.store.record(recording(step.decision, (), step.now, None))
            app.deliver(step.now)
            for transition in step.decision.change.transitions:
                if transition.incident is not None:
                    incidents[transition.incident.id] = transition.incident
    outcome = _outcome(app.config, incidents, ends, weeks)
    _look(app, outcome.ended)
    return outcome


def _pull_all(app: App, bench: Bench, tell: Tell) -> dict[str, datetime]:
    ends = {}
    for query in app.config.queries.values():
        last = _end(query.source)
        bench_with = replace(bench, progress=lambda name, done, total: tell(f"pulling {name}", done / max(total, 1)))
        state = QueryState(query.name, query.digest, added=last)
        state, _, error = pull(query, state, app.warehouse(query.source), bench_with, now=last)
        if error or state.watermark is None:
            raise RuntimeError(f"the demo's own warehouse does not answer: {error}")
        app.store.save_query_state(state)
        ends[query.name] = state.watermark
    return ends


def _end(source: str) -> datetime:
    found = max(one.utc_end() for one in sample.series() if _place(one.name)[0] == source)
    return min(found, BLIZZARD) if source == "city" else found


def _only(config: Config, subscription: str) -> Config:
    """The configuration with one subscription and the queries that feed it."""
    kept = config.subscriptions[subscription]
    names = {config.metrics[name].query for name in kept.metrics}
    queries = {name: query for name, query in config.queries.items() if name in names}
    return replace(config, subscriptions={subscription: kept}, queries=queries)


def _outcome(
    config: Config, incidents: Mapping[str, Incident], ends: Mapping[str, datetime], weeks: Mapping[str, int]
) -> Outcome:
    labels = [(label, *_place(label.series)) for label in sample.labels()]
    alerts = []
    for incident in sorted(incidents.values(), key=lambda one: one.opened):
        hits = [label for label, _, metric in labels if _is_of(incident, label, metric) and _within(incident, label)]
        alerts.append(Alert(incident, hits[0] if hits else None))
    marked = []
    for label, source, metric in labels:
        end = next(end for name, end in ends.items() if config.queries[name].source == source)
        if source in weeks and label.end > end - timedelta(weeks=weeks[source]):
            fired = next((alert for alert in alerts if alert.label == label), None)
            marked.append(Marked(metric, label, fired))
    counts = {source: sum(_place(one.name)[0] == source for one in sample.series()) for source in weeks}
    replayed = sum(weeks[source] * count for source, count in counts.items())
    return Outcome(tuple(alerts), tuple(marked), replayed, sum(counts.values()), min(ends.values()))


def _place(series: str) -> tuple[str, str]:
    """Source and metric of a sample series."""
    return _SERIES.get(series, ("store", "store.purchases"))


def _is_of(incident: Incident, label: sample.Label, metric: str) -> bool:
    market = incident.labels.get("market")
    return incident.metric == metric and market in (None, label.series)


def _within(incident: Incident, label: sample.Label) -> bool:
    return label.start <= incident.opened < label.end


def _yaml(folder: Path, senders: Senders) -> str:
    text = (files(sample) / "demo.yaml").read_text(encoding="utf-8").replace("FOLDER", folder.as_posix())
    extra = []
    if senders.slack_channel:
        extra.append(("demo-slack", f"{{slack: {{channel: {senders.slack_channel}}}}}"))
    if senders.routing_key:
        extra.append(("demo-pager", f'{{pagerduty: {{routing_key: "${{file:{(folder / _KEY_FILE).as_posix()}}}"}}}}'))
    lines = "".join(f"\n  {name}: {body}" for name, body in extra)
    names = "".join(f", {name}" for name, _ in extra)
    text = text.replace("  terminal: {console: {}}", f"  terminal: {{console: {{}}}}{lines}")
    return text.replace("[terminal]", f"[terminal{names}]")


def _load(path: Path, source: str) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        if source == "city":
            taxi = sample.series()[0]
            connection.execute(
                "CREATE TABLE rides AS SELECT time::TIMESTAMP AS time, value AS passengers FROM read_csv(?) "
                "WHERE time::TIMESTAMP < ?",
                [str(taxi.path()), BLIZZARD.astimezone(ZoneInfo(taxi.timezone)).replace(tzinfo=None)],
            )
            return
        connection.execute("CREATE TABLE purchases (time TIMESTAMP, market VARCHAR, purchases DOUBLE)")
        for one in sample.series()[1:]:
            connection.execute(
                "INSERT INTO purchases SELECT time::TIMESTAMP, ?, value FROM read_csv(?)", [one.name, str(one.path())]
            )


def attend(app: App, clock: Callable[[], datetime], stopping: threading.Event) -> None:
    """What people do on the dashboard is told, and what time brings about, until ``stopping``."""
    while not stopping.wait(_LOOKS_S):
        _look(app, clock())


def _look(app: App, now: datetime) -> None:
    app.revisit(now)
    app.deliver(now)
