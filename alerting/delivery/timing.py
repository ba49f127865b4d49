"""How long things take in delivery, in one place; tests make them short."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Timing:
    """``lease``: how long a claim is ours, longer than any send with its uploads · ``grace``: how long after a lease,
    or after an attempt without a known outcome, something may still be on its way; at least the request timeout of a
    notifier · ``give_up_after`` the first attempt · ``closings``: when a resolve is said again."""

    lease: timedelta = timedelta(minutes=2)
    grace: timedelta = timedelta(seconds=30)
    give_up_after: timedelta = timedelta(hours=24)
    probe_credential: timedelta = timedelta(minutes=5)
    probe_destination: timedelta = timedelta(minutes=10)
    closings: tuple[timedelta, ...] = (timedelta(seconds=60), timedelta(minutes=10))
    poll: timedelta = timedelta(seconds=1)


USUAL = Timing()
