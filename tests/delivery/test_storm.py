from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.figures import Figure

REPOSITORY = Path(__file__).parents[2]


def test_ten_thousand_anomalies_at_once_are_one_message_and_one_page_for_each_of_twenty_teams(figure: Figure) -> None:
    command = [sys.executable, "-m", "tests.delivery.storm"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    told = f"{found['slack_roots']} Slack roots, {found['pages']} pages, {found['findable']:,} findable"
    figure("T12", f"10,000 anomalies at once, 20 teams: {told}, RSS {found['rss_mb']} MB")
    assert (found["anomalies"], found["findable"], found["unexpected"]) == (10_000, 10_000, 0)
    assert (found["slack_roots"], found["pages"]) == (20, 20)
    assert found["rss_mb"] < 500
