"""One attempt at one delivery: look for it where it may be out already, picture it, send it."""

from __future__ import annotations

import logging
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from alerting.delivery.outcomes import after_error, after_receipt
from alerting.delivery.pacing import Pacing
from alerting.delivery.redrawing import is_worth_drawing
from alerting.delivery.timing import USUAL, Timing
from alerting.store import Claim, Dead, Outcome, Overtaken, Released, Sent
from alerting.store.encoding import notification_from
from notifiers.contract import Notification, Notifier, Receipt, Spark
from notifiers.errors import Ambiguous, CannotLook, DeliveryError

Clock = Callable[[], datetime]
Picture = Callable[[Notification], bytes | None]
Sketch = Callable[[Notification], Spark | None]
_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


def _never() -> bool:
    return False


def no_sketch(_: Notification) -> Spark | None:
    """For receivers that draw nothing."""
    return None


@dataclass(frozen=True)
class PostOffice:
    """What every attempt needs. ``chance`` is uniform in [0, 1), ``pause`` waits seconds (a stop cuts it short)."""

    clock: Clock
    picture: Picture
    timing: Timing = USUAL
    pacing: Pacing = field(default_factory=Pacing)
    chance: Callable[[], float] = random.random
    pause: Callable[[float], object] = time.sleep
    is_stopping: Callable[[], bool] = _never
    sketch: Sketch = no_sketch


def attempt(office: PostOffice, notifier: Notifier, claim: Claim) -> Outcome:
    try:
        notification = current(claim)
    except ValueError:
        return Dead("the recorded message cannot be read by this version")
    if claim.is_overtaken and notifier.closes_again:
        return Overtaken()  # nobody is woken for what is over; should an earlier attempt arrive, the end is said again
    if claim.is_doubtful and not notifier.is_idempotent:
        found = tried(lambda: notifier.find(notification))
        if isinstance(found, Receipt):
            return Sent(
                found,
                "an earlier attempt had arrived",
                after_receipt(found, notification, notifier, office.timing).closings,
            )
        if isinstance(found, CannotLook):
            notification = notification.model_copy(update={"possible_repeat": True})
        elif found is not None:
            return _failed(office, claim, found)
    return _send(office, notifier, claim, _pictured(office, notifier, claim, notification))


def current(claim: Claim) -> Notification:
    """The notification as recorded, with what is newer than the record. Raises ValueError where it is unreadable."""
    newer = {
        "delivery_id": claim.delivery_id,
        "sequence": claim.sequence,
        "kind": claim.kind,
        "remote_id": claim.remote_id,
    }
    return notification_from(claim.payload).model_copy(update=newer)


def _send(office: PostOffice, notifier: Notifier, claim: Claim, notification: Notification) -> Outcome:
    if office.is_stopping():
        return Released()
    if office.clock() >= claim.lease_until:  # pictures or a sleeping machine took too long: others may send by now
        return Released("the lease ended before sending")
    receipt = tried(lambda: notifier.send(notification))
    if isinstance(receipt, Receipt):
        return after_receipt(receipt, notification, notifier, office.timing)
    return _failed(office, claim, receipt)


def _failed(office: PostOffice, claim: Claim, error: Exception) -> Outcome:
    if not isinstance(error, DeliveryError):
        # Only the type: the text of a foreign error may hold a token.
        where = traceback.extract_tb(error.__traceback__)[-1]
        name = type(error).__name__
        _log.error("notifier broke receiver=%s error=%s at=%s:%s", claim.receiver, name, where.filename, where.lineno)
        error = Ambiguous(f"the notifier broke with {name}")
    return after_error(error, claim, office.clock(), office.timing, office.chance())


def _pictured(office: PostOffice, notifier: Notifier, claim: Claim, notification: Notification) -> Notification:
    """A message without its picture is better than none; the chart that it shows stays while it is good enough."""
    drawn: dict[str, object] = {}
    if notifier.wants_chart and is_worth_drawing(_charted(claim), notification):
        drawn["chart"] = tried(lambda: office.picture(notification))
    if notifier.wants_spark:
        drawn["spark"] = tried(lambda: office.sketch(notification))
    for name, failure in [(name, one) for name, one in drawn.items() if isinstance(one, Exception)]:
        _log.warning("%s failed delivery=%s error=%s", name, notification.delivery_id, type(failure).__name__)
        drawn.pop(name)
    return notification.model_copy(update=drawn)


def _charted(claim: Claim) -> Notification | None:
    try:
        return notification_from(claim.charted) if claim.charted else None
    except ValueError:
        return None  # written by a version that says other things


def tried(call: Callable[[], _Result]) -> _Result | Exception:
    """The result, or what went wrong."""
    try:
        return call()
    except Exception as exc:  # noqa: BLE001 - notifiers and pictures are foreign code: the other deliveries go on
        return exc
