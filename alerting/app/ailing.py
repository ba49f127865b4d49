"""Receivers that are out of order: one health incident each, told to receivers that work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.app.rules import record
from alerting.bench import Bench
from alerting.core import health
from alerting.core.audiences import Audience
from alerting.core.decisions import Change
from alerting.core.incidents import SeriesState

TOLD_EVERY = timedelta(hours=24)
_RECENT = 100


class ReceiverWatch:
    """Remembers what it judged last, so that asking each second costs one small query."""

    def __init__(self) -> None:
        self._judged: frozenset[str] | None = None
        self._at: datetime | None = None

    def judge(self, bench: Bench, now: datetime) -> bool:
        """Incidents open and end as receivers fail and work again; True where a notice is owed. Raises StoreError."""
        found = {state.name: state.reason for state in bench.store.outbox.receivers_in_trouble()}
        troubles = {name: reason for name, reason in found.items() if name in bench.config.receivers}
        is_known = self._judged == frozenset(troubles)
        is_recent = self._at is not None and abs(now - self._at) < health.LOOK_AGAIN
        if is_known and (is_recent or not troubles):
            return False
        before = {
            name: bench.store.series_states(f"receiver:{name}").get(health.receiver_fingerprint(name))
            for name in bench.config.receivers
        }
        if any(state is not None and state.last >= now for state in before.values()):
            return False  # judged at this very instant: what changed since counts from the next one on
        change = _change(before, troubles, now)
        is_owed = bool(change.states) and bool(record(change, bench, _audiences(bench, troubles, now), now).deliveries)
        self._judged, self._at = frozenset(troubles), now
        return is_owed


def _change(before: Mapping[str, SeriesState | None], troubles: Mapping[str, str], now: datetime) -> Change:
    change = Change()
    for name, state in before.items():
        if name in troubles or state is not None:
            after, transitions = health.judge_receiver(name, troubles.get(name, ""), state, now)
            if after is not None and after is not state:
                change += Change((after,), tuple(transitions))
    return change


def _audiences(bench: Bench, troubles: Collection[str], now: datetime) -> dict[str, Audience]:
    """Who is out of order cannot be told; and a receiver that comes and goes is told of once a day."""
    found = dict(bench.audiences)
    for name in bench.config.receivers:
        audience = found[f"receiver:{name}"]
        working = tuple(one for one in audience.told("info") if one not in troubles)
        mute = audience.mute or (_recently_told(bench, audience.subject, now) if name in troubles else "")
        found[audience.subject] = replace(audience, receivers={"info": working}, mute=mute)
    return found


def _recently_told(bench: Bench, subject: str, now: datetime) -> str:
    for incident in bench.store.incidents(subject=subject, limit=_RECENT):
        is_recent = now - incident.detected < TOLD_EVERY
        groups = bench.store.groups_of(incident.id) if is_recent and not incident.is_open else []
        if any(not group.is_muted for group in groups):
            return f"not sent: told of the same receiver at {incident.detected:%Y-%m-%d %H:%M} UTC, less than a day ago"
    return ""
