"""The daemon: APScheduler only ticks, pools per warehouse do the work, a supervisor watches the ticking."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from watchfiles import watch

from alerting.app import App
from alerting.app.heartbeat import beat
from alerting.buttons import Actions, Buttons
from alerting.delivery import Courier
from alerting.store import StoreError
from alerting.telemetry import logger
from notifiers.slack.socket_mode import SocketMode, tell

_log = logger("daemon")
TICK = timedelta(seconds=1)
HEARTBEAT_OLD_S = 30.0
REBUILDS = 3
REBUILDS_WITHIN_S = 600.0
CLOCK_JUMP_S = 5.0
TIDY_EVERY = timedelta(hours=1)
STOP_WITHIN_S = 10.0
HEARTBEAT_EVERY_S = 60.0
BROKEN_WAITS = timedelta(minutes=1)


class Ticking(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires now and then: ticks that were missed are not counted one by one, which takes minutes after a long sleep."""

    def __init__(self, every: timedelta) -> None:
        self._every = every

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        return now if previous is None else max(previous, now) + self._every


class Daemon:
    """``run`` returns the exit code when it is told to stop, or when its scheduler cannot be kept alive."""

    def __init__(
        self,
        app: App,
        *,
        actions: Actions | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app, self._clock = app, clock
        self._buttons = self._listener(actions) if actions else None
        self._stopping = app.stopping
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._running: dict[str, Future[None]] = {}
        self._broken_until: dict[str, datetime] = {}
        self._courier = app.courier(clock)
        self._emergency = app.emergency()
        self._reloading = threading.Lock()
        self._tidied: datetime | None = None
        self._clocks = (clock(), time.monotonic())
        self._all_are_due = threading.Event()

    def run(self) -> int:
        """Until SIGTERM, SIGINT or a scheduler that keeps dying; 0 or 1."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self._courier.start()
        if self._buttons:
            self._buttons.start()
        watcher = threading.Thread(target=self._watch_files, name="config watcher", daemon=True)
        watcher.start()
        if self._app.settings.heartbeat_url is not None:
            threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        _log.info(
            "watching",
            queries=len(self._app.config.queries),
            subscriptions=len(self._app.config.subscriptions),
            receivers=len(self._app.config.receivers),
        )
        code = self._supervise()
        self._stop()
        return code

    def _listener(self, actions: Actions) -> Buttons | None:
        """What listens to buttons in Slack; None without an app token, and where nothing may be sent."""
        settings = self._app.settings
        if settings.slack_app_token is None or settings.mute:
            return None
        dial = SocketMode(settings.slack_app_token, settings.slack_base_url).open
        return Buttons(dial, actions, clock=self._clock, tell=tell, changed=lambda: self._courier.wake())

    def _supervise(self) -> int:
        """Outside APScheduler, because that one can die while it says that it runs."""
        scheduler, rebuilds = self._scheduler(), deque[float](maxlen=REBUILDS)
        while not self._stopping.wait(1.0):
            if self._clock_jumped():
                scheduler.shutdown(wait=False)  # set back, it would wait for the time at which it wanted to tick
                scheduler = self._scheduler()
                self._broken_until.clear()
                self._all_are_due.set()
            if self._app.pulse.age_s() <= HEARTBEAT_OLD_S:
                continue
            if len(rebuilds) == REBUILDS and time.monotonic() - rebuilds[0] < REBUILDS_WITHIN_S:
                _log.error("scheduler keeps dying", rebuilds=REBUILDS, within_s=REBUILDS_WITHIN_S)
                self._stopping.set()
                scheduler.shutdown(wait=False)
                return 1
            rebuilds.append(time.monotonic())
            _log.error("scheduler rebuilt", heartbeat_age_s=round(self._app.pulse.age_s(), 1))
            scheduler.shutdown(wait=False)
            self._app.pulse.beat()
            scheduler = self._scheduler()
        scheduler.shutdown(wait=False)
        return 0

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(timezone=UTC, daemon=True)
        scheduler.add_job(
            self._tick,
            Ticking(TICK),
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
            next_run_time=self._clock(),
        )
        scheduler.start()
        return scheduler

    def _tick(self) -> None:
        now = self._clock()
        try:
            if self._emergency.is_on:
                self._app.store.prove_writable()
                self._emergency.works(now)
            if self._app.revisit(now):
                self._courier.wake()
            is_all = self._all_are_due.is_set()
            self._all_are_due.clear()
            for name in self._app.due(now, {} if is_all else None):
                if self._broken_until.get(name, now) <= now:
                    self._submit(name)
            self._tidy(now)
            if self._app.judge_receivers(now):
                self._courier.wake()
        except StoreError as exc:
            # The state does not answer: evaluation pauses, and everything overdue is evaluated when it is back.
            _log.warning("evaluation paused", reason=str(exc))
            self._emergency.failed(str(exc), now)
        except Exception:  # noqa: BLE001  # what keeps running: the ticking; the next tick tries again
            _log.exception("tick failed")
        self._app.pulse.beat()

    def _submit(self, name: str) -> None:
        if self._stopping.is_set() or (name in self._running and not self._running[name].done()):
            return
        source = self._app.config.sources[self._app.config.queries[name].source]
        pool = self._pools.get(source.name)
        if pool is None:
            pool = ThreadPoolExecutor(max_workers=source.concurrency, thread_name_prefix=f"source {source.name}")
            self._pools[source.name] = pool
        self._running[name] = pool.submit(self._evaluate, name)

    def _evaluate(self, name: str) -> None:
        try:
            if self._stopping.is_set() or name not in self._app.config.queries:
                return
            found = self._app.evaluate(name, self._clock())
            if found.error:
                _log.warning("pull failed", query=name, failures=found.state.failures, reason=found.error)
            if found.decision.deliveries:
                self._courier.wake()
        except StoreError as exc:
            _log.warning("evaluation paused", query=name, reason=str(exc))
            self._emergency.failed(str(exc), self._clock())
        except Exception:  # noqa: BLE001  # what keeps running: the other queries; this one is tried again in a minute
            _log.exception("evaluation failed", query=name)
            self._broken_until[name] = self._clock() + BROKEN_WAITS

    def _tidy(self, now: datetime) -> None:
        """In a thread of its own: packing a large store takes longer than a heartbeat may be old."""
        if self._tidied is None:
            self._tidied = now
        elif now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            threading.Thread(target=self._expire, args=(now,), name="tidy", daemon=True).start()

    def _expire(self, now: datetime) -> None:
        try:
            self._app.expire(now)
        except StoreError as exc:
            _log.warning("tidying paused", reason=str(exc))

    def _clock_jumped(self) -> bool:
        """True where the wall clock moved otherwise than time did: what was due by the old one is not known."""
        wall, monotonic = self._clock(), time.monotonic()
        jumped_s = (wall - self._clocks[0]).total_seconds() - (monotonic - self._clocks[1])
        self._clocks = (wall, monotonic)
        if abs(jumped_s) > CLOCK_JUMP_S:
            _log.warning("clock jumped", by_s=round(jumped_s, 1))
        return abs(jumped_s) > CLOCK_JUMP_S

    def _beat(self) -> None:
        while not self._stopping.wait(HEARTBEAT_EVERY_S):
            try:
                beat(self._app, self._courier.heartbeats(), self._clock())
            except StoreError as exc:
                _log.warning("heartbeat withheld", reason=str(exc))
            except Exception:  # noqa: BLE001  # what keeps running: this loop; a minute without a beat is told outside
                _log.exception("heartbeat failed")

    def _watch_files(self) -> None:
        folder = self._app.settings.config
        while not self._stopping.is_set():
            if not folder.is_dir():
                self._stopping.wait(5.0)
                continue
            for _ in watch(folder, stop_event=self._stopping, watch_filter=None, rust_timeout=1000):
                self._reload()

    def _reload(self) -> None:
        try:
            with self._reloading:
                before, receivers = self._courier, dict(self._app.config.receivers)
                self._app.reload(self._clock())
                if dict(self._app.config.receivers) != receivers:
                    before.stop()
                    self._courier = self._started(self._app.courier(self._clock))
                self._courier.wake()
            _log.info("configuration loaded", problems=len(self._app.loaded.errors))
        except StoreError as exc:
            _log.warning("reload paused", reason=str(exc))
        except Exception:  # noqa: BLE001  # what keeps running: everything, with the configuration of before
            _log.exception("reload failed")

    @staticmethod
    def _started(courier: Courier) -> Courier:
        courier.start()
        return courier

    def _stop(self) -> None:
        """Claims and pulls nothing more; what does not come back within ten seconds is left to the next start."""
        _log.info("stopping")
        deadline = time.monotonic() + STOP_WITHIN_S
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        is_done = self._buttons is None or self._buttons.stop()
        is_done = self._courier.stop(timedelta(seconds=STOP_WITHIN_S)) and is_done
        for future in list(self._running.values()):
            while not future.done() and time.monotonic() < deadline:
                self._pause()
            is_done = is_done and future.done()
        _log.info("stopped", everything_came_back=is_done)
        if not is_done:
            os._exit(0)  # a thread that hangs in a driver would keep the process alive; its work is found again

    @staticmethod
    def _pause() -> None:
        time.sleep(0.05)
