"""Is the scheduler alive? Told by the daemon, asked by the health page; neither knows the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pulse:
    """``beat`` and ``age_s`` may be called from any thread. A pulse that never beat is as old as itself."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last = monotonic()

    def beat(self) -> None:
        with self._lock:
            self._last = self._monotonic()

    def age_s(self) -> float:
        """Seconds since the last beat."""
        with self._lock:
            return self._monotonic() - self._last
