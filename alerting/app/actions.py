"""What people do to incidents: acknowledge, silence, label, resolve. From the command line, Slack, pages or an API.

Each action decides and records in one transaction, beside a running daemon: whoever lost a race reads again and tries
again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.bench import Bench
from alerting.core import labels, silences
from alerting.core.actions import Action, Label
from alerting.core.attention import Remark, groups_with
from alerting.core.decisions import Change, Standing, told
from alerting.core.figures import count
from alerting.core.groups import Group, group_matchers
from alerting.core.incidents import Incident
from alerting.core.silences import BadSilence, Silence
from alerting.pipeline import attention_of, recording
from alerting.store import AmbiguousIncident, LostRace

ATTEMPTS = 5
SAME_CLICK = timedelta(minutes=1)


@dataclass(frozen=True)
class Done:
    """What an action did. ``changed`` False: it had been done before (a double click). ``text``: one sentence."""

    changed: bool
    text: str
    incidents: tuple[str, ...]


class UnknownTarget(ValueError):
    """The action has nothing to act on; the message says what to do."""


class Actions:
    """A ``target`` is an incident (its id, or the beginning of one) or a group id: then its open incidents.

    ``via``: ``cli``, ``slack``, ``dashboard`` or ``api``. Raises UnknownTarget, BadSilence, StoreError.
    """

    def __init__(self, bench: Callable[[], Bench]) -> None:
        self._bench = bench

    def acknowledge(self, target: str, *, by: str, via: str, now: datetime) -> Done:
        """Somebody works on it: no reminders; a rising severity and the end are told all the same."""
        return self._do(lambda bench: _acknowledge(bench, target, by, via, now))

    def silence(self, target: str, length: timedelta, *, by: str, comment: str, via: str, now: datetime) -> Done:
        """What belongs to the group, or the series of the incident, is quiet for this long."""

        def silence(bench: Bench) -> Done:
            found = _found(bench, target)
            return _silence(
                bench, matchers_of(found), now, now + length, Action(now, by, via, "silence", target, comment, ())
            )

        return self._do(silence)

    def silence_matching(
        self,
        matchers: Mapping[str, str],
        length: timedelta,
        *,
        by: str,
        comment: str,
        via: str,
        now: datetime,
        starts: datetime | None = None,
    ) -> Done:
        """What the matchers match is quiet for this long from ``starts`` (None: now) on, what opens later too."""
        begin = max(starts or now, now)
        action = Action(now, by, via, "silence", written(matchers), comment, ())
        return self._do(lambda bench: _silence(bench, matchers, begin, begin + length, action))

    def expire(self, silence_id: str, *, by: str, via: str, now: datetime) -> Done:
        """The silence ends now; whoever is owed a notice gets it from the next evaluation."""

        def expire(bench: Bench) -> Done:
            one = _named(bench, silence_id)
            if one.ends <= now:
                return Done(False, f"silence {one.id} is over already", ())
            over = replace(one, ends=now, starts=min(one.starts, now), expired_by=by)
            return _keep(
                bench, over, Action(now, by, via, "expire", one.id, "", ()), f"silence {one.id} expired by {by}"
            )

        return self._do(expire)

    def extend(self, silence_id: str, length: timedelta, *, by: str, via: str, now: datetime) -> Done:
        """The silence ends this much later. Raises BadSilence where it is over."""

        def extend(bench: Bench) -> Done:
            one = _named(bench, silence_id)
            if one.ends <= now:
                raise BadSilence(f"silence {one.id} is over: make a new one")
            longer = silences.checked(replace(one, ends=one.ends + length), now)
            text = f"silence {one.id} extended until {until(longer)} by {by}"
            return _keep(bench, longer, Action(now, by, via, "extend", one.id, "", ()), text)

        return self._do(extend)

    def matchers(self, target: str) -> dict[str, str]:
        """What a silence of this target would match."""
        return matchers_of(_found(self._bench(), target))

    def preview(self, matchers: Mapping[str, str]) -> tuple[Incident, ...]:
        """The open incidents that such a silence would keep quiet."""
        return _matched(self._bench(), matchers)

    def label(self, target: str, kind: Label, *, by: str, comment: str, via: str, now: datetime) -> Done:
        """Ends what is open: ``expected`` (its buckets never train), ``not_an_anomaly`` (they do), ``new_normal`` (its
        series opens nothing for two days)."""
        action = Action(now, by, via, kind, target, comment, ())
        return self._do(lambda bench: _label(bench, kind, action))

    def resolve(self, target: str, *, by: str, comment: str, via: str, now: datetime) -> Done:
        """Ends what is open; it opens again where new buckets are anomalous."""
        action = Action(now, by, via, "resolve", target, comment, ())
        return self._do(lambda bench: _resolve(bench, action))

    def _do(self, act: Callable[[Bench], Done]) -> Done:
        bench = self._bench()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with bench.deciding:
                    return act(bench)
            except LostRace:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")


def until(one: Silence) -> str:
    return f"{one.ends:%a %Y-%m-%d %H:%M} UTC"


def written(matchers: Mapping[str, str]) -> str:
    """``metric=checkout.*,country=DE``."""
    return ",".join(f"{name}={value}" for name, value in matchers.items())


def matchers_of(found: Group | Incident) -> dict[str, str]:
    """What a silence of this group, or of this incident's series, matches."""
    if isinstance(found, Group):
        return group_matchers(found)
    kind, _, name = found.subject.partition(":")
    return {kind: name, "metric": found.metric, **found.labels}


def _found(bench: Bench, target: str) -> Group | Incident:
    group = bench.store.group(target)
    if group is not None:
        return group
    try:
        incident = bench.store.incident(target)
    except AmbiguousIncident as exc:
        raise UnknownTarget(str(exc)) from exc
    if incident is None or not target:
        raise UnknownTarget(f"there is no incident or group {target!r}: `metricwatch incidents --all` lists them")
    return incident


def _targets(bench: Bench, target: str) -> tuple[tuple[Incident, ...], tuple[Incident, ...]]:
    """The incidents that are meant: those that are open, and all."""
    found = _found(bench, target)
    everything = found.members if isinstance(found, Group) else (found,)
    return tuple(one for one in everything if one.is_open), everything


def _acknowledge(bench: Bench, target: str, by: str, via: str, now: datetime) -> Done:
    still_open, everything = _targets(bench, target)
    names = tuple(one.id for one in still_open)
    if not still_open:
        return Done(False, "it has ended already: there is nothing to acknowledge", tuple(one.id for one in everything))
    standing = _standing(bench, still_open, now)
    taken = standing.attention.acknowledged
    new = tuple(name for name in names if name not in taken)
    if not new:
        first = taken[names[0]]
        return Done(False, f"acknowledged by {first.by} already", names)
    action = Action(now, by, via, "acknowledge", target, "", new)
    attention = replace(standing.attention, acknowledged={**taken, **dict.fromkeys(new, action)})
    told_of = groups_with([one for one in still_open if one.id in new], standing.groups)
    whole = frozenset(
        group.id
        for group in standing.groups
        if group.id in told_of and attention.acknowledgement([one for one in group.members if one.is_open])
    )
    text = f"acknowledged by {by}"
    remarks = [Remark(whole, text, "acknowledged"), Remark(told_of - whole, f"{count(len(new), 'incident')} {text}")]
    _record(bench, Change(), replace(standing, attention=attention), action, remarks=remarks)
    return Done(True, text, new)


def _silence(bench: Bench, matchers: Mapping[str, str], starts: datetime, ends: datetime, action: Action) -> Done:
    now = action.at
    one = silences.silence(matchers, starts, ends, author=action.by, comment=action.comment, now=now)
    matched = _matched(bench, matchers)
    names = tuple(incident.id for incident in matched)
    for known in bench.store.silences.holding():
        if known.is_running(now) and dict(known.matchers) == dict(matchers) and known.ends >= ends - SAME_CLICK:
            return Done(False, f"silenced until {until(known)} by {known.author} already", names)
    standing = _standing(bench, matched, now)
    before, attention = standing.attention, replace(standing.attention, silences=(*standing.attention.silences, one))
    hushed = frozenset(
        group.id
        for group in standing.groups
        if group.id in groups_with(matched, [group])
        and (open_ones := [member for member in group.members if member.is_open])
        and attention.silence_of(open_ones, now)
        and not before.silence_of(open_ones, now)
    )
    done = replace(action, incidents=names)
    _record(bench, Change(), replace(standing, attention=attention), done, (one,), [Remark(hushed, one.text())])
    begin = f" from {one.starts:%a %Y-%m-%d %H:%M} UTC" if one.starts > now else ""
    return Done(True, f"silenced{begin} until {until(one)} by {one.author}", names)


def _keep(bench: Bench, one: Silence, action: Action, text: str) -> Done:
    names = tuple(incident.id for incident in _matched(bench, one.matchers))
    _record(bench, Change(), Standing({}), replace(action, incidents=names), (one,))
    return Done(True, text, names)


def _named(bench: Bench, silence_id: str) -> Silence:
    one = bench.store.silences.named(silence_id)
    if one is None:
        raise UnknownTarget(f"there is no silence {silence_id!r}: `metricwatch silence --list` lists them")
    return one


def _matched(bench: Bench, matchers: Mapping[str, str]) -> tuple[Incident, ...]:
    everything = bench.store.incidents(open_only=True, limit=1_000_000)
    return tuple(one for one in everything if silences.matches(matchers, one.subject, one.metric, one.labels))


def _label(bench: Bench, kind: Label, action: Action) -> Done:
    still_open, everything = _targets(bench, action.target)
    meant = still_open or everything
    if any(one.kind != "metric" for one in meant):
        raise UnknownTarget(
            f"{meant[0].metric} is a query or a file, no metric: its health learns nothing from a label"
        )
    known = bench.store.actions.of_incidents([one.id for one in meant])
    before = {name: said.kind for name, done in known.items() for said in done if said.kind in labels.NAMES}
    new = tuple(one for one in meant if before.get(one.id) != kind)
    text = f"labelled {labels.NAMES[kind]} by {action.by}"
    if not new:
        return Done(False, f"labelled {labels.NAMES[kind]} already", tuple(one.id for one in meant))
    relearned = kind == "expected" or "expected" in before.values()
    forgotten = sorted({(one.subject.partition(":")[2], one.metric) for one in new}) if relearned else []
    standing = _standing(bench, new, action.at)
    change = labels.ended(new, standing.states, kind, labels.cause(text, action.comment), action.at)
    done = replace(action, incidents=tuple(one.id for one in new))
    _record(bench, change, standing, done, forgotten=forgotten)
    return Done(True, text, done.incidents)


def _resolve(bench: Bench, action: Action) -> Done:
    still_open, everything = _targets(bench, action.target)
    if any(one.kind != "metric" for one in still_open):
        raise UnknownTarget(
            f"{still_open[0].metric} is a query or a file: its incident ends when it is well; silence it"
        )
    if not still_open:
        return Done(False, "it has ended already", tuple(one.id for one in everything))
    text = f"resolved by {action.by}"
    standing = _standing(bench, still_open, action.at)
    change = labels.ended(still_open, standing.states, "resolve", labels.cause(text, action.comment), action.at)
    done = replace(action, incidents=tuple(one.id for one in still_open))
    _record(bench, change, standing, done)
    return Done(True, text, done.incidents)


def _standing(bench: Bench, concerned: Sequence[Incident], now: datetime) -> Standing:
    """How things stand for these incidents."""
    subjects = sorted({one.subject for one in concerned})
    states = {subject: bench.store.series_states(subject) for subject in subjects}
    return Standing(states, tuple(bench.store.open_groups(now)), attention_of(bench.store, now))


def _record(
    bench: Bench,
    change: Change,
    standing: Standing,
    action: Action,
    made: tuple[Silence, ...] = (),
    remarks: Sequence[Remark] = (),
    forgotten: Sequence[tuple[str, str]] = (),
) -> None:
    decision = told(change, standing, bench.audiences, now=action.at, remarks=remarks)
    written_down = recording(decision, (), action.at, None)
    bench.store.record(replace(written_down, silences=made, actions=(action,), forgotten=tuple(forgotten)))
