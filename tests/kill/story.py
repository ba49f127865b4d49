"""A thousand incidents, minute by minute: which series is anomalous when, and what one evaluation records of it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alerting.core.audiences import Audience, Measure
from alerting.core.blocks import fingerprint
from alerting.core.decisions import Change, Standing, told
from alerting.core.health import QueryState
from alerting.core.incidents import Reading, SeriesState
from alerting.core.lifecycle import advance
from alerting.pipeline import recording
from alerting.store import LostRace, Store
from config.model import DeliveryRules, IncidentRules

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TEAMS, MINUTES = 40, 60
METRIC, QUERY = "shop.orders", "orders"
RECEIVERS = ("slack", "pager")
RULES = IncidentRules(open_after=1, resolve_after=1)
_AT_ONCE = DeliveryRules(group_wait=timedelta(0), group_interval=timedelta(0))


@dataclass(frozen=True)
class Episode:
    """Series ``shop`` of a team is anomalous in the minutes ``begin`` ≤ minute < ``end``; critical from ``rises``."""

    team: int
    shop: int
    begin: int
    end: int
    rises: int

    def reading(self, minute: int) -> Reading:
        is_bad = self.begin <= minute < self.end
        return Reading(
            START + minute * MINUTE,
            "anomaly" if is_bad else "ok",
            severity="critical" if minute >= self.rises else "warning",
            observed=60.0 if is_bad else 100.0,
            expected=100.0,
            lower=90.0,
            upper=110.0,
            score=4.0 if is_bad else 0.1,
            direction=-1 if is_bad else 0,
            detector="seasonal",
            reason="low" if is_bad else "",
        )


@dataclass(frozen=True)
class Story:
    """``episodes`` by team; the same for the same seed."""

    episodes: Mapping[int, tuple[Episode, ...]]
    audiences: Mapping[str, Audience] = field(default_factory=dict)

    @classmethod
    def of(cls, incidents: int, seed: int) -> Story:
        chance, episodes = random.Random(seed), defaultdict[int, list[Episode]](list)
        for shop in range(incidents):
            begin = chance.randrange(1, MINUTES - 12)
            end = begin + chance.randrange(1, 10)
            team = shop % TEAMS
            episodes[team].append(Episode(team, shop, begin, end, chance.randrange(begin, end)))
        return cls({team: tuple(some) for team, some in episodes.items()}, {subject(t): _audience(t) for t in episodes})


def subject(team: int) -> str:
    return f"subscription:team-{team:02}"


def _audience(team: int) -> Audience:
    return Audience(
        subject(team),
        f"team-{team:02}",
        receivers={"warning": ("slack",), "critical": ("pager",)},
        delivery=_AT_ONCE,
        metrics={METRIC: Measure("orders", "higher", "1m")},
    )


def minutes_done(store: Store) -> int:
    """How far the story is recorded, by the store alone."""
    found = store.query_states().get(QUERY)
    return 0 if found is None or found.watermark is None else int((found.watermark - START) / MINUTE)


def evaluate_next(store: Store, story: Story) -> int:
    """Records the next minute of all series in one transaction; how many minutes are recorded now.

    A child that was killed may have committed without knowing it, and on a server even commit after it died: who
    loses that race reads how far it is.
    """
    minute = minutes_done(store)
    now = START + (minute + 1) * MINUTE + timedelta(seconds=10)
    change, states = _changed(store, story, minute, now)
    standing = Standing(states, tuple(store.open_groups(now)))
    decision = told(change, standing, story.audiences, now=now)
    done = QueryState(QUERY, "kill", added=START, watermark=START + (minute + 1) * MINUTE)
    try:
        store.record(recording(decision, (), now, done))
    except LostRace:
        return minutes_done(store)
    return minute + 1


def _changed(
    store: Store, story: Story, minute: int, now: datetime
) -> tuple[Change, dict[str, dict[str, SeriesState]]]:
    change = Change()
    standing: dict[str, dict[str, SeriesState]] = {}
    for team, stirred in _stirred(story, minute):
        known = store.series_states(subject(team))
        standing[subject(team)] = known
        for episode in stirred:
            labels = {"shop": f"{episode.shop:04}"}
            name = fingerprint(METRIC, labels)
            before = known.get(name)
            after, transitions = advance(
                before,
                [episode.reading(minute)],
                RULES,
                subject=subject(team),
                fingerprint=name,
                metric=METRIC,
                labels=labels,
                kind="metric",
                now=now,
            )
            if after is not None and after is not before:
                change += Change((after,), tuple(transitions))
    return change, standing


def _stirred(story: Story, minute: int) -> Iterator[tuple[int, Sequence[Episode]]]:
    """The teams with a series that is, or was just now, anomalous."""
    for team, episodes in story.episodes.items():
        stirred = [one for one in episodes if one.begin <= minute <= one.end]
        if stirred:
            yield team, stirred
