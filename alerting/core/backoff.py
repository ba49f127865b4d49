"""How long to wait before trying again: pure, chance is a parameter."""

from __future__ import annotations

from datetime import timedelta

LEAST = timedelta(seconds=1)
MOST = timedelta(minutes=5)
RETRY_AFTER_MOST = timedelta(minutes=15)
_DOUBLINGS = 20  # beyond, the longest wait is reached whatever the unit


def delay(attempt: int, chance: float, *, least: timedelta = LEAST, most: timedelta = MOST) -> timedelta:
    """The wait after the ``attempt``-th failure in a row (1 = the first), with full jitter.

    ``chance`` is uniform in [0, 1): somewhere between ``least`` and a ceiling that doubles until ``most``, so that a
    thousand deliveries that failed together do not come back together.

    >>> [str(delay(attempt, 0.5)) for attempt in (1, 4, 40)]
    ['0:00:01.500000', '0:00:08.500000', '0:02:30.500000']
    """
    ceiling = min(most, least * (1 << min(max(attempt, 1), _DOUBLINGS)))
    return least + max(ceiling - least, timedelta(0)) * chance


def honoured(retry_after: timedelta) -> timedelta:
    """What a receiver asked for, but at least a second and at most a quarter of an hour.

    >>> honoured(timedelta(days=1))
    datetime.timedelta(seconds=900)
    """
    return min(max(retry_after, LEAST), RETRY_AFTER_MOST)
