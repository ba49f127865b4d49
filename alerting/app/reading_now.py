"""What is unusual now: open incidents grouped as their messages are, then what else is not normal, then the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.app.application import App
from alerting.app.reading_normal import MOST_NAMES, NoReading, Pending, Trouble, calm, pending, silent, troubles
from alerting.app.reading_points import audience_of_subject
from alerting.core import views
from alerting.core.attention import Attention, marked
from alerting.core.audiences import Audience
from alerting.core.groups import group_key
from alerting.core.health import QueryState
from alerting.core.incidents import Incident
from alerting.hearing import shown_from
from alerting.pipeline import attention_of
from alerting.store.overview import Membership
from config.model import Config, Metric, Subscription
from notifiers import standing, wording
from notifiers.contract import Notification

MOST_INCIDENTS = 2000
MOST_GROUPS = 60
MOST_CHARTS = 7
"""Of one group: the worst series large, some more small."""


@dataclass(frozen=True)
class Filters:
    """What somebody wants to see; empty = everything. ``text`` is found in names, labels and tags, in any case."""

    team: str = ""
    tag: str = ""
    subscription: str = ""
    text: str = ""

    @property
    def are_set(self) -> bool:
        return bool(self.team or self.tag or self.subscription or self.text)

    def match(self, subscription: Subscription, metric: Metric, labels: Mapping[str, str] | None = None) -> bool:
        words = (subscription.name, subscription.team or "", metric.name, *metric.tags, *(labels or {}).values())
        return (
            (not self.team or subscription.team == self.team)
            and (not self.tag or self.tag in metric.tags)
            and (not self.subscription or subscription.name == self.subscription)
            and any(self.text.casefold() in word.casefold() for word in words)
        )


@dataclass(frozen=True)
class Sketch:
    """A chart to draw: one series with the band of the entry that accused it."""

    incident: str
    title: str
    metric: str
    labels: Mapping[str, str]
    subscription: str
    entry: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Card:
    """One group of open incidents. ``headline``, ``since`` and ``others`` as its messages say them.

    ``attention`` who has acknowledged it, until when it is silenced · ``hushed`` why nobody is told (empty: people
    are) · ``told`` its receivers · ``count`` open incidents, of which ``others`` names some.
    """

    lead: Incident
    subscription: str
    state: standing.State
    headline: str
    since: str
    attention: str
    hushed: str
    target: str
    """What an action is done to: the group that people were told of, else the lead."""
    told: tuple[str, ...]
    owner: str
    runbook: str | None
    timezone: str
    count: int
    others: tuple[tuple[str, str], ...]
    """(incident id, its own headline), worst first."""
    charts: tuple[Sketch, ...]


@dataclass(frozen=True)
class Choices:
    """What the filters can be set to."""

    teams: tuple[str, ...]
    tags: tuple[str, ...]
    subscriptions: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """Everything on the page of now. ``watched`` metrics pass the filters, ``normal`` of them have nothing to say.

    ``oldest`` is the oldest of their last evaluations; None: there was none yet. ``unlisted`` groups are not shown.
    """

    cards: tuple[Card, ...]
    unlisted: int
    pending: tuple[Pending, ...]
    silent: tuple[NoReading, ...]
    troubles: tuple[Trouble, ...]
    watched: int
    names: tuple[str, ...]
    """Some of the metrics watched."""
    normal: int
    oldest: datetime | None
    choices: Choices


def board(app: App, now: datetime, filters: Filters = Filters()) -> Board:
    """What is unusual now, worst first. Raises StoreError."""
    config, attention = app.config, attention_of(app.store, now)
    incidents = app.store.incidents(open_only=True, limit=MOST_INCIDENTS)
    memberships = app.store.overview.memberships()
    of_metrics = [one for one in incidents if one.kind == "metric" and _is_wanted(one, config, filters)]
    groups = _grouped(of_metrics, app)
    states = app.store.query_states()
    cards = [_card(app, members, memberships, attention, states, now) for members in groups]
    cards.sort(key=_urgency)
    pairs = [
        (subscription, config.metrics[name])
        for subscription in config.subscriptions.values()
        for name in subscription.metrics
        if filters.match(subscription, config.metrics[name])
    ]
    waiting = pending(app, filters.match)
    without = silent(app, pairs, states)
    wrong = troubles(app, pairs, states, [one for one in incidents if one.kind != "metric"], filters.are_set, now)
    unusual = {one.metric for one in of_metrics} | {one.metric for one in waiting} | {one.metric for one in without}
    rest = calm(pairs, states, unusual, {one.query for one in wrong})
    return Board(
        cards=tuple(cards[:MOST_GROUPS]),
        unlisted=max(len(cards) - MOST_GROUPS, 0),
        pending=waiting,
        silent=without,
        troubles=wrong,
        watched=rest.watched,
        names=tuple(sorted({metric.name for _, metric in pairs})[:MOST_NAMES]),
        normal=rest.normal,
        oldest=rest.oldest,
        choices=_choices(config),
    )


def _is_wanted(incident: Incident, config: Config, filters: Filters) -> bool:
    if not filters.are_set:
        return True
    subscription = config.subscriptions.get(incident.subject.partition(":")[2])
    metric = config.metrics.get(incident.metric)
    return subscription is not None and metric is not None and filters.match(subscription, metric, incident.labels)


def _grouped(incidents: Iterable[Incident], app: App) -> list[list[Incident]]:
    """As messages group them, worst first in each."""
    found: dict[str, list[Incident]] = {}
    for incident in incidents:
        group_by = audience_of_subject(app, incident.subject).delivery.group_by
        found.setdefault(group_key(incident, group_by), []).append(incident)
    return [views.worst_first(members) for members in found.values()]


def _card(
    app: App,
    members: Sequence[Incident],
    memberships: Mapping[str, Sequence[Membership]],
    attention: Attention,
    states: Mapping[str, QueryState],
    now: datetime,
) -> Card:
    lead, audience = members[0], audience_of_subject(app, members[0].subject)
    said = marked(_notification(members, audience, now), members, (), attention, now)
    groups = [one for member in members for one in memberships.get(member.id, ())]
    visible = [one for one in groups if one.reach == "told"]
    told = tuple(dict.fromkeys(one.receiver for one in visible))
    return Card(
        lead=lead,
        subscription=audience.name,
        state=standing.state(said),
        headline=wording.headline(said),
        since=wording.since_line(said),
        attention=standing.phrase(said).partition(" · ")[2],
        hushed="" if told else _hushed(audience, groups, now),
        target=visible[0].id if visible else lead.id,
        told=told,
        owner=audience.owner.team or "",
        runbook=audience.runbook,
        timezone=audience.timezone,
        count=len(members),
        others=tuple((one.id, _headline(one, audience, now)) for one in members[1:MOST_CHARTS]),
        charts=tuple(_sketches(app, members[:MOST_CHARTS], states)),
    )


def _notification(members: Sequence[Incident], audience: Audience, now: datetime) -> Notification:
    """What a message about these incidents would say."""
    listed = members[: views.MOST_INCIDENTS]
    return Notification(
        delivery_id=members[0].id,
        group_id=members[0].id,
        receiver="page",
        sequence=1,
        kind="trigger",
        severity=members[0].severity,
        subscription=audience.name,
        created=now,
        timezone=audience.timezone,
        incidents=tuple(views.view(one, audience) for one in listed),
        unlisted=len(members) - len(listed),
    )


def _headline(incident: Incident, audience: Audience, now: datetime) -> str:
    return wording.headline(_notification([incident], audience, now))


def _hushed(audience: Audience, groups: Sequence[Membership], now: datetime) -> str:
    """Why nobody is told."""
    if any(one.reach == "shadow" for one in groups) or audience.is_shadow:
        return "shadow: nobody is told"
    if not groups:
        return "nobody is told of incidents of this severity"
    return audience.hushed(now) or "recorded only: nobody was told"


def _sketches(app: App, members: Iterable[Incident], states: Mapping[str, QueryState]) -> Iterable[Sketch]:
    config = app.config
    for one in members:
        metric = config.metrics.get(one.metric)
        state = states.get(metric.query) if metric else None
        if metric is None or state is None or state.watermark is None:
            continue  # the rule is gone, or nothing of it was pulled: the words stay
        since = min(shown_from(config.queries[metric.query], state.watermark), one.opened)
        subscription, entry = one.subject.partition(":")[2], one.last.detector or one.worst.detector
        title = wording.title(views.view(one, audience_of_subject(app, one.subject)))
        yield Sketch(one.id, title, one.metric, one.labels, subscription, entry, since, state.watermark)


def _urgency(card: Card) -> tuple[bool, bool, tuple[bool, int, float, datetime, str]]:
    """Before those that nobody has to do anything about; then as messages order them."""
    return bool(card.hushed), card.state == "silenced", views.place(card.lead)


def _choices(config: Config) -> Choices:
    subscriptions = config.subscriptions.values()
    return Choices(
        teams=tuple(sorted({one.team for one in subscriptions if one.team})),
        tags=tuple(sorted({tag for metric in config.metrics.values() for tag in metric.tags})),
        subscriptions=tuple(sorted(config.subscriptions)),
    )
