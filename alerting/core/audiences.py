"""Who is told of a subject's incidents, and what a message needs to know of it beyond the incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from alerting.core.health import ReceiverKind
from alerting.core.incidents import SEVERITIES, Severity
from alerting.core.storm import storm_subject
from config.model import PAGING, Config, DeliveryRules, MuteWindow, Query, Subscription
from notifiers.contract import Owner

SHADOW = "shadow: nobody is told"
_MINUTE = timedelta(minutes=1)
_WEEK = timedelta(weeks=1)
_HEALTH_REPEATS = timedelta(hours=24)


@dataclass(frozen=True)
class Measure:
    """How a metric is measured. ``bucket`` as written (``1h``)."""

    unit: str | None = None
    better: Literal["higher", "lower"] | None = None
    bucket: str | None = None
    additive: bool = False
    """True where a value counts what happened in its bucket, so that it reads as a rate."""


@dataclass(frozen=True)
class Audience:
    """Everything that planning a notice knows of one subject.

    ``receivers`` by the least severity that reaches them. ``links`` title → URL; ``{incident}`` in a URL becomes the id
    of the incident that the message leads with.
    """

    subject: str
    name: str
    receivers: Mapping[Severity, tuple[str, ...]] = field(default_factory=dict)
    timezone: str = "UTC"
    owner: Owner = field(default_factory=Owner)
    runbook: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    delivery: DeliveryRules = field(default_factory=DeliveryRules)
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    max_age: timedelta | None = None
    """How old an anomaly may be to be sent; None = the larger of 24 h and 3 buckets."""
    feeds: int = 0
    """Of a query: how many watched metrics suffer while it is late or failing."""
    pages: bool = False
    """True where its receivers wake people, so that a storm becomes one message."""
    mute: str = ""
    """Why whatever opens is recorded and not sent; empty = it is sent."""
    is_shadow: bool = False
    """True: nobody is told, neither of what opens nor of how it goes on."""

    windows: tuple[MuteWindow, ...] = ()
    """When, every week, whatever opens is not sent until the window is over."""

    def hushed(self, now: datetime) -> str:
        """Why whatever opens now is recorded and not sent; empty = it is sent."""
        if self.is_shadow:
            return SHADOW
        window = next((one for one in self.windows if one.hours.holds(now, self.timezone)), None)
        return self.mute or (f"not sent: mute window {window.text}" if window else "")

    def told(self, severity: Severity) -> tuple[str, ...]:
        """Who hears of an incident of this severity: its own receivers and those of every lower one."""
        levels = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(dict.fromkeys(name for level in levels for name in self.receivers.get(level, ())))


def unhushed(audience: Audience, before: datetime, now: datetime) -> bool:
    """True where a mute window ended after ``before`` and none holds ``now``: what opened in it is owed."""
    if not audience.windows or audience.hushed(now):
        return False
    moment = max(before, now - _WEEK)
    while moment < now:  # windows begin and end at whole minutes: no step misses one
        if audience.hushed(moment):
            return True
        moment += _MINUTE
    return False


def audience_of(subscription: Subscription, config: Config, *, public_url: str | None = None) -> Audience:
    """Who is told of a subscription's incidents."""
    return Audience(
        subject=f"subscription:{subscription.name}",
        name=subscription.name,
        receivers=subscription.notify,
        timezone=subscription.timezone,
        owner=Owner(team=subscription.team, slack=subscription.slack_owner),
        runbook=subscription.runbook,
        links=_links(public_url),
        delivery=subscription.delivery,
        max_age=subscription.incident.max_age,
        is_shadow=subscription.mode == "shadow",
        windows=subscription.mute,
        metrics={name: _measure(config, name) for name in subscription.metrics},
    )


def audience_of_query(query: Query, *, feeds: int = 0, public_url: str | None = None) -> Audience:
    """Who is told that a query is late, failing, empty or changed: ``on_error.notify``."""
    return Audience(
        subject=f"query:{query.name}",
        name=query.name,
        receivers={"info": query.on_error.notify},
        timezone=query.timezone,
        delivery=DeliveryRules(repeat_interval=_HEALTH_REPEATS),
        links=_links(public_url),
        metrics={query.name: Measure(bucket=query.bucket.text)},
        feeds=feeds,
    )


def audience_of_file(path: str, receivers: Sequence[str], *, public_url: str | None = None) -> Audience:
    """Who is told that a file of the configuration does not load."""
    return Audience(
        subject=f"config:{path}",
        name=path,
        receivers={"info": tuple(receivers)},
        links=_links(public_url),
        delivery=DeliveryRules(repeat_interval=_HEALTH_REPEATS),
    )


def audience_of_receiver(
    name: str, receivers: Sequence[str], kind: ReceiverKind = "receiver", *, public_url: str | None = None
) -> Audience:
    """Who is told that a receiver is out of order, or that a delivery to it was given up: others than itself.

    A canary that did not come out may be lost before it reached its receiver: that one is told too.
    """
    others = tuple(other for other in receivers if other != name or kind == "canary")
    return Audience(
        subject=f"{kind}:{name}",
        name=name,
        receivers={"info": others},
        links=_links(public_url),
        delivery=DeliveryRules() if kind == "receiver" else DeliveryRules(repeat_interval=_HEALTH_REPEATS),
    )


def audience_of_storm(receiver: str, config: Config, *, public_url: str | None = None) -> Audience:
    """Who is told of a storm: one receiver that wakes people, whose groups span subscriptions then."""
    return Audience(
        subject=storm_subject(receiver),
        name=f"storm of {receiver}",
        receivers={"info": (receiver,)},
        links=_links(public_url),
        metrics={name: _measure(config, name) for name in config.metrics},
        pages=True,
    )


def paging(audiences: Mapping[str, Audience]) -> frozenset[str]:
    """The receivers that wake people."""
    return frozenset(name for audience in audiences.values() if audience.pages for name in audience.told("info"))


def on_error_receivers(config: Config) -> tuple[str, ...]:
    """Whoever is told of the health of any query."""
    return tuple(dict.fromkeys(name for query in config.queries.values() for name in query.on_error.notify))


def audiences(config: Config, *, public_url: str | None = None) -> dict[str, Audience]:
    """Every subscription's and every query's audience, and those of storms, by subject."""
    found = [audience_of(subscription, config, public_url=public_url) for subscription in config.subscriptions.values()]
    for query in config.queries.values():
        feeds = len({metric.name for _, metric in config.watched(query.name)})
        found.append(audience_of_query(query, feeds=feeds, public_url=public_url))
    found += [audience_of_storm(name, config, public_url=public_url) for name in _paging_receivers(config)]
    return {audience.subject: audience for audience in found}


def vanished_audience(subject: str) -> Audience:
    """What is left of a subject that was removed: a name. It still closes what was told."""
    return Audience(subject=subject, name=subject.partition(":")[2])


def _paging_receivers(config: Config) -> list[str]:
    return [name for name, receiver in config.receivers.items() if receiver.notifier in PAGING]


def _measure(config: Config, name: str) -> Measure:
    metric = config.metrics[name]
    bucket = config.queries[metric.query].bucket.text
    return Measure(metric.unit, metric.better, bucket, additive=metric.rollup == "sum")


def _links(public_url: str | None) -> dict[str, str]:
    return {"Why": f"{public_url.rstrip('/')}/incidents/{{incident}}"} if public_url else {}
