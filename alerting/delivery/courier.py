"""One thread per receiver, for as long as the daemon lives: a slow or dead receiver never delays another."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from alerting.core.backoff import delay
from alerting.delivery.attempt import Clock, Picture, PostOffice, Sketch, no_sketch
from alerting.delivery.pacing import Pacing
from alerting.delivery.round import deliver_next, is_working
from alerting.delivery.timing import USUAL, Timing
from alerting.store import Store, StoreError
from notifiers.contract import Notifier

_STORE_PAUSE_MOST = timedelta(seconds=30)
_LEAST_WAIT_S = 0.02
_log = logging.getLogger(__name__)


class Courier:
    """``start`` it, ``wake`` it when something was recorded, ``stop`` it. It never closes the notifiers."""

    def __init__(
        self,
        store: Store,
        notifiers: Mapping[str, Notifier],
        *,
        clock: Clock,
        picture: Picture,
        timing: Timing = USUAL,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
        sketch: Sketch = no_sketch,
    ) -> None:
        self._store, self._notifiers = store, dict(notifiers)
        self._stopping = threading.Event()
        self._office = PostOffice(
            clock,
            picture,
            timing,
            Pacing(monotonic),
            chance=chance,
            pause=self._stopping.wait,
            is_stopping=self._stopping.is_set,
            sketch=sketch,
        )
        self._bells = {name: threading.Event() for name in self._notifiers}
        self._beats = dict.fromkeys(self._notifiers, clock())
        self._threads = [
            threading.Thread(target=self._run, args=(name,), name=f"courier {name}", daemon=True)
            for name in self._notifiers
        ]

    def start(self) -> None:
        """Deliveries to receivers that are not configured any more are dead from here on. Raises StoreError."""
        self._store.outbox.bury_removed(tuple(self._notifiers), self._office.clock())
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: timedelta = timedelta(seconds=10)) -> bool:
        """Claims nothing more; what is being sent is finished, what is not sent yet is released.

        False where a receiver did not come back in time: its delivery is looked for after the next start.
        """
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + timeout.total_seconds()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self, receiver: str | None = None) -> None:
        """Looks into the outbox at once."""
        for bell in self._bells.values() if receiver is None else (self._bells[receiver],):
            bell.set()

    def heartbeats(self) -> dict[str, datetime]:
        """When each receiver's thread was last seen alive; one that is sending is as old as its attempt."""
        return dict(self._beats)

    def _run(self, receiver: str) -> None:
        notifier, failures = self._notifiers[receiver], 0
        while not self._stopping.is_set():
            self._beats[receiver] = self._office.clock()
            self._bells[receiver].clear()  # before looking: a bell that rings while we look is heard afterwards
            try:
                wait_s = self._step(receiver, notifier)
                failures = 0
            except StoreError as exc:
                # Nothing is lost: what was sent and could not be settled is looked for when the store is back.
                failures += 1
                wait_s = delay(failures, self._office.chance(), most=_STORE_PAUSE_MOST).total_seconds()
                _log.warning("delivery paused receiver=%s reason=%s", receiver, exc)
            if wait_s > 0:
                self._bells[receiver].wait(wait_s)

    def _step(self, receiver: str, notifier: Notifier) -> float:
        """Delivers one; how long to sleep then, in seconds."""
        if is_working(self._store, self._office, receiver, notifier) and deliver_next(
            self._store, self._office, receiver, notifier
        ):
            return 0.0
        poll = self._office.timing.poll
        due = self._store.outbox.next_due(receiver, grace=self._office.timing.grace)
        wait = poll if due is None else min(due - self._office.clock(), poll)
        return max(wait.total_seconds(), _LEAST_WAIT_S)
