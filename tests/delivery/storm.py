"""Ten thousand anomalies in one evaluation, twenty teams: ``python -m tests.delivery.storm`` prints who hears what."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from alerting.core.audiences import Audience, Measure
from alerting.core.blocks import fingerprint
from alerting.core.decisions import Change, Standing, told
from alerting.core.incidents import Reading
from alerting.core.lifecycle import advance
from alerting.delivery import drain
from alerting.pipeline import recording
from alerting.store import Store, open_store
from config.model import IncidentRules
from notifiers.contract import Notifier
from notifiers.pagerduty import PagerDuty
from notifiers.slack import Slack
from tests.delivery.fakes import no_picture
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.slack import TOKEN, SlackStandIn
from tests.store.builders import NOON

TEAMS, SERIES = 20, 500
CHANNEL = "C0GROWTH01"


def storm(folder: Path) -> dict[str, float]:
    """What people got, what can be found, and what it took."""
    store = open_store(f"sqlite:///{folder / 'state.db'}")
    began = time.monotonic()
    opened = _record(store)
    with SlackStandIn() as slack, PagerDutyStandIn() as pagerduty:
        chat = Slack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=slack.base_url)
        pager = PagerDuty(routing_key=SecretStr(KEY), url=pagerduty.url)
        notifiers: dict[str, Notifier] = {
            f"{kind}-{team}": one for kind, one in _both(chat, pager) for team in range(TEAMS)
        }
        drain(store, notifiers, now=NOON + timedelta(minutes=1), picture=no_picture)
        found = {
            "anomalies": opened,
            "slack_roots": len(slack.messages()),
            "pages": pagerduty.pages,
            "findable": sum(bool(store.groups_of(one.id)) for one in store.incidents(limit=20_000)[::100]) * 100,
            "unexpected": len(slack.unexpected) + len(pagerduty.unexpected),
        }
        chat.close()
        pager.close()
    store.close()
    rss_mb = _most_memory_kb() / 1024
    return found | {"seconds": round(time.monotonic() - began, 1), "rss_mb": round(rss_mb)}


def _both(chat: Notifier, pager: Notifier) -> list[tuple[str, Notifier]]:
    return [("chat", chat), ("pager", pager)]


def _record(store: Store) -> int:
    """One evaluation that finds everything anomalous at once; how many incidents it opened."""
    change = Change()
    states, transitions = [], []
    for team in range(TEAMS):
        for series in range(SERIES):
            labels = {"country": f"C{series:03d}"}
            state, moves = advance(
                None,
                [Reading(NOON, "anomaly", "critical", 612.0, 1037.0, 900.0, 1200.0, 3.0, -1, "seasonal", "41 % below")],
                IncidentRules(1, 1),
                subject=f"subscription:team-{team}",
                fingerprint=fingerprint("shop.orders", labels),
                metric="shop.orders",
                labels=labels,
                kind="metric",
                now=NOON,
            )
            states += [state] if state else []
            transitions += moves
    change = Change(tuple(states), tuple(transitions))
    store.record(recording(told(change, Standing({}), _audiences(), now=NOON), (), NOON, None))
    return len(store.incidents(open_only=True, limit=20_000))


def _audiences() -> dict[str, Audience]:
    measures = {"shop.orders": Measure("orders", "higher", "1h")}
    found = [
        Audience(
            f"subscription:team-{team}",
            f"team-{team}",
            {"warning": (f"chat-{team}",), "critical": (f"pager-{team}",)},
            metrics=measures,
        )
        for team in range(TEAMS)
    ]
    return {audience.subject: audience for audience in found}


def _most_memory_kb() -> int:
    # Not getrusage: to that a child counts from the memory of the process that forked it, which may be a whole suite.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(storm(Path(name))) + "\n")
