"""What follows from judged buckets: incidents advance, groups are stirred, deliveries are owed. Pure.

``pipeline`` calls it once per evaluation, ``backtest`` once per bucket of history: one truth about what alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from alerting.core import inhibition
from alerting.core.attention import NO_ATTENTION, Attention, Remark
from alerting.core.audiences import Audience
from alerting.core.blocks import fingerprint
from alerting.core.groups import Delivery, Group
from alerting.core.incidents import SeriesState, Transition
from alerting.core.lifecycle import retire
from alerting.core.notices import plan
from alerting.core.readings import Combined
from alerting.core.restating import reconsider, revise
from alerting.core.sweep import advance_panel
from config.model import Subscription
from detectors.buckets import as_instant


@dataclass(frozen=True)
class Finding:
    """What all detect entries of one subscription say of one metric.

    ``combined`` are the buckets not taken in before; ``again`` is set where restated values changed the judgement of
    earlier ones, and covers the open incidents of the metric. Buckets before ``opens_from`` open nothing. ``width`` is
    that of a bucket, by which flapping is noticed; None = it is not.
    """

    subscription: Subscription
    metric: str
    combined: Combined
    opens_from: datetime
    again: Combined | None = None
    width: timedelta | None = None

    @property
    def subject(self) -> str:
        return subject_of(self.subscription.name)


@dataclass(frozen=True)
class Change:
    """States that moved, and how."""

    states: tuple[SeriesState, ...] = ()
    transitions: tuple[Transition, ...] = ()

    def __add__(self, other: Change) -> Change:
        return Change(self.states + other.states, self.transitions + other.transitions)


@dataclass(frozen=True)
class Standing:
    """How things stood before: states by subject and fingerprint, and the open groups of all receivers.

    ``attention``: silences and acknowledgements · ``sources``: the queries of each metric · ``inhibitors``: the kinds
    of health incidents that inhibit them.
    """

    states: Mapping[str, Mapping[str, SeriesState]]
    groups: tuple[Group, ...] = ()
    attention: Attention = NO_ATTENTION
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inhibitors: tuple[str, ...] = inhibition.KINDS

    def after(self, decision: Decision, now: datetime) -> Standing:
        """How things stand once the decision is recorded; groups that closed before ``now`` are forgotten."""
        states = {subject: dict(series) for subject, series in self.states.items()}
        for state in decision.change.states:
            states.setdefault(state.subject, {})[state.fingerprint] = state
        groups = {group.id: group for group in (*self.groups, *decision.groups)}
        return replace(self, states=states, groups=tuple(group for group in groups.values() if group.is_open_at(now)))


@dataclass(frozen=True)
class Decision:
    """All that one evaluation decided, to be recorded in one transaction."""

    change: Change = Change()
    groups: tuple[Group, ...] = ()
    deliveries: tuple[Delivery, ...] = ()

    @property
    def is_quiet(self) -> bool:
        return not (self.change.states or self.change.transitions or self.deliveries)


def subject_of(subscription: str) -> str:
    return f"subscription:{subscription}"


def decide(
    findings: Iterable[Finding],
    health: Change,
    standing: Standing,
    audiences: Mapping[str, Audience],
    *,
    now: datetime,
) -> Decision:
    """Incidents advance over the findings, then everybody who is owed a notice gets one planned."""
    change = health
    for finding in findings:
        known = standing.states.get(finding.subject, {})
        change += _restated(finding, known, now)
        known = {**known, **{state.fingerprint: state for state in change.states if state.subject == finding.subject}}
        states, transitions = advance_panel(
            known,
            finding.combined,
            finding.subscription.incident,
            subject=finding.subject,
            metric=finding.metric,
            now=now,
            opens_from=finding.opens_from,
            width=finding.width,
        )
        change += Change(tuple(states), tuple(transitions))
    return told(change, standing, audiences, now=now)


def told(
    change: Change,
    standing: Standing,
    audiences: Mapping[str, Audience],
    *,
    now: datetime,
    remarks: Sequence[Remark] = (),
    again: Iterable[SeriesState] = (),
) -> Decision:
    """The decision that consists of this change and of the notices that it owes.

    ``again``: states that did not change, whose incidents somebody may be owed all the same (a silence has ended).
    """
    newest = {(state.subject, state.fingerprint): state for state in change.states}
    after = standing.after(Decision(replace(change, states=tuple(newest.values()))), now).states
    ailing = inhibition.ailing(after, standing.sources, standing.inhibitors)
    released = inhibition.freed(standing.states, after, standing.sources, ailing)
    seen = {(state.subject, state.fingerprint): state for state in (*again, *released)} | newest
    attention = replace(standing.attention, ailing=ailing)
    planned = plan(
        change.transitions, seen.values(), standing.groups, audiences, now=now, attention=attention, remarks=remarks
    )
    bad = {
        subject: sum(state.first_pending is not None for state in series.values()) for subject, series in after.items()
    }
    deliveries = tuple(
        replace(delivery, payload=delivery.payload.model_copy(update={"pending": bad.get(group.subject, 0)}))
        for group, delivery in zip(planned.groups, planned.deliveries, strict=True)
    )
    return Decision(replace(change, states=tuple(newest.values())), planned.groups, deliveries)


def retired(states: Iterable[SeriesState], *, now: datetime, cause: str) -> Change:
    """The open and pending incidents of rules that are gone, resolved."""
    change = Change()
    for state in states:
        if not state.is_quiet:
            after, transitions = retire(state, now, cause)
            change += Change((after,), tuple(transitions))
    return change


def _restated(finding: Finding, known: Mapping[str, SeriesState], now: datetime) -> Change:
    if finding.again is None:
        return Change()
    places = {fingerprint(finding.metric, labels): s for s, labels in enumerate(finding.again.labels)}
    change = Change()
    for state in known.values():
        if state.metric == finding.metric and not state.is_quiet and state.fingerprint in places:
            change += _revised(finding, finding.again, state, places[state.fingerprint], now)
    return change


def _revised(finding: Finding, again: Combined, state: SeriesState, s: int, now: datetime) -> Change:
    began = state.incident.opened if state.incident else state.since
    first = int(np.searchsorted(again.times, as_instant(began)))
    last = int(np.searchsorted(again.times, as_instant(state.last), side="right"))
    readings = [again.reading(j, s) for j in range(first, last)]
    judge_again = revise if state.incident else reconsider
    after, transitions = judge_again(state, readings, finding.subscription.incident, now=now)
    return Change() if after is state else Change((after,), tuple(transitions))
