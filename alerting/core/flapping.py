"""When a series opens and ends so often that one notice says more than each of its incidents: it flaps.

Only the buckets at which it opened or ended are remembered: a quiet series costs nothing, a restart changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

CHANGES = 4
"""So many changes between open and ended make a series flap."""
SPAN = 12
"""Within so many evaluations."""
CALM = 12
"""So many clean evaluations in a row end it."""

Changes = tuple[datetime, ...]
"""Starts of the buckets at which incidents of a series opened or ended, ascending."""


def noted(changes: Changes, bucket: datetime, width: timedelta | None) -> Changes:
    """The changes that are within one span of the newest one, which is ``bucket``.

    ``width`` of a bucket: calendar ones differ from it by less than a span can add up to. None = nothing is counted.
    """
    if width is None:
        return ()
    recent = [change for change in changes if round((bucket - change) / width) < SPAN]
    return (*recent, bucket)[-CHANGES:]


def is_flapping(changes: Changes) -> bool:
    return len(changes) >= CHANGES


def calm_after(resolve_after: int) -> int:
    """Clean evaluations in a row that end an incident of a series that flaps."""
    return max(CALM, resolve_after)
