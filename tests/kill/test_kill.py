"""Nothing lost, nobody told twice, whatever is killed when: the same as ``make kill``, with its numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.figures import Figure

PROMISED = ("lost", "duplicate_pages", "duplicate_messages", "left_open", "out_of_order")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("where", "kills", "incidents"), [("sqlite", 200, 1000), ("postgresql", 200, 1000), ("program", 20, 50)]
)
def test_kills_lose_nothing_and_tell_nothing_twice(where: str, kills: int, incidents: int, figure: Figure) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.kill", "--kills", "200", "--on", where, "--json"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    counts = ", ".join(f"{name.replace('_', ' ')} {found[name]}" for name in PROMISED)
    figure("T1", f"{where}: {found['kills']} kills, {found['incidents']:,} incidents: {counts}")
    assert [found[name] for name in PROMISED] == [0] * len(PROMISED)
    assert found["complaints"] == []
    assert (found["kills"], found["incidents"]) == (kills, incidents)
    assert found["interrupted"] >= kills // 10, "the kills came when nothing was being sent"
