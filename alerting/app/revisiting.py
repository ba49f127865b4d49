"""What time alone brings about: silences end, and people are reminded of what is still open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from alerting.bench import Bench
from alerting.core.attention import Attention, Remark, groups_with, reminders
from alerting.core.audiences import unhushed
from alerting.core.decisions import Change, Standing, told
from alerting.core.groups import Group
from alerting.core.incidents import Incident
from alerting.core.silences import Silence, ended, is_match
from alerting.pipeline import recording, standing_of
from alerting.store import LostRace, SilentGroup
from alerting.store.encoding import notification_from
from alerting.telemetry import logger

_log = logger("app")


class Revisits:
    """``visit`` is called each second, so it remembers when there was nothing to do, until something changes."""

    def __init__(self) -> None:
        self._nothing_for: object = None
        self._looked: datetime | None = None
        self._begun: frozenset[str] = frozenset()

    def visit(self, bench: Bench, now: datetime) -> bool:
        """Whoever is owed a notice because a silence or a mute window has ended, or a group is still open, has one
        planned, and what a silence that was made earlier keeps quiet from now on is edited. A window that ended before
        the first visit is told with the next bucket.

        True where something was planned. Raises StoreError. Only whoever holds the state exclusively may call it.
        """
        looked, self._looked = self._looked or now, now
        woken = [one.subject for one in bench.audiences.values() if unhushed(one, looked, now)]
        holding = bench.store.silences.holding()
        over, waiting = ended(holding, now), _waiting(bench, now)
        question = ([(one.id, one.ends) for one in holding], [(one.id, one.sequence) for one in waiting], bench.config)
        begun = [one for one in holding if _begins(one, now) and one.id not in self._begun]
        if not (over or woken or begun) and (not waiting or question == self._nothing_for):
            return False
        try:
            with bench.deciding:
                planned = _revisit(bench, over, begun, woken, {one.id for one in waiting}, now)
        except LostRace as exc:
            _log.warning("revisit discarded", reason=str(exc))
            self._looked = looked  # the next tick repeats it
            return False
        self._begun = frozenset(one.id for one in holding if _begins(one, now))
        self._nothing_for = None if planned or over else question
        return planned


def _waiting(bench: Bench, now: datetime) -> list[SilentGroup]:
    """The groups whose ``repeat_interval`` is over."""
    patience = {subject: one.delivery.repeat_interval for subject, one in bench.audiences.items()}
    if not patience:
        return []
    silent = bench.store.groups_silent_since(now - min(patience.values()))
    return [one for one in silent if one.subject in patience and one.flushed + patience[one.subject] <= now]


def _revisit(
    bench: Bench,
    over: Sequence[Silence],
    begun: Sequence[Silence],
    woken: Sequence[str],
    waiting: Collection[str],
    now: datetime,
) -> bool:
    standing = standing_of(list(bench.config.queries.values()) if over or woken else [], bench, now)
    matched = _matched(over, bench) if over else []
    silent = [group for group in standing.groups if group.id in waiting]
    hushed = list(_newly_quiet(begun, standing, bench, now))
    stirred = [*silent, *(group for group in standing.groups if any(group.id in one.groups for one in hushed))]
    concerned = {incident.subject for incident in matched} | {group.subject for group in stirred}
    unknown = sorted(concerned - standing.states.keys())
    states = {**standing.states, **{subject: bench.store.series_states(subject) for subject in unknown}}
    before = standing.attention
    gone = {one.id for one in over}
    attention = replace(before, silences=tuple(one for one in before.silences if one.id not in gone))
    standing = replace(standing, states=states, attention=attention)
    again = [state for one in matched if (state := states[one.subject].get(one.fingerprint)) and state.incident]
    again += [state for subject in woken for state in states.get(subject, {}).values() if state.incident]
    remarks = [*hushed, *_heard_again(over, standing, before, now), *reminders(silent, bench.audiences, attention, now)]
    decision = told(Change(), standing, bench.audiences, now=now, remarks=remarks, again=again)
    if not over and not decision.deliveries:
        return False
    written = recording(decision, (), now, None)
    bench.store.record(replace(written, silences=tuple(replace(one, told_end=now) for one in over)))
    return bool(decision.deliveries)


def _heard_again(over: Sequence[Silence], standing: Standing, before: Attention, now: datetime) -> list[Remark]:
    """One for each silence, to the groups that were quiet because of it and are not any more."""
    found: list[Remark] = []
    told_of: frozenset[str] = frozenset()
    for one in over:
        matched = [member for group in standing.groups for member in group.members if is_match(one, member)]
        names = frozenset(
            group.id
            for group in standing.groups
            if _is_quiet(group, before, now) and not _is_quiet(group, standing.attention, now)
        )
        names = (names & groups_with(matched, standing.groups)) - told_of
        text = f"the silence by {one.author} ({one.comment}) has ended, still open"
        found.append(Remark(names, text, calls_again=True))
        told_of |= names
    return found


def _begins(one: Silence, now: datetime) -> bool:
    """True where the silence was made for later, and it is later by now."""
    return one.starts > one.created and one.is_running(now)


def _newly_quiet(begun: Sequence[Silence], standing: Standing, bench: Bench, now: datetime) -> Iterator[Remark]:
    """One for each silence, to the groups whose messages do not say yet that they are silenced."""
    told_of: frozenset[str] = frozenset()
    for one in begun:
        matched = [member for group in standing.groups for member in group.members if is_match(one, member)]
        names = frozenset(
            group.id
            for group in standing.groups
            if _is_quiet(group, standing.attention, now) and not _says_silenced(group, bench)
        )
        names = (names & groups_with(matched, standing.groups)) - told_of
        yield Remark(names, one.text())
        told_of |= names


def _says_silenced(group: Group, bench: Bench) -> bool:
    payload = bench.store.outbox.payload(f"{group.id}:{group.sequence}")
    try:
        return payload is not None and notification_from(payload).silenced_until is not None
    except ValueError:
        return False  # written by a version that says other things


def _matched(over: Sequence[Silence], bench: Bench) -> list[Incident]:
    everything = bench.store.incidents(open_only=True, limit=1_000_000)
    return [incident for incident in everything if any(is_match(one, incident) for one in over)]


def _is_quiet(group: Group, attention: Attention, now: datetime) -> bool:
    return attention.silence_of([member for member in group.members if member.is_open], now) is not None
