"""Deliver everything that can be delivered now, then return: for ``once`` and ``demo``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from alerting.delivery.attempt import Clock, Picture, PostOffice, Sketch, no_sketch
from alerting.delivery.round import Attempted, deliver_next, is_working
from alerting.delivery.timing import USUAL, Timing
from alerting.store import Again, Dead, Parked, Sent, Store
from notifiers.contract import Notifier


@dataclass(frozen=True)
class DeliveryReport:
    """Every attempt of a drain, receiver by receiver; ``removed``: deliveries to receivers that are gone."""

    attempts: tuple[Attempted, ...] = ()
    removed: int = 0

    @property
    def sent(self) -> int:
        return sum(isinstance(one.outcome, Sent) for one in self.attempts)

    @property
    def failed(self) -> tuple[Attempted, ...]:
        """Those that will be tried again, wait for their receiver, or are dead."""
        return tuple(one for one in self.attempts if isinstance(one.outcome, Again | Parked | Dead))


def drain(
    store: Store,
    notifiers: Mapping[str, Notifier],
    *,
    now: datetime | Clock,
    picture: Picture,
    ignore_waits: bool = False,
    timing: Timing = USUAL,
    chance: Callable[[], float] = random.random,
    pause: Callable[[float], object] = time.sleep,
    sketch: Sketch = no_sketch,
) -> DeliveryReport:
    """Until nothing can be sent. A delivery that fails is tried once; receivers do not wait for each other.

    ``ignore_waits``: the caller holds the state for itself and will be gone soon, so group waits, back-off, and the
    leases and grace of processes that are gone count as passed. Raises StoreError.
    """
    clock: Clock = (lambda: now) if isinstance(now, datetime) else now
    office = PostOffice(clock, picture, timing, chance=chance, pause=pause, sketch=sketch)
    removed = store.outbox.bury_removed(tuple(notifiers), clock(), ignore_leases=ignore_waits)

    def emptied(receiver: str) -> list[Attempted]:
        return _empty(store, office, receiver, notifiers[receiver], ignore_waits)

    with ThreadPoolExecutor(max_workers=max(len(notifiers), 1), thread_name_prefix="drain") as threads:
        attempts = [one for found in threads.map(emptied, notifiers) for one in found]
    return DeliveryReport(tuple(attempts), removed)


def _empty(store: Store, office: PostOffice, receiver: str, notifier: Notifier, ignore_waits: bool) -> list[Attempted]:
    attempts: list[Attempted] = []
    tried: set[str] = set()
    if not is_working(store, office, receiver, notifier, ignore_waits=ignore_waits):
        return attempts
    while one := deliver_next(store, office, receiver, notifier, ignore_waits=ignore_waits, but=tried):
        attempts.append(one)
        if not isinstance(one.outcome, Sent):
            tried.add(one.delivery_id)
        if isinstance(one.outcome, Again) and one.outcome.receiver_waits_until is not None:
            break  # it asked for silence just now, and that is no wait of a process that is gone
    return attempts
