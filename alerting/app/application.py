"""One object that holds what a running metricwatch holds, and opens and closes it in one place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from alerting.app import canary
from alerting.app.actions import Actions
from alerting.app.ailing import ReceiverWatch, out_of_order, undelivered
from alerting.app.pictures import chart_of, spark_of
from alerting.app.pulse import Pulse
from alerting.app.receivers import MUTED, open_notifiers
from alerting.app.revisiting import Revisits
from alerting.app.rules import judge_files, keep_texts, retire_removed
from alerting.bench import Bench, Progress
from alerting.core.audiences import Audience, audience_of_file, audience_of_receiver, audiences, on_error_receivers
from alerting.core.health import QueryState, ReceiverKind, due
from alerting.delivery import Courier, DeliveryReport, Emergency, drain
from alerting.judging import open_executor
from alerting.pipeline import Evaluation, Refused, evaluate
from alerting.store import Store, open_store
from alerting.telemetry import logger
from alerting.warehouse import SourceError, Warehouse, open_warehouse
from config.loader import Loaded, load
from config.model import Config
from config.settings import Settings

if TYPE_CHECKING:
    from notifiers.contract import Notification, Notifier, Spark

Clock = Callable[[], datetime]
_log = logger("app")


class BadConfig(Exception):
    """Nothing can be watched: the folder has mistakes and no earlier text of it is known. The message lists them."""


class App:
    """What commands, pages and the daemon share. Methods raise StoreError where the state does not answer."""

    def __init__(self, settings: Settings, store: Store, loaded: Loaded, executor: Executor) -> None:
        self.settings = settings
        self.store = store
        self.executor = executor
        self.pulse = Pulse()
        self.stopping = threading.Event()
        self.progress: Progress | None = None
        self._receivers = (
            ReceiverWatch("receiver", out_of_order),
            ReceiverWatch("undelivered", undelivered),
            ReceiverWatch("canary", canary.overdue),
        )
        self._deciding = threading.Lock()
        self._revisits = Revisits()
        self._warehouses: dict[str, Warehouse] = {}
        self._opening = threading.Lock()
        self._use(loaded)
        self.notifiers: Mapping[str, Notifier] = open_notifiers(loaded.config, settings)

    @property
    def config(self) -> Config:
        return self.loaded.config

    def bench(self) -> Bench:
        """What an evaluation works with, as things are now."""
        return Bench(
            config=self.config,
            store=self.store,
            audiences=self.audiences,
            executor=self.executor,
            deciding=self._deciding,
            cancel=self.stopping,
            progress=self.progress,
        )

    def adopt_config(self, now: datetime) -> None:
        """What is loaded takes effect: texts are kept, incidents of rules that are gone end, bad files are told.

        Call it while holding the state exclusively, after opening and after each ``reload``.
        """
        keep_texts(self.store, self.loaded, now)
        self._unmute(now)
        self.store.outbox.set_fallbacks(self._fallbacks(), now)
        bench = self.bench()
        with self._deciding:
            retire_removed(bench, now)
            judge_files(bench, self.loaded, now)

    def reload(self, now: datetime) -> None:
        """The folder as it is now, last good texts where it is bad; running evaluations end with what they began."""
        loaded = load_config(self.settings, self.store)
        _warn(loaded.problems)
        receivers = dict(self.config.receivers)
        self._use(loaded)
        if dict(loaded.config.receivers) != receivers:  # else their connections would be left open at each reload
            self.notifiers = open_notifiers(loaded.config, self.settings)
        self.adopt_config(now)

    @property
    def actions(self) -> Actions:
        """What people do to incidents."""
        return Actions(self.bench)

    def revisit(self, now: datetime) -> bool:
        """What time alone brings about is planned: ends of silences and mute windows, reminders. True where it was.

        Call it while holding the state exclusively.
        """
        return self._revisits.visit(self.bench(), now)

    def due(self, now: datetime, known: Mapping[str, QueryState] | None = None) -> list[str]:
        """The queries to evaluate now, most overdue first."""
        states = self.store.query_states() if known is None else known
        moments = {
            name: due(query, states[name], now) if name in states and states[name].digest == query.digest else now
            for name, query in self.config.queries.items()
            if self.config.watched(name)
        }
        return sorted((name for name, at in moments.items() if at <= now), key=lambda name: (moments[name], name))

    def evaluate(self, name: str, now: datetime) -> Evaluation:
        """One query, from its warehouse to recorded decisions."""
        bench = self.bench()
        query = bench.config.queries[name]
        try:
            warehouse: Warehouse | Refused = self.warehouse(query.source)
        except SourceError as exc:
            warehouse = Refused(exc)
        found = evaluate(query, warehouse, bench, now=now)
        if bench.config is not self.config:
            # It was loaded anew meanwhile: what has just opened may belong to a rule that is gone.
            with self._deciding:
                retire_removed(self.bench(), now)
        return found

    def warehouse(self, source: str) -> Warehouse:
        """The open warehouse of a source. Raises SourceError."""
        with self._opening:
            if source not in self._warehouses:
                self._warehouses[source] = open_warehouse(self.config.sources[source])
            return self._warehouses[source]

    def deliver(self, now: datetime | Clock) -> DeliveryReport:
        """Everything that is owed goes out; waits count as passed, because the caller will be gone soon."""
        return drain(
            self.store,
            self.notifiers,
            now=now,
            picture=self.picture,
            sketch=self.sketch,
            ignore_waits=True,
            after_round=self.judge_receivers,
        )

    def judge_receivers(self, now: datetime) -> bool:
        """One health incident for each receiver that is out of order, that was not told something, or that the canary
        did not reach.

        True where somebody is owed a notice of it.
        """
        if self.settings.mute:
            return False
        with self._deciding:
            owed = [one.judge(self.bench(), now) for one in self._receivers]
        return any(owed)

    def emergency(self) -> Emergency:
        """Tells the receivers of health incidents when the state itself does not answer."""
        return Emergency(self._told_of_health)

    def courier(self, clock: Clock) -> Courier:
        return Courier(self.store, self.notifiers, clock=clock, picture=self.picture, sketch=self.sketch)

    def picture(self, notification: Notification) -> bytes | None:
        return chart_of(notification, self.bench())

    def sketch(self, notification: Notification) -> Spark | None:
        return spark_of(notification, self.bench())

    def expire(self, now: datetime) -> None:
        """Retention, and packing of old points."""
        gone = self.store.expire(now, {query.digest: query.history for query in self.config.queries.values()})
        packed = self.store.points.seal(now)
        _log.info("store tidied", packed=packed, **{name: value for name, value in vars(gone).items() if value})

    def close(self) -> None:
        self.stopping.set()
        for warehouse in self._warehouses.values():
            warehouse.close()
        for notifier in self.notifiers.values():
            notifier.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    def _unmute(self, now: datetime) -> None:
        """A receiver that was only muted is not out of order: it is told at once, and nobody hears that it was."""
        for state in () if self.settings.mute else self.store.outbox.receivers_in_trouble():
            if MUTED in state.reason:
                self.store.outbox.receiver_works(state.name, now)

    def _fallbacks(self) -> dict[str, str]:
        """Muted, nobody is told anything: neither a receiver nor its fallback."""
        named = {name: receiver.fallback for name, receiver in self.config.receivers.items() if receiver.fallback}
        return {} if self.settings.mute else named

    def _told_of_health(self) -> dict[str, Notifier]:
        names = () if self.settings.mute else on_error_receivers(self.config)
        return {name: self.notifiers[name] for name in names if name in self.notifiers}

    def _use(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.audiences: Mapping[str, Audience] = _audiences(loaded, self.settings)
        with self._opening:
            for name, warehouse in list(self._warehouses.items()):
                if self.config.sources.get(name) != warehouse.source:
                    self._warehouses.pop(name)  # whoever still pulls from it goes on; the next pull opens the new one


def open_app(settings: Settings, *, may_be_broken: bool = False) -> App:
    """Opens state and configuration.

    Raises StoreError, BadConfig, UnknownExecutor. ``may_be_broken``: for commands that only read the state, a folder
    without one good text counts as empty.
    """
    executor = open_executor(settings.executor)
    store = open_store(settings.state_url.get_secret_value())
    try:
        loaded = load_config(settings, store)
        if loaded.errors and not loaded.config.queries and not may_be_broken:
            raise BadConfig("\n".join(map(str, loaded.errors)))
        _warn(loaded.problems)
    except BaseException:
        store.close()
        raise
    return App(settings, store, loaded, executor)


def load_config(settings: Settings, store: Store) -> Loaded:
    """The folder, with the last good texts that the store kept."""
    kept = {path: file.text for path, file in store.config_files.all().items()}
    return load(settings.config, last_good=kept, environment=os.environ)


def _warn(problems: Sequence[object]) -> None:
    for problem in problems:
        _log.warning("configuration", problem=str(problem))


def _audiences(loaded: Loaded, settings: Settings) -> dict[str, Audience]:
    found = audiences(loaded.config, public_url=settings.public_url)
    told = on_error_receivers(loaded.config)
    more = [audience_of_file(problem.path, told, public_url=settings.public_url) for problem in loaded.errors]
    kinds: tuple[ReceiverKind, ...] = ("receiver", "undelivered", "canary")
    more += [
        audience_of_receiver(name, told, kind, public_url=settings.public_url)
        for name in loaded.config.receivers
        for kind in kinds
    ]
    found |= {audience.subject: audience for audience in more}
    if settings.mute:
        return {subject: replace(audience, mute=f"not sent: {MUTED}") for subject, audience in found.items()}
    return found
