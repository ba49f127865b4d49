"""What follows from how an attempt ended: pure."""

from __future__ import annotations

from datetime import datetime

from alerting.core.backoff import delay, honoured
from alerting.delivery.timing import Timing
from alerting.store import Again, Claim, Dead, Outcome, Parked, Sent
from notifiers.contract import Notification, Notifier, Receipt
from notifiers.errors import BadContent, BadCredential, BadDestination, DeliveryError, NotSent


def after_receipt(receipt: Receipt, notification: Notification, notifier: Notifier, timing: Timing) -> Sent:
    said = "sent, perhaps a repeat" if notification.possible_repeat else "sent"
    reason = f"{said}, {receipt.note}" if receipt.note else said
    return Sent(receipt, reason, timing.closings if notifier.closes_again else ())


def after_error(error: DeliveryError, claim: Claim, now: datetime, timing: Timing, chance: float) -> Outcome:
    """Anything but the errors that are sure of it counts as perhaps posted."""
    if isinstance(error, BadCredential):
        return Parked("credential", now + timing.probe_credential, f"credentials refused: {error}")
    if isinstance(error, BadDestination):
        return Parked("destination", now + timing.probe_destination, f"destination refused: {error}")
    if isinstance(error, BadContent):
        return Dead(f"content refused: {error}")
    if now >= claim.first_attempt + timing.give_up_after:
        return Dead(f"gave up after {claim.attempt} attempts: {error}")
    wait = delay(claim.attempt, chance)
    if not isinstance(error, NotSent):
        return Again(now + max(wait, timing.grace), f"outcome unknown: {error}", is_doubtful=True)
    if error.retry_after is None:
        return Again(now + wait, f"not sent: {error}")
    until = now + honoured(error.retry_after)
    return Again(until, f"not sent: {error}", receiver_waits_until=until)
