"""The process that is killed: it evaluates, delivers over HTTP, and goes on where the last one died."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from pydantic import SecretStr

from alerting.delivery import Timing, drain
from alerting.store import open_store
from notifiers.contract import Notification, Pace, Receipt
from notifiers.pagerduty import PagerDuty
from notifiers.slack.notifier import Slack
from tests.kill.story import MINUTES, Story, evaluate_next, minutes_done
from tests.standins.pagerduty import KEY
from tests.standins.slack import TOKEN

TIMING = Timing(
    lease=timedelta(seconds=0.2),
    grace=timedelta(seconds=0.2),
    closings=(timedelta(seconds=0.1), timedelta(seconds=0.2)),
)
CHANNEL = "C0KILL0001"
_sign: list[int] = []
"""Where this process says that it is about to send: a file descriptor, or nothing."""


class SignallingSlack(Slack):
    @property
    def pace(self) -> Pace:
        """No pace of its own: two thousand messages a minute are what this is about."""
        return Pace(scope="slack", per_second=100_000, burst=100_000)

    def send(self, notification: Notification) -> Receipt:
        give_sign()
        return super().send(notification)


class SignallingPager(PagerDuty):
    @property
    def pace(self) -> Pace:
        return Pace(scope="pager", per_second=100_000, burst=100_000)

    def send(self, notification: Notification) -> Receipt:
        give_sign()
        return super().send(notification)


def give_sign() -> None:
    for descriptor in _sign:
        os.write(descriptor, b"!")


def live(url: str, slack_url: str, pager_url: str, story: Story, sign: int, seed: int) -> NoReturn:
    """Ends by itself, with 0, when everything is recorded and told."""
    status = 1
    try:
        _work(url, slack_url, pager_url, story, sign, seed)
        status = 0
    finally:
        os._exit(status)


def _work(url: str, slack_url: str, pager_url: str, story: Story, sign: int, seed: int) -> None:
    random.seed(seed)
    _sign[:] = [sign]
    store = open_store(url)
    notifiers = {
        "slack": SignallingSlack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=slack_url),
        "pager": SignallingPager(routing_key=SecretStr(KEY), url=pager_url),
    }
    give_sign()
    done = minutes_done(store)
    while done < MINUTES or store.outbox.receivers_waited_for():
        done = evaluate_next(store, story) if done < MINUTES else done
        report = drain(
            store,
            notifiers,
            now=lambda: datetime.now(UTC),
            picture=lambda _: None,
            timing=TIMING,
            chance=lambda: 0.0,
        )
        if not report.attempts:
            time.sleep(0.005)  # a lease of the one before has to end
    store.close()
