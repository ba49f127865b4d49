"""A test message to one receiver, and its end: past the outbox, under a key of its own."""

from __future__ import annotations

from datetime import datetime

from alerting.delivery.attempt import tried
from alerting.delivery.own import own_notification
from notifiers.contract import Kind, Notification, Notifier, Receipt
from notifiers.errors import DeliveryError


def send_trial(receiver: str, notifier: Notifier, now: datetime) -> str:
    """Why the receiver cannot be told; empty: it was told, and the message is marked as over.

    The end is sent after an error too: what seemed to fail may have arrived.
    """
    opened = tried(lambda: notifier.send(_notification("trigger", receiver, now)))
    root = opened.remote_id if isinstance(opened, Receipt) else None
    if isinstance(opened, DeliveryError) and not notifier.is_idempotent:
        return str(opened)  # without a receipt there is nothing to mark as over: it would be a second message
    over = _notification("resolve", receiver, now).model_copy(update={"remote_id": root})
    ended = tried(lambda: notifier.send(over))
    failure = next((one for one in (opened, ended) if isinstance(one, Exception)), None)
    if failure is None:
        return ""
    return str(failure) if isinstance(failure, DeliveryError) else f"the notifier broke with {type(failure).__name__}"


def _notification(kind: Kind, receiver: str, now: datetime) -> Notification:
    said = f"a test message to {receiver}, nothing is wrong"
    about = f"test {receiver}"
    return own_notification(
        kind, about, said, title="metricwatch test", severity="info", since=now, now=now, to=receiver
    )
