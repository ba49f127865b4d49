"""A deadline that holds even where a driver does not: ask, then cut the wire, then walk away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

GRACE_S = 3.0
"""How long a driver may take to come back after it was cancelled, and again after its connection was cut."""
_LOOK_S = 0.1


class Overdue(Exception):
    """The work did not end in time. ``why``: the deadline passed, or somebody asked to stop.

    ``is_abandoned``: its thread never came back and may live on.
    """

    def __init__(self, why: Literal["deadline", "stopped"], is_abandoned: bool) -> None:
        super().__init__(why)
        self.why = why
        self.is_abandoned = is_abandoned


class _Outcome(Generic[T]):
    """Carries the result of the worker, or its exception, over to the caller."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.results: list[T] = []
        self.error: BaseException | None = None

    def __enter__(self) -> _Outcome[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        self.done.set()
        return True


def within(
    limit_s: float,
    work: Callable[[], T],
    *,
    cancel: Callable[[], None],
    sever: Callable[[], None],
    stop: threading.Event | None = None,
    grace_s: float = GRACE_S,
) -> T:
    """What ``work`` returns or raises, if it ends within ``limit_s``; else Overdue, at most two graces later.

    ``cancel`` asks the driver to give up and ``sever`` cuts its connection; both run in the caller's thread. The
    worker is a daemon thread: one that never comes back does not keep the program from ending.
    """
    outcome: _Outcome[T] = _Outcome()

    def run() -> None:
        with outcome:
            outcome.results.append(work())

    threading.Thread(target=run, name="metricwatch-pull", daemon=True).start()
    why = _wait(outcome.done, limit_s, stop)
    if why is None:
        return _unwrap(outcome)
    for give_up in (cancel, sever):
        give_up()
        if outcome.done.wait(grace_s):
            raise Overdue(why, is_abandoned=False) from outcome.error
    raise Overdue(why, is_abandoned=True)


def _wait(done: threading.Event, limit_s: float, stop: threading.Event | None) -> Literal["deadline", "stopped"] | None:
    if stop is None:
        return None if done.wait(limit_s) else "deadline"
    end = time.monotonic() + limit_s
    while not done.wait(min(_LOOK_S, max(0.0, end - time.monotonic()))):
        if stop.is_set():
            return "stopped"
        if time.monotonic() >= end:
            return None if done.is_set() else "deadline"
    return None


def _unwrap(outcome: _Outcome[T]) -> T:
    if outcome.error is not None:
        raise outcome.error
    return outcome.results[0]
