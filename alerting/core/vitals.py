"""Whether metricwatch watches, asked by whoever watches metricwatch: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from alerting.core.figures import length
from alerting.core.health import QueryState
from config.model import Query

TICK_MOST = timedelta(seconds=30)
DUE_MOST = timedelta(minutes=5)
COURIER_MOST = timedelta(minutes=5)
CURRENT_SHARE = 0.95
INTERVALS = 2


def ailments(
    *,
    ticked: timedelta,
    oldest_due: datetime | None,
    couriers: Mapping[str, datetime],
    queries: Iterable[tuple[Query, QueryState | None]],
    now: datetime,
) -> tuple[str, ...]:
    """What is wrong, a phrase each; empty where everything is watched and told.

    ``ticked``: how long ago the scheduler did; ``oldest_due``: since when the oldest owed delivery waits (None: nothing
    does); ``couriers``: when each receiver's thread was last seen; ``queries``: all that somebody watches.
    """
    found = [f"the scheduler has not ticked for {length(ticked)}"] if ticked > TICK_MOST else []
    if oldest_due is not None and now - oldest_due >= DUE_MOST:
        found.append(f"a delivery has been due for {length(now - oldest_due)}")
    still = sorted(name for name, seen in couriers.items() if now - seen > COURIER_MOST)
    found += [f"nobody delivers to {', '.join(still)}"] if still else []
    known = list(queries)
    current = sum(is_current(query, state, now) for query, state in known)
    if current < CURRENT_SHARE * len(known):
        found.append(f"{len(known) - current:,} of {len(known):,} queries were not evaluated within two intervals")
    return tuple(found)


def is_current(query: Query, state: QueryState | None, now: datetime) -> bool:
    """True where the query was evaluated within two of its buckets, whatever came of it: failing is told by itself."""
    if state is None or state.attempted is None or state.digest != query.digest:
        return False
    return now - state.attempted <= INTERVALS * query.bucket.nominal
