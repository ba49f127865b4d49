"""Row 12 of the crash matrix: the state database is locked, full, or down, while the daemon runs."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from alerting.app.heartbeat import beat
from alerting.daemon import Daemon
from alerting.store import Store, StoreError, Unavailable
from tests.acceptance.world import wait_until
from tests.delivery.fakes import FakeClock
from tests.figures import Figure
from tests.flow.test_life import DAYS, quiet
from tests.flow.world import HOUR, NOON, SHOP, World
from tests.servers import postgres_server
from tests.standins.server import Answer, Call, StandIn
from tests.warehouse.rigs import SqliteRig

SECOND = timedelta(seconds=1)
COUNTRIES = [f"C{number:02}" for number in range(60)]
"""As many as no free place of a full state can take in."""


class Switch(StandIn):
    """A dead man's switch: whoever asks is well."""

    def respond(self, call: Call) -> Answer:
        return Answer(200, b"OK")


@dataclass(frozen=True)
class Outage:
    """``says`` is in what people read of it; each is undone by the other."""

    says: str
    begin: Callable[[], object]
    end: Callable[[], object]


@dataclass
class Shop:
    """A world of which nobody knows anything after one o'clock, and what happens to its state."""

    world: World
    outage: Outage
    clock: FakeClock


def locked(state: Path, stack: ExitStack) -> Outage:
    other = sqlite3.connect(state, isolation_level=None, check_same_thread=False)
    stack.enter_context(closing(other))
    return Outage("locked", lambda: other.execute("BEGIN IMMEDIATE"), other.rollback)


def full(store: Store) -> Outage:
    """SQLite itself refuses each further page, as on a disk without one."""
    pages = [1]

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")  # never fewer than there are

    def begin() -> None:
        event.listen(store.engine, "checkout", limit)

    def end() -> None:
        pages[0] = 1 << 30

    return Outage("full", begin, end)


@pytest.fixture(params=["locked", "full", "down"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with ExitStack() as stack:
        settings: dict[str, object] = {"heartbeat_url": SecretStr(f"{stack.enter_context(Switch()).origin}/")}
        if request.param == "down":
            server = stack.enter_context(postgres_server())
            settings["state_url"] = SecretStr(server.database())
        world = stack.enter_context(closing(World(tmp_path, SqliteRig(tmp_path / "shop.sqlite"), SHOP, **settings)))
        for country in COUNTRIES:
            world.shop.open_hours(NOON - DAYS, NOON, country=country).open_hours(NOON, NOON + 12 * HOUR, 30, country)
        quiet(world).at(NOON + HOUR)
        if request.param == "down":
            outage = Outage("not available", server.stop, server.start)
        else:
            outage = locked(tmp_path / "state.db", stack) if request.param == "locked" else full(world.app.store)
        yield Shop(world, outage, FakeClock(NOON + HOUR + SECOND))
    for number, handler in handlers.items():
        signal.signal(number, handler)


def is_well(shop: Shop) -> bool:
    """Whether the heartbeat goes out."""
    try:
        return beat(shop.world.app, {}, shop.clock())
    except StoreError:
        return False


def story(shop: Shop) -> int:
    """What happens outside while the daemon runs; how many hours were judged when it was over."""
    world, clock, ops, team = shop.world, shop.clock, shop.world.receivers["ops"], shop.world.receivers["team"]
    try:
        assert is_well(shop)
        shop.outage.begin()
        clock.advance(HOUR)
        wait_until(lambda: ops.wait_for(1, 0) or not clock.advance(SECOND), "people hear of it", within_s=60)
        assert shop.outage.says in ops.arrived[0].incidents[0].reason
        clock.advance(4 * HOUR)
        seen = world.app.pulse.age_s()
        wait_until(lambda: world.app.pulse.age_s() < seen, "it ticks on", within_s=60)
        assert (len(ops.arrived), team.arrived, is_well(shop)) == (1, [], False)
        shop.outage.end()
        ops.wait_for(2, 90)
        wait_until(lambda: is_well(shop), "the heartbeat goes out again", within_s=60)
        clock.advance(timedelta(minutes=1))
        assert team.wait_for(1, 60)
        judged = world.app.store.verdicts("health", "threshold", "shop.orders", NOON + HOUR, NOON + 6 * HOUR)
        return len(judged.times)
    finally:
        world.app.stopping.set()


def test_row_12_the_state_is_away_for_hours(shop: Shop, figure: Figure, request: pytest.FixtureRequest) -> None:
    """Nothing is evaluated or sent, somebody is told once and past the outbox, and afterwards nothing is missing."""
    with ThreadPoolExecutor() as outside:
        told = outside.submit(story, shop)
        assert Daemon(shop.world.app, clock=shop.clock).run() == 0
        judged = told.result()
    world = shop.world
    assert world.kinds("ops") == ["trigger", "resolve"]
    assert judged == 5, "every window that was overdue is evaluated"
    assert world.kinds("team") == ["trigger"]
    assert [one.opened for one in world.incidents()] == [NOON] * len(COUNTRIES)
    assert world.app.store.outbox.rows(receiver="ops") == [], "not through the outbox"
    kind = request.node.callspec.id
    figure("T2", f"row 12 the state {kind} for 5 h: told once, its end once, {judged} of 5 overdue windows evaluated")


def test_a_full_disk_is_not_taken_for_mended_because_a_small_row_still_fits(tmp_path: Path) -> None:
    with closing(World(tmp_path, SqliteRig(tmp_path / "shop.sqlite"))) as world:
        quiet(world)
        outage = full(world.app.store)
        outage.begin()
        with pytest.raises(Unavailable, match="full"):
            world.app.store.prove_writable()
        outage.end()
        world.app.store.prove_writable()
        assert world.app.store.outbox.receivers_in_trouble() == []
