"""What is owed to whom after an evaluation: at most one delivery per group, each with its reason, muted ones too.

Two questions decide everything. What happened to the incidents that a receiver was told of (severity, end)? And which
incidents is a receiver owed that no open group of his holds yet? The second one is asked of states, not of
transitions, so that whoever becomes owed later (severity rose, catching up with old buckets) is told then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.core.audiences import Audience, Measure, paging, vanished_audience
from alerting.core.figures import count, length
from alerting.core.groups import Delivery, Group, group_id, group_key
from alerting.core.incidents import SEVERITIES, Incident, Reading, SeriesState, Severity, Transition, more_severe
from alerting.core.storm import subject_of, valve
from alerting.core.views import entry, notification
from config.model import DeliveryRules
from detectors.buckets import Bucket
from notifiers.contract import Kind

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """``groups`` as they are after these ``deliveries`` (only those that changed)."""

    groups: tuple[Group, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class News:
    """One incident as it is now, and what happened to it in this evaluation that people may hear of."""

    incident: Incident
    happened: tuple[Transition, ...] = ()

    @property
    def opened(self) -> bool:
        return any(transition.opens for transition in self.happened)

    @property
    def rose(self) -> bool:
        return any(transition.severity_rose for transition in self.happened)

    @property
    def ended(self) -> bool:
        return any(transition.ends for transition in self.happened)


@dataclass(frozen=True)
class Stir:
    """What moves one group: incidents that join it, and members to which something happened."""

    joined: tuple[News, ...] = ()
    moved: tuple[News, ...] = ()


@dataclass(frozen=True)
class Notice:
    """Whether, when and why a group speaks."""

    kind: Kind
    not_before: datetime
    reason: str


def plan(
    transitions: Sequence[Transition],
    states: Iterable[SeriesState],
    groups: Iterable[Group],
    audiences: Mapping[str, Audience],
    *,
    now: datetime,
) -> Plan:
    """The groups and deliveries that follow from an evaluation.

    ``states`` are those that changed (they hold the newest version of each open incident), ``groups`` the open ones of
    all receivers, ``audiences`` by subject; a subject without one was removed and only closes what it told.
    """
    news = _news(transitions, states)
    known = [group for group in groups if group.is_open]
    stirs = {(group.receiver, group.key): (group, Stir(moved=moved)) for group, moved in _moved(known, news)}
    standing = {(group.receiver, group.key): group for group in known}
    wanted = _joining(_owed(known, news, audiences, now), audiences)
    for place, joined in valve(wanted, known, paging(audiences), now).items():
        group = standing.get(place) or _opened(*place, joined[0].incident, now)
        moved = stirs[place][1].moved if place in stirs else ()
        stirs[place] = group, Stir(tuple(joined), moved)
    planned = [_deliver(group, stir, news, audiences, now) for group, stir in stirs.values()]
    return Plan(tuple(group for group, _ in planned), tuple(delivery for _, delivery in planned))


def decide(group: Group, stir: Stir, severity: Severity, rules: DeliveryRules, now: datetime) -> Notice:
    """When and why a group speaks that something stirs; ``group.members`` are as they are now, joined ones included."""
    still_open = sum(member.is_open for member in group.members)
    if not still_open:
        return Notice("resolve", now, _all_ended(group))
    if not group.sequence:
        at_once = any(item.rose for item in stir.joined)
        return Notice("trigger", now if at_once else now + rules.group_wait, _first(stir, at_once))
    if SEVERITIES.index(severity) > SEVERITIES.index(group.severity_told):
        return Notice("update", now, f"severity rose to {severity}")
    flushed = group.flushed or now
    at = flushed if flushed > now else max(now, flushed + rules.group_interval)
    return Notice("update", at, _changed(stir, still_open))


def max_age(incident: Incident, audience: Audience) -> timedelta:
    """How long after its bucket ended an anomaly is still worth telling: the larger of 24 h and 3 buckets."""
    return max(_DAY, 3 * _width(incident, audience))


def _news(transitions: Sequence[Transition], states: Iterable[SeriesState]) -> dict[str, News]:
    news: dict[str, News] = {}
    for transition in transitions:
        incident = transition.incident
        if incident is None:
            continue
        said = news[incident.id].happened if incident.id in news else ()
        loud = transition.opens or transition.severity_rose or transition.ends
        news[incident.id] = News(incident, (*said, transition) if loud else said)
    for state in states:
        if state.incident is not None:
            before = news.get(state.incident.id, News(state.incident))
            news[state.incident.id] = replace(before, incident=state.incident)
    return news


def _moved(known: Iterable[Group], news: Mapping[str, News]) -> Iterator[tuple[Group, tuple[News, ...]]]:
    """The groups with a member whose severity rose or that ended."""
    for group in known:
        moved = [news[member.id] for member in group.members if member.id in news]
        loud = tuple(item for item in moved if item.rose or item.ended)
        if loud:
            yield group, loud


def _owed(
    known: Sequence[Group], news: Mapping[str, News], audiences: Mapping[str, Audience], now: datetime
) -> Iterator[tuple[str, News, bool]]:
    """Receiver, incident, and whether it is recorded only: it is too old to be sent, or its audience is muted."""
    told = {(group.receiver, member.id) for group in known if not group.is_muted for member in group.members}
    recorded = {(group.receiver, member.id) for group in known if group.is_muted for member in group.members}
    for item in news.values():
        audience = audiences.get(item.incident.subject)
        if audience is None or not (item.opened or item.incident.status == "firing"):
            continue
        is_muted = bool(audience.mute or staleness(item, audience, now))
        for receiver in audience.told(item.incident.severity):
            place = (receiver, item.incident.id)
            if place not in told and not (is_muted and place in recorded):
                yield receiver, item, is_muted


def _joining(
    owed: Iterable[tuple[str, News, bool]], audiences: Mapping[str, Audience]
) -> dict[tuple[str, str], list[News]]:
    """What joins the group of each (receiver, key)."""
    joining: dict[tuple[str, str], list[News]] = {}
    for receiver, item, is_muted in owed:
        group_by = audiences[item.incident.subject].delivery.group_by
        place = receiver, group_key(item.incident, group_by, is_muted=is_muted)
        joining.setdefault(place, []).append(item)
    return joining


def staleness(item: News, audience: Audience, now: datetime) -> str:
    """Why an incident's newest anomaly is too old to be sent; empty where it is not. Health has no buckets to age."""
    incident = item.incident
    if incident.kind != "metric":
        return ""
    candidates: list[Reading] = [incident.first, incident.worst, incident.last]
    candidates += [transition.reading for transition in item.happened if not transition.ends]
    newest = max(reading.bucket for reading in candidates if reading.status in ("anomaly", "no_data"))
    age, limit = now - newest - _width(incident, audience), max_age(incident, audience)
    if age <= limit:
        return ""
    return (
        f"not sent: its newest anomalous bucket {newest:%Y-%m-%d %H:%M} UTC ended {length(age)} before it was judged, "
        f"more than {length(limit)}"
    )


def _width(incident: Incident, audience: Audience) -> timedelta:
    bucket = audience.metrics.get(incident.metric, Measure()).bucket
    return Bucket.parse(bucket).nominal if bucket else timedelta(0)


def _opened(receiver: str, key: str, first: Incident, now: datetime) -> Group:
    name = group_id(receiver, key, now, first)
    return Group(
        id=name, receiver=receiver, key=key, subject=subject_of(receiver, key, first.subject), opened=now, members=()
    )


def _deliver(
    before: Group, stir: Stir, news: Mapping[str, News], audiences: Mapping[str, Audience], now: datetime
) -> tuple[Group, Delivery]:
    audience = audiences.get(before.subject) or vanished_audience(before.subject)
    members = tuple(news[member.id].incident if member.id in news else member for member in before.members)
    members += tuple(item.incident for item in stir.joined)
    severity = before.severity_told
    for member in members:
        severity = more_severe(severity, member.severity)
    notice = decide(replace(before, members=members), stir, severity, audience.delivery, now)
    after = replace(
        before,
        members=members,
        severity_told=severity,
        sequence=before.sequence + 1,
        flushed=notice.not_before,
        closed=now if notice.kind == "resolve" else None,
    )
    changes = [entry(transition) for item in (*stir.joined, *stir.moved) for transition in item.happened]
    payload = notification(
        after,
        audience,
        notice.kind,
        sorted(changes, key=lambda change: change.at),
        now=now,
        joined=bool(stir.joined) and before.sequence > 0,
        raises_severity=before.sequence > 0 and severity != before.severity_told,
    )
    reason = _muted(stir, audience, now) if before.is_muted else notice.reason
    return after, Delivery(
        delivery_id=payload.delivery_id,
        receiver=after.receiver,
        group_id=after.id,
        sequence=after.sequence,
        kind=notice.kind,
        payload=payload,
        not_before=notice.not_before,
        reason=reason,
        is_muted=before.is_muted,
    )


def _muted(stir: Stir, audience: Audience, now: datetime) -> str:
    reasons = [audience.mute or staleness(item, audience, now) for item in stir.joined]
    return reasons[0] if reasons else "not sent: what opened this group was not sent either"


def _first(stir: Stir, at_once: bool) -> str:
    begun = "severity rose: " if at_once else ""
    return f"{begun}{count(len(stir.joined), 'incident')} opened the group"


def _all_ended(group: Group) -> str:
    retracted = sum(member.status == "retracted" for member in group.members)
    how = "retracted" if retracted == len(group.members) else "resolved"
    everyone = "its only incident is" if len(group.members) == 1 else f"all {len(group.members):,} incidents are"
    return f"{everyone} {how}"


def _changed(stir: Stir, still_open: int) -> str:
    ended = sum(item.ended for item in stir.moved)
    rose = sum(item.rose and not item.ended for item in stir.moved)
    parts = [f"{count(len(stir.joined), 'incident')} joined"] * bool(stir.joined)
    parts += [f"{count(rose, 'incident')} more severe"] * bool(rose)
    parts += [f"{count(ended, 'incident')} ended"] * bool(ended)
    return f"{', '.join(parts)}; {still_open:,} open"
