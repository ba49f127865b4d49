"""Subscriptions: as they are written, what they did last, and what they would do today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from alerting.app.application import App
from alerting.app.reading import IncidentLine, lines_of
from alerting.app.reading_names import NotFound
from alerting.app.reading_points import audience_of_subject
from alerting.core.audiences import Audience
from alerting.core.decisions import subject_of
from alerting.core.groups import Group
from alerting.core.incidents import SEVERITIES, Severity
from alerting.store import ReceiverState
from config.model import Detect, Subscription
from config.origins import Origin, origin
from config.problems import suggestion
from detectors.rates import per_month, written

Mode = Literal["live", "shadow", "muted"]
MOST_ALERTS = 20
_NOWHERE = Origin("", 0, "")


class UnknownSubscription(NotFound):
    """The configuration has no such subscription."""


@dataclass(frozen=True)
class Told:
    """One receiver. ``severity`` the least that reaches it · ``note`` why it hears nothing at the moment, or who is
    told instead; empty: it is told."""

    receiver: str
    kind: str
    severity: Severity
    note: str


@dataclass(frozen=True)
class SubscriptionLine:
    """One subscription as it is written.

    ``mode``: ``muted`` where nobody is told of anything (METRICWATCH_MUTE) · ``hushed`` why whatever opens now is not
    sent, empty: it is · ``pages_per_month`` by its budgets, None where no entry has one · ``open`` how many of its
    incidents are open.
    """

    name: str
    origin: Origin
    mode: Mode
    hushed: str
    team: str | None
    runbook: str | None
    timezone: str
    metrics: tuple[str, ...]
    detect: tuple[str, ...]
    told: tuple[Told, ...]
    pages_per_month: float | None
    open: int


@dataclass(frozen=True)
class OpenGroup:
    """One message that stands: who got it, or why nobody did (``note``), since when, and its open incidents."""

    id: str
    receiver: str
    severity: Severity
    opened: datetime
    incidents: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class SubscriptionPage:
    """``alerts``: open ones first, then the newest."""

    line: SubscriptionLine
    alerts: tuple[IncidentLine, ...]
    groups: tuple[OpenGroup, ...]


def subscriptions(app: App, now: datetime) -> tuple[SubscriptionLine, ...]:
    """In the order of the files. Raises StoreError."""
    return lines_of_subscriptions(app, app.config.subscriptions.values(), now)


def lines_of_subscriptions(app: App, wanted: Iterable[Subscription], now: datetime) -> tuple[SubscriptionLine, ...]:
    """These, in their order. Raises StoreError."""
    open_ones = [one.subject for one in app.store.incidents(open_only=True, limit=1_000_000)]
    troubles = _troubles(app)
    return tuple(replace(_line(app, one, troubles, now), open=open_ones.count(subject_of(one.name))) for one in wanted)


def subscription_page(app: App, name: str, now: datetime) -> SubscriptionPage:
    """Raises UnknownSubscription, StoreError."""
    found = app.config.subscriptions.get(name)
    if found is None:
        mistakes = "; the configuration has mistakes, see: metricwatch check" if app.loaded.errors else ""
        raise UnknownSubscription(
            f"there is no subscription {name!r}{suggestion(name, app.config.subscriptions)}{mistakes}"
        )
    subject = subject_of(name)
    still_open = app.store.incidents(open_only=True, subject=subject, limit=1_000_000)
    newest = [one for one in app.store.incidents(subject=subject, limit=MOST_ALERTS) if not one.is_open]
    line = replace(_line(app, found, _troubles(app), now), open=len(still_open))
    groups = tuple(_group(one) for one in app.store.open_groups() if one.subject == subject)
    return SubscriptionPage(line, lines_of(app, [*still_open, *newest][:MOST_ALERTS], now), groups)


def in_words(entry: Detect) -> str:
    """A detect entry as a person would say it: ``threshold: below 20; of shop.orders; the total only``."""
    set_ones = entry.detector.model_dump(exclude_defaults=True)
    budget = entry.detector.spends()
    if budget is not None:
        set_ones = {"budget": written(budget), **{k: v for k, v in set_ones.items() if k not in ("budget", "timezone")}}
    parts = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in set_ones.items() if name != "timezone"]
    if entry.metric:
        parts.append(f"of {entry.metric}")
    if entry.where == "total":
        parts.append("the total only")
    elif entry.where is not None:
        parts.append("where " + ", ".join(f"{name} is {value}" for name, value in entry.where.items()))
    if entry.severity:
        parts.append(f"always {entry.severity}")
    else:
        parts.append("never critical" if entry.critical is None else f"critical from score {entry.critical:g}")
    return f"{entry.key}: {'; '.join(parts)}"


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _line(app: App, found: Subscription, troubles: dict[str, ReceiverState], now: datetime) -> SubscriptionLine:
    audience = audience_of_subject(app, subject_of(found.name))
    budgets = [rate for entry in found.detect if (rate := entry.detector.spends()) is not None]
    return SubscriptionLine(
        name=found.name,
        origin=origin(app.loaded.texts, "subscriptions", found.name) or _NOWHERE,
        mode="muted" if audience.mute else found.mode,
        hushed=audience.hushed(now),
        team=found.team,
        runbook=found.runbook,
        timezone=found.timezone,
        metrics=found.metrics,
        detect=tuple(map(in_words, found.detect)),
        told=_told(app, audience, troubles, now),
        pages_per_month=per_month(sum(budgets)) if budgets else None,
        open=0,
    )


def _told(app: App, audience: Audience, troubles: dict[str, ReceiverState], now: datetime) -> tuple[Told, ...]:
    hushed = audience.hushed(now)
    least = {name: severity for severity in reversed(SEVERITIES) for name in audience.receivers.get(severity, ())}
    return tuple(
        Told(name, app.config.receivers[name].notifier, least[name], hushed or _trouble(troubles.get(name)))
        for name in sorted(least, key=lambda name: (SEVERITIES.index(least[name]), name))
    )


def _trouble(state: ReceiverState | None) -> str:
    if state is None:
        return ""
    instead = f"; {state.fallback} is told instead" if state.fallback else ""
    return f"out of order: {state.reason}{instead}"


def _troubles(app: App) -> dict[str, ReceiverState]:
    return {state.name: state for state in app.store.outbox.receivers_in_trouble()}


def _group(group: Group) -> OpenGroup:
    still_open = [member for member in group.members if member.is_open]
    severities: Sequence[Severity] = [member.severity for member in still_open] or [group.severity_told]
    note = "shadow: nobody is told" if group.is_shadow else "not sent: it was muted when it opened"
    return OpenGroup(
        id=group.id,
        receiver=group.receiver,
        severity=max(severities, key=SEVERITIES.index),
        opened=group.opened,
        incidents=tuple(member.id for member in still_open),
        note=note if group.is_muted else "",
    )
