"""The crash matrix, row by row: a process is killed at a step, or a service fails there, and what holds afterwards.

Row 10 (a leader that was frozen) needs replicas, row 14 (a state from an old backup) needs backups; row 12, a state
that does not answer, is ``tests/daemon/test_state_away.py``. Each row runs with its state in SQLite and in PostgreSQL.
"""

from __future__ import annotations

import shutil
import signal
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerting.store import open_store
from tests.acceptance.world import wait_until
from tests.figures import Figure
from tests.flow.clockwork import Clockwork, clockwork
from tests.flow.conftest import Made
from tests.flow.dying import start
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, SHOP
from tests.store.conftest import new_url, postgresql, sqlite_template, url

__all__ = ["new_url", "postgresql", "sqlite_template", "url"]
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
BOTH = SHOP.replace("notify: {warning: [team], critical: [pager]}", "notify: {warning: [team, pager]}")
OPENS, ENDS = NOON + 2 * HOUR, NOON + 4 * HOUR
PATIENCE_S = 60


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Iterator[Clockwork]:
    """Few orders from noon to two: the evaluation at two opens an incident that Slack and a pager are to hear of."""
    with clockwork(tmp_path, BOTH, state_url=SecretStr(url)) as clock:
        quiet(clock.world).shop.open_hours(NOON, OPENS, 30).open_hours(OPENS, NOON + 8 * HOUR).load()
        clock.world.at(NOON + HOUR)
        yield clock


def dies(clock: Clockwork, step: str, now: datetime) -> None:
    """The process that evaluates and delivers at this time dies at the step."""
    clock.world.close()
    process = start(clock.world.settings, step, now)
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL, "it ended before it reached the step"


def goes_on(clock: Clockwork, since: datetime) -> None:
    """The process that is started after it, until everything has long ended."""
    clock.world.adopt(since)
    clock.run(since, NOON + 6 * HOUR, HOUR)


def nothing_lost_nothing_twice(clock: Clockwork) -> str:
    """One incident, one message, one page; all of them ended. What was counted, in words."""
    (incident,) = clock.world.incidents()
    (root,) = clock.slack.messages()
    ids = [post.delivery_id for post in clock.slack.posts]
    assert (incident.status, "resolved" in root.shown) == ("resolved", True)
    assert (clock.pager.pages, clock.pager.open, len(ids) - len(set(ids))) == (1, [], 0)
    assert {row.state for row in clock.world.app.store.outbox.rows()} <= {"sent", "merged"}
    return "1 message, 1 page, nothing lost, nothing twice, nothing left open"


def calm_incident(make: Made) -> str:
    """The id that the incident has where nobody dies."""
    calm = quiet(make())
    calm.shop.open_hours(NOON, OPENS, 30).load()
    calm.hours(NOON + HOUR, OPENS + HOUR)
    return calm.incidents()[0].id


KILLED = [
    # Row of the matrix and what it says; the step at which the process dies; incidents, Slack posts and pages by then.
    ("1 during the warehouse query: nothing is written, the window is still due", "pulled", (0, 0, 0)),
    ("2 after detection, before T1: judged again, the same incident id", "judged", (0, 0, 0)),
    ("3 T1 done, before the claim: sent after the restart", "recorded", (1, 0, 0)),
    ("4 claimed, before bytes leave for Slack: not found, so sent", "claimed team", (1, 0, None)),
    ("4 claimed, before bytes leave for PagerDuty: sent", "claimed pager", (1, None, 0)),
    ("6 Slack's answer received, before T3: found, not sent again", "sent team", (1, 1, None)),
    ("6 PagerDuty's answer received, before T3: the same key, no effect", "sent pager", (1, None, 1)),
    ("9 between two destinations: only the unsent one is sent", "between", (1, 1, 0)),
]


@pytest.mark.parametrize(("row", "step", "by_then"), KILLED, ids=[f"row {row}" for row, _, _ in KILLED])
def test_a_process_killed_at(
    row: str, step: str, by_then: tuple[int | None, ...], shop: Clockwork, make: Made, figure: Figure
) -> None:
    before = shop.world.app.store.query_states()
    dies(shop, step, OPENS)
    found = (len(shop.world.incidents()), len(shop.slack.posts), shop.pager.pages)
    assert [one for one, said in zip(found, by_then, strict=True) if said is not None] == [
        said for said in by_then if said is not None
    ]
    is_recorded = found[0] > 0
    assert shop.world.app.due(OPENS + SECOND) == ([] if is_recorded else ["orders_hourly"])
    if step == "pulled":
        assert shop.world.app.store.query_states() == before, "nothing was written"
    goes_on(shop, OPENS + MINUTE + 10 * SECOND)
    assert [one.id for one in shop.world.incidents()] == [calm_incident(make)]
    figure("T2", f"row {row}: {nothing_lost_nothing_twice(shop)}")


def killed_while_it_waits_for_the_answer(clock: Clockwork, service: str) -> None:
    """The service has taken the request and holds its answer back when the process is killed."""
    stand_in, method = (clock.slack, "chat.postMessage") if service == "Slack" else (clock.pager, "enqueue")
    stand_in.fail(method, "delay", seconds=PATIENCE_S, after_effect=True)
    clock.world.close()
    process = start(clock.world.settings, "never", OPENS)
    wait_until(lambda: bool(clock.slack.posts if service == "Slack" else clock.pager.pages), service, within_s=60)
    process.kill()
    process.join()
    stand_in.release()


@pytest.mark.parametrize("service", ["Slack", "PagerDuty"])
@pytest.mark.parametrize("how", ["crash", "timeout", "503 after effect"])
def test_row_5_an_answer_lost_after_acceptance(how: str, service: str, shop: Clockwork, figure: Figure) -> None:
    stand_in, method = (shop.slack, "chat.postMessage") if service == "Slack" else (shop.pager, "enqueue")
    if how == "crash":
        killed_while_it_waits_for_the_answer(shop, service)
    elif how == "timeout":
        stand_in.fail(method, "drop", after_effect=True)
    else:
        stand_in.fail(method, "status", status=503, after_effect=True)
    goes_on(shop, OPENS + MINUTE + 10 * SECOND)
    if service == "Slack":
        assert stand_in.calls("conversations.history"), "it was looked for"
    figure("T2", f"row 5 accepted by {service}, answer lost ({how}): {nothing_lost_nothing_twice(shop)}")


def test_row_7_an_end_that_was_recorded_is_sent_after_the_restart_although_it_is_silenced(
    shop: Clockwork, figure: Figure
) -> None:
    shop.run(OPENS, ENDS, HOUR)
    assert (len(shop.slack.messages()), len(shop.pager.open)) == (1, 1)
    dies(shop, "recorded", ENDS)
    assert len(shop.pager.open) == 1, "nobody was told of the end yet"
    shop.world.app.actions.silence_matching(
        {"metric": "shop.*"}, HOUR, by="ann", comment="a move", via="cli", now=ENDS + SECOND
    )
    goes_on(shop, ENDS + MINUTE)
    figure("T2", f"row 7 the end recorded, before it is sent, then silenced: {nothing_lost_nothing_twice(shop)}")


def test_row_8_a_trigger_that_lands_after_its_resolve_is_closed(shop: Clockwork, figure: Figure) -> None:
    shop.pager.fail("enqueue", "drop", times=10_000)
    shop.run(OPENS, ENDS, HOUR)
    late = shop.pager.requests[0].body
    assert (shop.pager.pages, b'"trigger"' in late) == (0, True)
    shop.pager.clear()
    shop.heard.clear()
    shop.world.evaluate(now := ENDS)
    while not shop.said("pager", ENDS):
        shop.deliver(now := now + SECOND)
    assert shop.said("pager", now) == [("resolve", 0)]
    request = urllib.request.Request(shop.pager.url, late, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()
    assert len(shop.pager.open) == 1, "the trigger landed at last"
    shop.run(now + SECOND, now + HOUR, HOUR)
    assert shop.said("pager", now) == [("resolve", 0), ("resolve", 60), ("resolve", 600)]
    assert shop.pager.open == []
    figure("T2", "row 8 trigger lands after its resolve: closed by the resolves at +60 s and +600 s, 0 left open")


def test_row_11_power_lost_at_any_byte_leaves_all_of_a_transaction_or_nothing(
    make: Made, tmp_path: Path, figure: Figure
) -> None:
    """The write-ahead log ends where the power failed: everything before that byte is on the disk, nothing after it."""
    world = quiet(make())
    world.shop.open_hours(NOON, OPENS, 30).load()
    world.at(NOON + HOUR)
    world.restart()  # the log is emptied into the file
    state, log = world.folder / "state.db", world.folder / "state.db-wal"
    world.evaluate(OPENS)
    world.deliver(OPENS)  # what is cut off last is not the end of the evaluation
    after = counted(state, log, log.stat().st_size, tmp_path / "whole")
    assert after == (1, 1, 1)
    seen = [counted(state, log, size, tmp_path / f"cut-{size}") for size in range(0, log.stat().st_size, 1_511)]
    assert set(seen) == {(0, 0, 0), after}
    assert seen == sorted(seen), "what was committed stays"
    figure("T2", f"row 11 power lost at {len(seen)} bytes of the log: all of T1 or nothing, 0 half recorded")


def counted(state: Path, log: Path, size: int, folder: Path) -> tuple[int, int, int]:
    """Incidents, groups and owed deliveries in a copy of the state whose log ends after so many bytes."""
    folder.mkdir()
    shutil.copy(state, folder / "state.db")
    (folder / "state.db-wal").write_bytes(log.read_bytes()[:size])
    store = open_store(f"sqlite:///{folder / 'state.db'}")
    try:
        return len(store.incidents()), len(store.open_groups()), len(store.outbox.rows())
    finally:
        store.close()


def test_row_13_what_was_removed_from_the_file_while_nobody_ran_is_resolved(shop: Clockwork, figure: Figure) -> None:
    shop.run(OPENS, OPENS + HOUR, HOUR)
    assert len(shop.pager.open) == 1
    dies(shop, "recorded", OPENS + HOUR)
    shop.world.change("\n  health:\n", "\n  wealth:\n")
    goes_on(shop, OPENS + HOUR + MINUTE)
    assert [one.cause for one in shop.world.incidents()] == ["rule removed"]
    assert any("rule removed" in post.shown for post in shop.slack.posts)
    figure("T2", f"row 13 restarted without the rule: {nothing_lost_nothing_twice(shop)}")
