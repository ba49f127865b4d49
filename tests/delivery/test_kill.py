from __future__ import annotations

import json
import subprocess
import sys

import pytest

from notifiers.contract import Kind
from tests.delivery import kill


def test_fifty_kills_lose_nothing_and_tell_nothing_twice(url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.delivery", "--kills", "50", "--url", url], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    assert [found[name] for name in ("lost", "duplicate_messages", "duplicate_pages", "left_open")] == [0, 0, 0, 0]
    assert found["kills"] == 50
    assert found["interrupted"] >= 5, "the kills came when nothing was being sent"


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
