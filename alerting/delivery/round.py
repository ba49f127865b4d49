"""The next delivery of one receiver, from claim to settlement; and the probe of a receiver that is out of order."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.delivery.attempt import PostOffice, attempt, tried
from alerting.store import Claim, Outcome, ReceiverState, Released, Store, Trouble, Unavailable
from notifiers.contract import Kind, Notifier
from notifiers.errors import DeliveryError

_SETTLE_AGAIN_S = (0.1, 0.5, 2.0)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempted:
    """One attempt and what became of it. ``is_settled`` False: somebody else held the delivery by then."""

    delivery_id: str
    group_id: str
    receiver: str
    kind: Kind
    outcome: Outcome
    is_settled: bool = True


def deliver_next(
    store: Store,
    office: PostOffice,
    receiver: str,
    notifier: Notifier,
    *,
    ignore_waits: bool = False,
    but: Collection[str] = (),
) -> Attempted | None:
    """Tries the receiver's next delivery; None where there is nothing to try. Raises StoreError."""
    timing, pace = office.timing, notifier.pace
    lease = timing.lease + timedelta(seconds=office.pacing.needed_s(pace))
    claim = store.outbox.claim(
        receiver, office.clock(), lease=lease, grace=timing.grace, ignore_waits=ignore_waits, but=but
    )
    if claim is None:
        return None
    wait_s = office.pacing.take_s(pace)
    if wait_s > 0:
        office.pause(wait_s)
    outcome = Released() if office.is_stopping() else attempt(office, notifier, claim)
    is_settled = _settle(store, office, claim, outcome)
    _log.info(
        "delivery tried receiver=%s delivery=%s kind=%s attempt=%d outcome=%s reason=%s",
        receiver, claim.delivery_id, claim.kind, claim.attempt, type(outcome).__name__.lower(), outcome.reason,
    )  # fmt: skip
    return Attempted(claim.delivery_id, claim.group_id, receiver, claim.kind, outcome, is_settled)


def is_working(
    store: Store, office: PostOffice, receiver: str, notifier: Notifier, *, ignore_waits: bool = False
) -> bool:
    """False while the receiver is out of order; asks it where that is due. Raises StoreError."""
    state = store.outbox.receiver(receiver)
    if state.trouble is None:
        return True
    now = office.clock()
    if not ignore_waits and state.probe_at is not None and state.probe_at > now:
        return False
    return _is_back(store, office, state, state.trouble, notifier, now)


def _is_back(
    store: Store, office: PostOffice, state: ReceiverState, trouble: Trouble, notifier: Notifier, now: datetime
) -> bool:
    error = tried(notifier.probe)
    if error is not None:
        wait = office.timing.probe_credential if trouble == "credential" else office.timing.probe_destination
        reason = str(error) if isinstance(error, DeliveryError) else f"the notifier broke with {type(error).__name__}"
        store.outbox.receiver_still_fails(state.name, trouble, reason, now + wait, now)
        return False
    store.outbox.receiver_works(state.name, now)
    _log.info("receiver works again receiver=%s trouble=%s", state.name, trouble)
    return True


def _settle(store: Store, office: PostOffice, claim: Claim, outcome: Outcome) -> bool:
    """An outcome that cannot be written becomes doubt: worth some patience."""
    for wait_s in _SETTLE_AGAIN_S:
        try:
            return store.outbox.settle(claim, outcome, office.clock(), grace=office.timing.grace)
        except Unavailable:
            office.pause(wait_s)
    return store.outbox.settle(claim, outcome, office.clock(), grace=office.timing.grace)
