"""Deliver everything that can be delivered now, then return: for ``once`` and ``demo``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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


def _nothing(_: datetime) -> bool:
    """Records nothing more."""
    return False


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
    after_round: Callable[[datetime], bool] = _nothing,
) -> DeliveryReport:
    """Until nothing can be sent. A delivery that fails is tried once; receivers do not wait for each other.

    ``ignore_waits``: the caller holds the state for itself and will be gone soon, so group waits, back-off, and the
    leases and grace of processes that are gone count as passed. ``after_round`` is called when every receiver has
    nothing left; True: it recorded more. Raises StoreError.
    """
    clock: Clock = (lambda: now) if isinstance(now, datetime) else now
    office = PostOffice(clock, picture, timing, chance=chance, pause=pause, sketch=sketch)
    removed = store.outbox.bury_removed(tuple(notifiers), clock(), ignore_leases=ignore_waits)

    rounds = {receiver: _Round(store, office, receiver, notifiers[receiver], ignore_waits) for receiver in notifiers}
    attempts: list[Attempted] = []
    with ThreadPoolExecutor(max_workers=max(len(notifiers), 1), thread_name_prefix="drain") as threads:
        is_handed_over = True
        while is_handed_over:
            found = [one for made in threads.map(_Round.empty, rounds.values()) for one in made]
            attempts += found
            # What one could not deliver may have gone to the fallback of one that was done by then.
            is_handed_over = after_round(clock()) or any(isinstance(one.outcome, Parked | Dead) for one in found)
    return DeliveryReport(tuple(attempts), removed)


@dataclass
class _Round:
    """One receiver: what failed is not tried twice, and whoever refuses or asks for silence is left alone."""

    store: Store
    office: PostOffice
    receiver: str
    notifier: Notifier
    ignore_waits: bool
    tried: set[str] = field(default_factory=set)
    is_over: bool = False

    def empty(self) -> list[Attempted]:
        """Until nothing can be sent."""
        attempts: list[Attempted] = []
        if not self.is_over:
            place = (self.store, self.office, self.receiver, self.notifier)
            self.is_over = not is_working(*place, ignore_waits=self.ignore_waits)
        while not self.is_over:
            one = deliver_next(*place, ignore_waits=self.ignore_waits, but=self.tried)
            if one is None:
                break
            attempts.append(one)
            if not isinstance(one.outcome, Sent):
                self.tried.add(one.delivery_id)
            asks_for_silence = isinstance(one.outcome, Again) and one.outcome.receiver_waits_until is not None
            self.is_over = asks_for_silence or isinstance(one.outcome, Parked)
        return attempts
