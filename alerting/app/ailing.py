"""What cannot be told: receivers that are out of order, and deliveries that were given up. One health incident for each
receiver and kind, told to receivers that work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.app.rules import record
from alerting.bench import Bench
from alerting.core import health
from alerting.core.audiences import Audience
from alerting.core.decisions import Change
from alerting.core.health import ReceiverKind
from alerting.core.incidents import SeriesState
from alerting.store import OutboxRow

TOLD_EVERY = timedelta(hours=24)
_RECENT = 100
_REASON = 90


class ReceiverWatch:
    """Remembers what it judged last, so that asking each second costs one small query.

    ``look`` says which receivers are in trouble of this kind, and why.
    """

    def __init__(self, kind: ReceiverKind, look: Callable[[Bench, datetime], Mapping[str, str]]) -> None:
        self._kind, self._look = kind, look
        self._judged: frozenset[str] | None = None
        self._at: datetime | None = None

    def judge(self, bench: Bench, now: datetime) -> bool:
        """Incidents open and end as receivers fail and work again; True where a notice is owed. Raises StoreError."""
        troubles = self._look(bench, now)
        is_known = self._judged == frozenset(troubles)
        is_recent = self._at is not None and abs(now - self._at) < health.LOOK_AGAIN
        if is_known and (is_recent or not troubles):
            return False
        own = {name: health.receiver_fingerprint(name, self._kind) for name in bench.config.receivers}
        before = {name: bench.store.series_states(f"{self._kind}:{name}").get(one) for name, one in own.items()}
        if any(state is not None and state.last >= now for state in before.values()):
            return False  # judged at this very instant: what changed since counts from the next one on
        change = self._change(before, troubles, now)
        audiences = self._audiences(bench, troubles, now)
        is_owed = bool(change.states) and bool(record(change, bench, audiences, now).deliveries)
        self._judged, self._at = frozenset(troubles), now
        return is_owed

    def _change(self, before: Mapping[str, SeriesState | None], troubles: Mapping[str, str], now: datetime) -> Change:
        change = Change()
        for name, state in before.items():
            if name in troubles or state is not None:
                after, transitions = health.judge_receiver(name, troubles.get(name, ""), state, now, self._kind)
                if after is not None and after is not state:
                    change += Change((after,), tuple(transitions))
        return change

    def _audiences(self, bench: Bench, troubles: Collection[str], now: datetime) -> dict[str, Audience]:
        """Who is out of order cannot be told; and a receiver that comes and goes is told of once a day."""
        found, silent = dict(bench.audiences), out_of_order(bench, now)
        for name in bench.config.receivers:
            audience = found[f"{self._kind}:{name}"]
            working = tuple(one for one in audience.told("info") if one not in silent)
            mute = audience.mute or (_recently_told(bench, audience.subject, now) if name in troubles else "")
            found[audience.subject] = replace(audience, receivers={"info": working}, mute=mute)
        return found


def out_of_order(bench: Bench, now: datetime) -> dict[str, str]:
    """Why each configured receiver that refuses everything does so."""
    found = {state.name: state.reason for state in bench.store.outbox.receivers_in_trouble()}
    return {name: reason for name, reason in found.items() if name in bench.config.receivers}


def undelivered(bench: Bench, now: datetime) -> dict[str, str]:
    """What each configured receiver was not told within the last day, and how to try again."""
    by_receiver: dict[str, list[OutboxRow]] = {}
    for row in bench.store.outbox.dead_since(now - TOLD_EVERY, tuple(bench.config.receivers)):
        by_receiver.setdefault(row.receiver, []).append(row)
    return {name: _given_up(bench, rows) for name, rows in by_receiver.items()}


def _given_up(bench: Bench, rows: list[OutboxRow]) -> str:
    first, more = rows[0], len(rows) - 1
    group = bench.store.group(first.group_id)
    about = group.subject.partition(":")[2] if group else "a group that is gone"
    reason = first.reason if len(first.reason) <= _REASON else f"{first.reason[:_REASON]}…"
    others = f"; and {more:,} more" if more else ""
    again = f"to try again: metricwatch deliveries retry {first.delivery_id}"
    return f"{about[:60]}, group {first.group_id} ({reason}); {again}{others}"


def _recently_told(bench: Bench, subject: str, now: datetime) -> str:
    for incident in bench.store.incidents(subject=subject, limit=_RECENT):
        is_recent = now - incident.detected < TOLD_EVERY
        groups = bench.store.groups_of(incident.id) if is_recent and not incident.is_open else []
        if any(not group.is_muted for group in groups):
            return f"not sent: told of the same receiver at {incident.detected:%Y-%m-%d %H:%M} UTC, less than a day ago"
    return ""
