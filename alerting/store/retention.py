"""What is removed when: points by the history of their query, everything told after 400 days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from alerting.store import actions, costs, groups, incidents, outbox, points, verdicts
from alerting.store.database import Database
from alerting.store.values import Expired

KEPT = timedelta(days=400)


def expire(
    database: Database, now: datetime, history_by_digest: Mapping[str, timedelta], digests: frozenset[str]
) -> Expired:
    """Points of a query that is not configured any more stay for 400 days: it may come back.

    Verdicts stay as long as the longest history, because a metric may be judged over points of several queries. Open
    incidents and deliveries that are still owed stay for ever.
    """
    before = now - KEPT
    longest = max((*history_by_digest.values(), KEPT))
    removed = 0
    for digest in sorted(digests):
        with database.writing() as connection:
            removed += points.expire(connection, digest, now - history_by_digest.get(digest, KEPT))
    with database.writing() as connection:
        judged = verdicts.expire(connection, now - longest)
        deliveries = outbox.expire(connection, before)
        ended, changes = incidents.expire(connection, before)
        closed = groups.expire(connection)
        actions.expire(connection, before)
        costs.expire(connection, now)
    return Expired(removed, judged, ended, changes, closed, deliveries)
