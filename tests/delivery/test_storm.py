from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_ten_thousand_anomalies_at_once_are_one_message_and_one_page_for_each_of_twenty_teams() -> None:
    command = [sys.executable, "-m", "tests.delivery.storm"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    print(done.stdout)  # noqa: T201  # shown by -rP
    found = json.loads(done.stdout)
    assert (found["anomalies"], found["findable"], found["unexpected"]) == (10_000, 10_000, 0)
    assert (found["slack_roots"], found["pages"]) == (20, 20)
    assert found["rss_mb"] < 500
