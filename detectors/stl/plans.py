"""Plans that were made once and are used again: what of a recipe does not depend on the values."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar


class Sized(Protocol):
    @property
    def size_bytes(self) -> int: ...


Plan = TypeVar("Plan", bound=Sized)


class Shelf:
    """Keeps what was used last, up to ``limit_bytes``; an answer never depends on whether it was still there."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[Hashable, Sized] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        with self._lock:
            return sum(plan.size_bytes for plan in self._kept.values())

    def plan(self, kind: type[Plan], key: Hashable, make: Callable[[], Plan]) -> Plan:
        """The plan of this kind and key, made now if it is not there. A plan beyond the limit is not kept."""
        with self._lock:
            found = self._kept.get((kind, key))
            if isinstance(found, kind):
                self._kept.move_to_end((kind, key))
                return found
        made = make()  # outside the lock: two threads may both make it, nobody waits
        if made.size_bytes <= self._limit_bytes:
            with self._lock:
                self._kept[(kind, key)] = made
                self._forget()
        return made

    def _forget(self) -> None:
        size = sum(plan.size_bytes for plan in self._kept.values())
        while size > self._limit_bytes:
            _, oldest = self._kept.popitem(last=False)
            size -= oldest.size_bytes


SHELF = Shelf(256 * 2**20)
