"""The state database does not answer: people are told without it, once until it is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from alerting.delivery.attempt import tried
from alerting.delivery.own import own_notification
from notifiers.contract import Kind, Notification, Notifier, Receipt
from notifiers.errors import Ambiguous, DeliveryError

AFTER = timedelta(seconds=30)
AGAIN = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class Emergency:
    """``failed`` where the state refuses, ``works`` where it took a write; from any thread, and neither ever waits.

    Whoever sends is handed the work (a thread of its own in the daemon), because a receiver may take long to answer.
    """

    def __init__(
        self,
        receivers: Callable[[], Mapping[str, Notifier]],
        *,
        after: timedelta = AFTER,
        hand_over: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._receivers, self._after = receivers, after
        self._hand_over = hand_over or _in_a_thread
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._since: datetime | None = None
        self._tried: datetime | None = None
        self._told: dict[str, Receipt] = {}

    @property
    def is_on(self) -> bool:
        """True from the first failure until the state took a write."""
        with self._lock:
            return self._since is not None

    def failed(self, reason: str, now: datetime) -> None:
        """A message goes out once this has lasted; a receiver that was not reached is tried again each minute."""
        with self._lock:
            self._since = since = self._since or now
            is_early = now - since < self._after or (self._tried is not None and now - self._tried < AGAIN)
            if is_early:
                return
            self._tried = now
        self._hand_over(lambda: self._tell(_notification("trigger", since, now, reason)))

    def works(self, now: datetime) -> None:
        """Who was told is told of the end."""
        with self._lock:
            since, self._since, self._tried = self._since, None, None
        if since is not None:
            self._hand_over(lambda: self._end(_notification("resolve", since, now, "the state answers again")))

    def _tell(self, notification: Notification) -> None:
        with self._sending:
            for name, notifier in self._receivers().items():
                if name not in self._told:
                    self._send(name, notifier, notification)

    def _end(self, notification: Notification) -> None:
        with self._sending:
            for name, notifier in self._receivers().items():
                if name in self._told:
                    root = {"remote_id": self._told.pop(name).remote_id}
                    self._send(name, notifier, notification.model_copy(update=root))
            self._told.clear()

    def _send(self, name: str, notifier: Notifier, notification: Notification) -> None:
        answer = tried(lambda: notifier.send(notification.model_copy(update={"receiver": name})))
        if isinstance(answer, Receipt) and notification.kind == "trigger":
            self._told[name] = answer
        elif isinstance(answer, Ambiguous) and notification.kind == "trigger":
            self._told[name] = Receipt()  # perhaps it arrived: told twice would be worse than an end without a message
        if isinstance(answer, Exception):
            reason = str(answer) if isinstance(answer, DeliveryError) else type(answer).__name__
            _log.warning("emergency not told receiver=%s reason=%s", name, reason)


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="emergency", daemon=True).start()


def _notification(kind: Kind, since: datetime, now: datetime, reason: str) -> Notification:
    said = reason if kind == "resolve" else f"cannot watch anything: {reason}"
    return own_notification(kind, "state", said, title="metricwatch", severity="critical", since=since, now=now)
