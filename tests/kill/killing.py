"""Kills a child at random moments, lets the last one finish, and counts what Slack and PagerDuty hold then.

To be called in a process without threads: the children are forked from it, after it has done the imports.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerting.store import OutboxRow, open_store
from tests.kill.child import live
from tests.kill.services import Services
from tests.kill.story import Story

Progress = Callable[[int], None]
FAULTS: tuple[Mapping[str, object], ...] = (
    {"method": "chat.postMessage", "kind": "drop", "after_effect": True},
    {"method": "chat.postMessage", "kind": "status", "status": 503, "after_effect": True},
    {"method": "chat.postMessage", "kind": "truncated"},
    {"method": "chat.postMessage", "kind": "error", "code": "fatal_error"},
    {"method": "chat.update", "kind": "reset"},
    {"method": "chat.update", "kind": "html"},
    {"method": "conversations.history", "kind": "status", "status": 500},
    {"method": "enqueue", "kind": "drop", "after_effect": True},
    {"method": "enqueue", "kind": "status", "status": 500, "after_effect": True},
    {"method": "enqueue", "kind": "status", "status": 429},
)
_PATIENCE_S = 10


@dataclass(frozen=True)
class Tally:
    """What went wrong (all zero is the promise), and how much was tried.

    ``lost`` incidents that somebody who should have was not told of, and deliveries that never arrived ·
    ``interrupted`` deliveries of which a killed process, or a fault, left the outcome open.
    """

    lost: int
    duplicate_pages: int
    duplicate_messages: int
    left_open: int
    out_of_order: int
    complaints: tuple[str, ...]
    kills: int
    incidents: int
    groups: int
    deliveries: int
    interrupted: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        wrong = (self.lost, self.duplicate_pages, self.duplicate_messages, self.left_open, self.out_of_order)
        return not any(wrong) and not self.complaints


def run(url: str, services: Services, *, kills: int, incidents: int, seed: int, progress: Progress) -> Tally:
    began, chance, story = time.monotonic(), random.Random(seed), Story.of(incidents, seed)
    # A child says when it begins to work and whenever it is about to send: so kills hit there on slow machines too.
    signs = max(8, 5 * incidents // max(kills, 1))
    for left in range(kills, -1, -1):
        if chance.random() < 0.5:
            services.fail(chance.choice(FAULTS))
        _one_life(url, services, story, chance, signs if left else None, seed + left)
        progress(kills - left)
    return tally(url, services, kills, time.monotonic() - began)


def _one_life(url: str, services: Services, story: Story, chance: random.Random, signs: int | None, seed: int) -> None:
    """``signs`` None: until it ends by itself."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        live(url, services.slack_url, services.pager_url, story, writing, seed)
    os.close(writing)
    if signs is not None:
        for _ in range(chance.randrange(signs)):
            if not select.select([reading], [], [], _PATIENCE_S)[0] or not os.read(reading, 1):
                break
        time.sleep(chance.uniform(0.0, 0.02))
        os.kill(child, signal.SIGKILL)
    while select.select([reading], [], [])[0] and os.read(reading, 65_536):
        pass
    os.close(reading)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended not in ((0,) if signs is None else (0, -signal.SIGKILL)):
        raise AssertionError(f"a child ended by itself with exit code {ended}")


def tally(url: str, services: Services, kills: int, seconds: float) -> Tally:
    store = open_store(url)
    try:
        rows = store.outbox.rows(limit=1_000_000)
        told = {incident.id: incident for incident in store.incidents(limit=1_000_000)}
        members = {name: [group for group in store.groups_of(name) if not group.is_muted] for name in told}
    finally:
        store.close()
    slack, pager = services.slack_state(), services.pager_state()
    posts: list[dict[str, Any]] = slack["state"]["messages"]
    alerts: list[dict[str, Any]] = pager["state"]["alerts"]
    roots = [post for post in posts if post["thread_ts"] is None]
    groups = {group.id for some in members.values() for group in some if group.receiver == "slack"}
    return Tally(
        lost=_untold(told, members) + _undelivered(rows, posts, alerts),
        duplicate_pages=sum(alert["pages"] > 1 for alert in alerts),
        duplicate_messages=_twice(posts) + len(roots) - len({_group_of(post) for post in roots}),
        left_open=sum("resolved" not in json.dumps([post["blocks"], post["text"]]) for post in roots)
        + sum(alert["status"] != "resolved" for alert in alerts)
        + sum(incident.is_open for incident in told.values()),
        out_of_order=sum(not _in_order([event["event_action"] for event in alert["events"]]) for alert in alerts),
        complaints=tuple(slack["unexpected"] + pager["unexpected"]),
        kills=kills,
        incidents=len(told),
        groups=len(groups) + len(alerts),
        deliveries=len(rows),
        interrupted=sum(row.is_doubtful for row in rows),
        seconds=seconds,
    )


def _untold(told: Mapping[str, Any], members: Mapping[str, Sequence[Any]]) -> int:
    """Incidents that no group of Slack holds, and critical ones that no group of the pager holds."""
    missing = 0
    for name, incident in told.items():
        receivers = {group.receiver for group in members[name]}
        missing += "slack" not in receivers
        missing += incident.severity == "critical" and "pager" not in receivers
    return missing


def _undelivered(
    rows: Sequence[OutboxRow], posts: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, Any]]
) -> int:
    """Rows that are neither sent nor merged, and sent ones of which the service holds nothing."""
    seen = {post["delivery_id"] for post in posts}
    paged = {alert["dedup_key"] for alert in alerts}
    lost = 0
    for row in rows:
        if row.state == "merged":
            continue
        arrived = row.group_id in paged if row.receiver == "pager" else row.delivery_id in seen
        # A page is never opened for what has already resolved: its group ends without one.
        is_silent_end = row.receiver == "pager" and row.kind == "resolve" and row.group_id not in paged
        lost += row.state != "sent" or not (arrived or is_silent_end)
    return lost


def _twice(posts: Sequence[Mapping[str, Any]]) -> int:
    counted = Counter(post["delivery_id"] for post in posts)
    return sum(count - 1 for count in counted.values())


def _group_of(post: Mapping[str, Any]) -> str:
    return str(post["delivery_id"]).rpartition(":")[0]


def _in_order(actions: Sequence[str]) -> bool:
    """Triggers, then resolves: what is said again after an end is another end."""
    return list(actions) == sorted(actions, key=("trigger", "resolve").index)
