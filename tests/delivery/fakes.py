"""Receivers that do as they are told, and a clock that stands still."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import PrivateAttr

from notifiers.contract import Notification, Notifier, Pace, Receipt
from notifiers.errors import CannotLook, DeliveryError

Step = Exception | None


class FakeClock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> datetime:
        self.now += by
        return self.now


class Fake(Notifier):
    """Keeps every message that arrives. ``plan`` says how the next attempts end; when it is used up they succeed.

    An Ambiguous in the plan arrives first where ``arrives_anyway``, as when the answer is lost.
    """

    wants_chart: ClassVar[bool] = True

    arrives_anyway: bool = False
    can_look: bool = True
    speed: Pace | None = None
    _plan: deque[Step] = PrivateAttr(default_factory=deque)
    _probes: deque[Step] = PrivateAttr(default_factory=deque)
    _arrived: list[Notification] = PrivateAttr(default_factory=list)
    _attempts: list[str] = PrivateAttr(default_factory=list)
    _on_send: Callable[[Notification], object] | None = PrivateAttr(default=None)
    _news: threading.Condition = PrivateAttr(default_factory=threading.Condition)

    def planned(self, *steps: Step) -> Fake:
        self._plan.extend(steps)
        return self

    def probed(self, *steps: Step) -> Fake:
        self._probes.extend(steps)
        return self

    def calling(self, on_send: Callable[[Notification], object]) -> Fake:
        self._on_send = on_send
        return self

    @property
    def arrived(self) -> list[Notification]:
        return self._arrived

    @property
    def said(self) -> list[str]:
        return [f"{one.kind} {one.group_id}" for one in self._arrived]

    @property
    def attempts(self) -> list[str]:
        """``send``, ``find`` and ``probe`` in their order."""
        return self._attempts

    def wait_for(self, arrived: int, timeout_s: float = 20) -> bool:
        with self._news:
            return self._news.wait_for(lambda: len(self._arrived) >= arrived, timeout_s)

    def wait_for_attempts(self, number: int, timeout_s: float = 20) -> bool:
        with self._news:
            return self._news.wait_for(lambda: len(self._attempts) >= number, timeout_s)

    def send(self, notification: Notification) -> Receipt:
        if self._on_send is not None:
            self._on_send(notification)
        step = self._plan.popleft() if self._plan else None
        with self._news:
            self._attempts.append("send")
            if step is None or self.arrives_anyway:
                self._arrived.append(notification)
            self._news.notify_all()
        if step is not None:
            raise step
        return Receipt(remote_id=notification.remote_id or f"root:{notification.group_id}")

    def find(self, notification: Notification) -> Receipt | None:
        with self._news:
            self._attempts.append("find")
            self._news.notify_all()
        if not self.can_look:
            raise CannotLook("no history here")
        if any(one.delivery_id == notification.delivery_id for one in self._arrived):
            return Receipt(remote_id=f"root:{notification.group_id}")
        return None

    def probe(self) -> None:
        with self._news:
            self._attempts.append("probe")
            self._news.notify_all()
        step = self._probes.popleft() if self._probes else None
        if step is not None:
            raise step

    @property
    def pace(self) -> Pace | None:
        return self.speed


class Pager(Fake):
    """Sending twice has the effect of once, and a resolve may have to be said again."""

    is_idempotent: ClassVar[bool] = True
    closes_again: ClassVar[bool] = True


def refused(message: str = "connection refused") -> DeliveryError:
    from notifiers.errors import NotSent

    return NotSent(message)


def no_picture(_: Notification) -> bytes | None:
    return None
