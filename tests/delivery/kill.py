"""Kill -9 at random moments, again and again, and count what receivers saw.

A child process opens incidents, tells two receivers, updates and resolves; it is killed and the next one goes on. The
receivers are files: a line is there or it is not, whoever dies. Now and then an answer is lost or a send refused.

    python -m tests.delivery --kills 200 [--url postgresql+psycopg://…]
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, NoReturn

from alerting.core.groups import Delivery, Group
from alerting.core.incidents import Incident, Status
from alerting.delivery import Timing, drain
from alerting.store import LostRace, Recording, Store, open_store
from notifiers.contract import Kind, Notification, Notifier, Receipt
from notifiers.errors import Ambiguous, NotSent
from tests.store.builders import delivery, group, incident, resolved, transition

TIMING = Timing(lease=timedelta(seconds=0.2), grace=timedelta(seconds=0.2))
KINDS: tuple[Kind, ...] = ("trigger", "update", "resolve")
RECEIVERS = ("slack", "pager")
_SIGNS = (0, 1, 2, 3, 4, 6)
"""After how many signs of life a child is killed: none, at its first step, at its first send, …"""
_PATIENCE_S = 5
_sign: list[int] = []
"""Where this process gives its signs: a file descriptor, or nothing."""


def give_sign() -> None:
    for descriptor in _sign:
        os.write(descriptor, b"!")


class Logged(Notifier):
    """A receiver whose memory is a file: it survives whoever writes to it."""

    path: Path
    trouble: float = 0.05
    """Share of sends that are refused, and of answers that are lost."""
    takes_s: float = 0.005
    """How long the message, and then the answer, is on its way at most: where most kills hit."""

    def send(self, notification: Notification) -> Receipt:
        if random.random() < self.trouble:
            raise NotSent("refused")
        give_sign()
        time.sleep(random.uniform(0, self.takes_s))
        line = json.dumps([notification.group_id, notification.kind, notification.delivery_id]) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line.encode())
        os.close(descriptor)
        time.sleep(random.uniform(0, self.takes_s))
        if random.random() < self.trouble:
            raise Ambiguous("the answer was lost")
        return Receipt(remote_id=f"root of {notification.group_id}")

    def find(self, notification: Notification) -> Receipt | None:
        is_there = any(one.delivery_id == notification.delivery_id for one in seen(self.path))
        return Receipt(remote_id=f"root of {notification.group_id}") if is_there else None


class LoggedPager(Logged):
    is_idempotent: ClassVar[bool] = True


@dataclass(frozen=True)
class Seen:
    group_id: str
    kind: Kind
    delivery_id: str


@dataclass(frozen=True)
class Tally:
    """What went wrong (all zero is the promise), and how much was tried. ``interrupted``: deliveries of which a killed
    process may have sent the message."""

    lost: int = 0
    duplicate_messages: int = 0
    duplicate_pages: int = 0
    left_open: int = 0
    out_of_order: int = 0
    kills: int = 0
    groups: int = 0
    deliveries: int = 0
    interrupted: int = 0

    @property
    def is_clean(self) -> bool:
        wrong = (self.lost, self.duplicate_messages, self.duplicate_pages, self.left_open, self.out_of_order)
        return not any(wrong)


def run(url: str, folder: Path, *, kills: int, seed: int) -> Tally:
    """Kills a child ``kills`` times at random moments, lets the last one finish, and counts.

    To be called in a process of its own: see ``__main__``.
    """
    chance = random.Random(seed)
    for left in range(kills, -1, -1):
        begun, begins = os.pipe()
        child = os.fork()  # from a process that has done the imports and has no thread
        if not child:
            _live(url, folder, left > 0, seed + left, begins)
        if left:
            # A child says when it begins to work and whenever it begins to send: kills hit there on slow machines too.
            for _ in range(chance.choice(_SIGNS)):
                if select.select([begun], [], [], _PATIENCE_S)[0]:
                    os.read(begun, 1)
            time.sleep(chance.uniform(0.0, 0.02))
            os.kill(child, signal.SIGKILL)
        os.close(begun)
        os.close(begins)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended != (-signal.SIGKILL if left else 0):
            raise AssertionError(f"a child ended by itself with exit code {ended}")
    return tally(url, folder, kills)


def _live(url: str, folder: Path, is_endless: bool, seed: int, begins: int) -> NoReturn:
    status = 1
    try:
        work(url, folder, is_endless, seed, begins)
        status = 0
    finally:
        os._exit(status)


def work(url: str, folder: Path, is_endless: bool, seed: int, begins: int) -> None:
    """Goes on wherever the one before was killed: opens ever more groups, or only finishes what was begun."""
    random.seed(seed)
    store = open_store(url)
    slack, pager = Logged(path=folder / "slack"), LoggedPager(path=folder / "pager")
    told = progress(store)
    _sign[:] = [begins]
    give_sign()
    while is_endless or store.outbox.receivers_waited_for() or any(step < len(KINDS) for step in told.values()):
        report = drain(
            store,
            {"slack": slack, "pager": pager},
            now=lambda: datetime.now(UTC),
            picture=lambda _: None,
            timing=TIMING,
            chance=lambda: 0.0,
        )
        unfinished = [number for number, step in told.items() if step < len(KINDS)]
        if is_endless and len(unfinished) < 4:
            unfinished.append(len(told))
        for number in random.sample(unfinished, min(len(unfinished), 2)):
            told[number] = advance(store, number, told.get(number, 0))
        if not (unfinished or report.attempts):
            time.sleep(0.005)  # a lease of the one before has to end
    store.close()


def progress(store: Store) -> dict[int, int]:
    """How many steps each group has made, from the store alone."""
    steps: dict[int, int] = {}
    for row in store.outbox.rows(receiver="slack", limit=1_000_000):
        number = int(row.group_id.removeprefix("slack-"))
        steps[number] = max(steps.get(number, 0), row.sequence)
    return steps


def advance(store: Store, number: int, before: int) -> int:
    """Opens, updates or resolves one group, in one transaction. The killed child's commit may still come through."""
    step, kind = before + 1, KINDS[before]
    now = datetime.now(UTC)
    one = incident(number, country=f"{number}")
    one = resolved(one) if kind == "resolve" else one
    after = {"trigger": Status.FIRING, "update": Status.FIRING, "resolve": Status.RESOLVED}[kind]
    recording = Recording(
        now,
        transitions=(transition(one, after=after),),
        groups=tuple(group_of(one, receiver, number, step) for receiver in RECEIVERS),
        deliveries=tuple(delivery_of(receiver, number, step, kind, now) for receiver in RECEIVERS),
    )
    try:
        store.record(recording)
    except LostRace:
        return progress(store)[number]
    return step


def group_of(one: Incident, receiver: str, number: int, step: int) -> Group:
    return replace(group(one, receiver=receiver, sequence=step), id=f"{receiver}-{number}")


def delivery_of(receiver: str, number: int, step: int, kind: Kind, now: datetime) -> Delivery:
    planned = delivery(step, kind, number=number, receiver=receiver)
    group_id = f"{receiver}-{number}"
    payload = planned.payload.model_copy(update={"group_id": group_id})
    return replace(planned, group_id=group_id, payload=payload, not_before=now)


def seen(path: Path) -> list[Seen]:
    return [Seen(*json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def tally(url: str, folder: Path, kills: int) -> Tally:
    store = open_store(url)
    rows, groups = store.outbox.rows(limit=1_000_000), progress(store)
    store.close()
    slack, pager = seen(folder / "slack"), seen(folder / "pager")
    arrived = {one.delivery_id for one in (*slack, *pager)}
    stories = [*by_group(slack).values(), *by_group(pager).values()]
    return Tally(
        lost=sum(row.state != "merged" and row.delivery_id not in arrived for row in rows),
        duplicate_messages=len(slack)
        - len({one.delivery_id for one in slack})
        + sum(row.state == "merged" and row.delivery_id in arrived for row in rows),
        duplicate_pages=sum(pages(story) > 1 for story in by_group(pager).values()),
        left_open=len(RECEIVERS) * len(groups) - sum(story[-1] == "resolve" for story in stories),
        out_of_order=sum(story != sorted(story, key=KINDS.index) for story in stories),
        kills=kills,
        groups=len(groups),
        deliveries=len(rows),
        interrupted=sum(row.is_doubtful for row in rows),
    )


def by_group(events: Sequence[Seen]) -> dict[str, list[Kind]]:
    found: defaultdict[str, list[Kind]] = defaultdict(list)
    for one in events:
        found[one.group_id].append(one.kind)
    return found


def pages(events: Sequence[Kind]) -> int:
    """How often a person was paged: a trigger while the page is open has no effect."""
    count, is_open = 0, False
    for kind in events:
        count += kind == "trigger" and not is_open
        is_open = kind != "resolve" and (is_open or kind == "trigger")
    return count
