from __future__ import annotations

import random
from pathlib import Path

import pytest

from notifiers.contract import Kind
from tests.delivery import kill


def test_fifty_kills_lose_nothing_and_tell_nothing_twice(url: str, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    found = kill.run(url, tmp_path, kills=50, seed=seed)
    assert found.is_clean, f"seed {seed}: {found}"
    assert found.kills == 50
    assert found.interrupted >= 5, "the kills came when nothing was being sent"


@pytest.mark.parametrize(
    ("events", "count"),
    [
        (["trigger", "resolve"], 1),
        (["trigger", "trigger", "update", "trigger", "resolve", "resolve"], 1),
        (["trigger", "resolve", "trigger"], 2),
        (["resolve"], 0),
    ],
)
def test_pages_are_counted_as_pagerduty_counts_them(events: list[Kind], count: int) -> None:
    assert kill.pages(events) == count
