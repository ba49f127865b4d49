"""Token buckets: how fast each channel or routing key takes messages, whoever sends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from notifiers.contract import Pace


class Pacing:
    """Shared by all receivers of a process: two receivers on one channel share its pace."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def needed_s(self, pace: Pace | None) -> float:
        """How long whoever sends now would have to wait, in seconds; takes nothing."""
        with self._lock:
            return 0.0 if pace is None else self._wait_s(pace, self._monotonic())

    def take_s(self, pace: Pace | None) -> float:
        """Takes the next place in the row; how long to wait for it, in seconds."""
        if pace is None:
            return 0.0
        with self._lock:
            now = self._monotonic()
            wait = self._wait_s(pace, now)
            self._full_at[pace.scope] = max(self._full_at.get(pace.scope, now), now) + 1 / pace.per_second
            return wait

    def _wait_s(self, pace: Pace, now: float) -> float:
        # The bucket is full again at ``full_at``; each token missing from it is 1 / per_second further away.
        missing = max(self._full_at.get(pace.scope, now) - now, 0.0) * pace.per_second
        return max(missing - (pace.burst - 1), 0.0) / pace.per_second
