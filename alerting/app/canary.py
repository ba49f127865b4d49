"""Whether the canary came out: made-up readings that were pulled, judged, told and ended like any others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerting.bench import Bench
from alerting.core.decisions import subject_of
from alerting.core.figures import length
from alerting.core.vitals import is_current
from config.model import CANARY

WITHIN = timedelta(minutes=30)
"""How long after it began a canary must have been told, and told to be over."""
_MANY = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ailment(bench: Bench, now: datetime) -> str:
    """What is wrong with the canary; empty where there is none, or all is well. Raises StoreError."""
    query = bench.config.queries.get(CANARY)
    if query is None:
        return ""
    state = next(reversed(bench.store.query_states_of(CANARY)), None)
    if not is_current(query, state, now):
        return "the canary is not evaluated"
    missed = overdue(bench, now)
    return "; ".join(f"{reason} at {name}" for name, reason in missed.items())


def overdue(bench: Bench, now: datetime) -> dict[str, str]:
    """Why, for each receiver at which the newest canary should be over by now and is not. Raises StoreError."""
    canary = bench.config.canary
    state = next(reversed(bench.store.query_states_of(CANARY)), None) if canary else None
    if canary is None or state is None or state.attempted is None:
        return {}
    begun = now - WITHIN - (now - WITHIN - _EPOCH) % canary.every
    # One that began before there was a canary, or that was not looked at yet (the daemon starts), is not missing.
    if state.added > begun or state.attempted < begun + WITHIN:
        return {}
    arrived = _arrived(bench, begun, now)
    reason = f"the canary of {begun:%Y-%m-%d %H:%M} UTC did not come out within {length(WITHIN)}"
    return {name: reason for name in canary.notify if name not in arrived}


def _arrived(bench: Bench, begun: datetime, now: datetime) -> frozenset[str]:
    """The receivers that were told of the end of a canary since ``begun``, or are about to be."""
    incidents = bench.store.incidents(subject=subject_of(CANARY), since=begun, limit=_MANY)
    groups = {group.id for one in incidents if one.opened >= begun for group in bench.store.groups_of(one.id)}
    rows = [row for name in groups for row in bench.store.outbox.rows(group_id=name) if row.kind == "resolve"]
    return frozenset(
        row.receiver
        for row in rows
        if row.state == "sent" or (row.state in ("ready", "leased") and now - row.created < WITHIN)
    )
