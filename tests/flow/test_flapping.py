"""Six hours of a value that crosses its bound again and again: one page, three messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.figures import Figure
from tests.flow.clockwork import Clockwork, clockwork
from tests.flow.world import NOON, SHOP

MINUTE = timedelta(minutes=1)
SIX_HOURS = 360
BY_MINUTE = (
    SHOP.replace("bucket: 1h", "bucket: 1m")
    .replace("history: 5d", "history: 1h")
    .replace("notify: {warning: [team], critical: [pager]}", "notify: {warning: [team, pager]}")
)


def crossing(folder: Clockwork, pattern: str) -> None:
    """``a`` is a minute below the bound, ``.`` one above it; the pattern for six hours, then calm."""
    world = folder.world
    for minute in range(-120, SIX_HOURS + 60):
        is_low = 0 <= minute < SIX_HOURS and pattern[minute % len(pattern)] == "a"
        world.shop.orders[NOON + minute * MINUTE, "DE"] = 30.0 if is_low else 100.0
    world.shop.load()
    world.adopt(NOON)


def counted(clock: Clockwork) -> tuple[int, int]:
    """Pages, and messages in Slack: roots and posts in their threads."""
    return clock.pager.pages, len(clock.slack.posts)


@pytest.mark.parametrize(
    ("open_after", "resolve_after", "pattern"),
    [(1, 1, "a."), (2, 3, "aa...")],
)
def test_a_value_that_crosses_its_bound_for_six_hours_pages_once(
    tmp_path: Path, figure: Figure, open_after: int, resolve_after: int, pattern: str
) -> None:
    rules = f"{{open_after: {open_after}, resolve_after: {resolve_after}}}"
    yaml = BY_MINUTE.replace("{open_after: 2, resolve_after: 2}", rules)
    with clockwork(tmp_path, yaml) as clock:
        crossing(clock, pattern)
        clock.run(NOON, after(SIX_HOURS), MINUTE)
        pages, messages = counted(clock)
        clock.run(after(SIX_HOURS), after(SIX_HOURS + 30), MINUTE)
        figure("T13", f"6 h of {pattern}, {rules}: {pages} page, {messages} Slack messages")
        assert pages <= 1
        assert messages <= 3
        assert clock.pager.pages == pages
        assert clock.pager.open == []
        assert clock.world.incidents(open_only=True) == []


def after(minutes: int) -> datetime:
    return NOON + minutes * MINUTE
