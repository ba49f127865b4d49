"""What is owed to whom after an evaluation: at most one delivery per group, each with its reason, muted ones too.

Two questions decide everything. What happened to the incidents that a receiver was told of (severity, end)? And which
incidents is a receiver owed that no open group of his holds yet? The second one is asked of states, not of
transitions, so that whoever becomes owed later (severity rose, catching up with old buckets) is told then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.core.attention import NO_ATTENTION, Attention, Remark, marked
from alerting.core.audiences import SHADOW, Audience, Measure, paging, vanished_audience
from alerting.core.figures import count, length
from alerting.core.groups import Delivery, Group, Reach, all_ended, group_id, group_key
from alerting.core.incidents import SEVERITIES, Incident, Reading, SeriesState, Severity, Transition, more_severe
from alerting.core.storm import subject_of, valve
from alerting.core.views import entry, notification
from config.model import DeliveryRules, age_limit
from detectors.buckets import Bucket
from notifiers.contract import Kind, TimelineEntry


@dataclass(frozen=True)
class Plan:
    """``groups`` as they are after these ``deliveries`` (only those that changed, each with its delivery in turn)."""

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
    def flaps(self) -> bool:
        return any(transition.began_flapping for transition in self.happened)

    @property
    def ended(self) -> bool:
        return any(transition.ends for transition in self.happened)


@dataclass(frozen=True)
class Stir:
    """What moves one group: incidents that join it, members to which something happened, and what else is said."""

    joined: tuple[News, ...] = ()
    moved: tuple[News, ...] = ()
    remarks: tuple[Remark, ...] = ()


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
    attention: Attention = NO_ATTENTION,
    remarks: Sequence[Remark] = (),
) -> Plan:
    """The groups and deliveries that follow from an evaluation.

    ``states`` are those that changed (they hold the newest version of each open incident), ``groups`` the open ones of
    all receivers, ``audiences`` by subject; a subject without one was removed and only closes what it told.
    ``attention`` says what is kept quiet, ``remarks`` what is said beside what happened.
    """
    news = _news(transitions, states)
    known = [group for group in groups if group.is_open_at(now)]
    stirs = {(group.receiver, group.key): (group, stir) for group, stir in _stirred(known, news, remarks)}
    standing = {(group.receiver, group.key): group for group in known}
    wanted = _joining(_owed(known, news, audiences, attention, now), audiences)
    for place, joined in valve(wanted, known, paging(audiences), now).items():
        group = standing.get(place) or _opened(*place, joined[0].incident, now)
        stirs[place] = group, replace(stirs[place][1] if place in stirs else Stir(), joined=tuple(joined))
    planned = [_deliver(group, stir, news, audiences, attention, now) for group, stir in stirs.values()]
    return Plan(tuple(group for group, _ in planned), tuple(delivery for _, delivery in planned))


def decide(group: Group, stir: Stir, severity: Severity, rules: DeliveryRules, now: datetime) -> Notice:
    """When and why a group speaks that something stirs; ``group.members`` are as they are now, joined ones included."""
    still_open = sum(member.is_open for member in group.members)
    flushed = group.flushed or now
    at = flushed if flushed > now else max(now, flushed + rules.group_interval)
    if not still_open:
        return Notice("resolve", at if group.sequence else now, all_ended(group))
    if not group.sequence:
        at_once = any(item.rose for item in stir.joined)
        return Notice("trigger", now if at_once else now + rules.group_wait, _first(stir, at_once))
    if SEVERITIES.index(severity) > SEVERITIES.index(group.severity_told):
        return Notice("update", now, f"severity rose to {severity}")
    if stir.remarks:
        told = [remark.text for remark in stir.remarks] + [_changed(stir, still_open)] * bool(stir.joined or stir.moved)
        return Notice("update", now if group.sent_version else max(now, flushed), "; ".join(told))
    return Notice("update", at, _changed(stir, still_open))


def max_age(incident: Incident, audience: Audience) -> timedelta:
    """How long after its bucket ended an anomaly is still worth telling."""
    return age_limit(audience.max_age, _width(incident, audience))


def _news(transitions: Sequence[Transition], states: Iterable[SeriesState]) -> dict[str, News]:
    news: dict[str, News] = {}
    for transition in transitions:
        incident = transition.incident
        if incident is None:
            continue
        said = news[incident.id].happened if incident.id in news else ()
        loud = transition.opens or transition.severity_rose or transition.began_flapping or transition.ends
        news[incident.id] = News(incident, (*said, transition) if loud else said)
    for state in states:
        if state.incident is not None:
            before = news.get(state.incident.id, News(state.incident))
            news[state.incident.id] = replace(before, incident=state.incident)
    return news


def _stirred(
    known: Iterable[Group], news: Mapping[str, News], remarks: Sequence[Remark]
) -> Iterator[tuple[Group, Stir]]:
    """The groups with a member whose severity rose, that began to flap or that ended, and those to which something
    else is said."""
    for group in known:
        moved = [news[member.id] for member in group.members if member.id in news]
        loud = tuple(item for item in moved if item.rose or item.flaps or item.ended)
        said = tuple(remark for remark in remarks if group.id in remark.groups)
        if loud or said:
            yield group, Stir(moved=loud, remarks=said)


def _owed(
    known: Sequence[Group],
    news: Mapping[str, News],
    audiences: Mapping[str, Audience],
    attention: Attention,
    now: datetime,
) -> Iterator[tuple[str, News, Reach]]:
    """Receiver, incident, and whether it is recorded only: nobody wants to hear of it now, or it is in shadow."""
    told = {(group.receiver, member.id) for group in known if not group.is_muted for member in group.members}
    recorded = {(group.receiver, member.id) for group in known if group.is_muted for member in group.members}
    heard_of = {incident for _, incident in told}
    shadowed = {member.id for group in known if group.is_shadow for member in group.members} - heard_of
    for item in news.values():
        audience = audiences.get(item.incident.subject)
        if audience is None or not (item.opened or item.incident.status == "firing"):
            continue
        reach = _reach(item, audience, attention, now, is_shadowed=item.incident.id in shadowed)
        for receiver in audience.told(item.incident.severity):
            place = (receiver, item.incident.id)
            if place not in told and not (reach != "told" and place in recorded):
                yield receiver, item, reach


def _reach(item: News, audience: Audience, attention: Attention, now: datetime, *, is_shadowed: bool) -> Reach:
    """``is_shadowed``: it was recorded in shadow mode, and stays so although the subscription may be live by now."""
    if audience.is_shadow or is_shadowed:
        return "shadow"
    return "muted" if _unwanted(item, audience, attention, now) else "told"


def _joining(
    owed: Iterable[tuple[str, News, Reach]], audiences: Mapping[str, Audience]
) -> dict[tuple[str, str], list[News]]:
    """What joins the group of each (receiver, key)."""
    joining: dict[tuple[str, str], list[News]] = {}
    for receiver, item, reach in owed:
        group_by = audiences[item.incident.subject].delivery.group_by
        place = receiver, group_key(item.incident, group_by, reach)
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
    before: Group,
    stir: Stir,
    news: Mapping[str, News],
    audiences: Mapping[str, Audience],
    attention: Attention,
    now: datetime,
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
        closed=notice.not_before if notice.kind == "resolve" else None,
    )
    payload = notification(
        after,
        audience,
        notice.kind,
        _changes(stir, now),
        now=now,
        joined=bool(stir.joined) and before.sequence > 0,
        raises_severity=before.sequence > 0 and severity != before.severity_told,
    )
    muted = _muted(before, stir, notice, audience, attention, now)
    if muted and not before.is_muted:
        after = replace(after, severity_told=before.severity_told, flushed=before.flushed)
    concerned = _concerned(after, stir)
    silence = attention.silence_of(concerned, now)
    return after, Delivery(
        delivery_id=payload.delivery_id,
        receiver=after.receiver,
        group_id=after.id,
        sequence=after.sequence,
        kind=notice.kind,
        payload=marked(payload, concerned, stir.remarks, attention, now),
        not_before=notice.not_before,
        reason=muted or notice.reason,
        is_muted=bool(muted),
        mute_untold=f"not sent: {silence.text()}" if silence and not muted else "",
    )


def _changes(stir: Stir, now: datetime) -> list[TimelineEntry]:
    """What is new, oldest first. A reminder is no change."""
    changes = [entry(transition) for item in (*stir.joined, *stir.moved) for transition in item.happened]
    changes += [TimelineEntry(at=now, text=remark.text) for remark in stir.remarks if remark.event != "reminder"]
    return sorted(changes, key=lambda change: change.at)


def _concerned(group: Group, stir: Stir) -> list[Incident]:
    """The incidents that a notice is about: those that are open, else those that have just ended."""
    still_open = [member for member in group.members if member.is_open]
    return still_open or [item.incident for item in (*stir.joined, *stir.moved)]


def _unwanted(item: News, audience: Audience, attention: Attention, now: datetime) -> str:
    """Why an incident is recorded only; empty = it is sent."""
    hush = attention.hush(item.incident, now)
    return audience.hushed(now) or staleness(item, audience, now) or (f"not sent: {hush}" if hush else "")


def _muted(group: Group, stir: Stir, notice: Notice, audience: Audience, attention: Attention, now: datetime) -> str:
    """Why this is not sent; empty: it is. What was told before gets its resolve, in shadow mode too."""
    if group.is_shadow or (audience.is_shadow and notice.kind == "update"):
        return f"{SHADOW}; it would have been: {notice.reason}"
    if not group.is_muted:
        return ""
    reasons = [_unwanted(item, audience, attention, now) for item in stir.joined]
    return reasons[0] if reasons else "not sent: what opened this group was not sent either"


def _first(stir: Stir, at_once: bool) -> str:
    begun = "severity rose: " if at_once else ""
    return f"{begun}{count(len(stir.joined), 'incident')} opened the group"


def _changed(stir: Stir, still_open: int) -> str:
    ended = sum(item.ended for item in stir.moved)
    rose = sum(item.rose and not item.ended for item in stir.moved)
    flapping = sum(item.flaps and not item.ended for item in stir.moved)
    parts = [f"{count(len(stir.joined), 'incident')} joined"] * bool(stir.joined)
    parts += [f"{count(rose, 'incident')} more severe"] * bool(rose)
    parts += [f"{count(flapping, 'incident')} began to flap"] * bool(flapping)
    parts += [f"{count(ended, 'incident')} ended"] * bool(ended)
    return f"{', '.join(parts)}; {still_open:,} open"
