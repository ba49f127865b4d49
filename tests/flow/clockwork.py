"""A world whose messages go to the stand-ins of Slack and PagerDuty, on a clock that moves as the test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from alerting.delivery import drain
from tests.flow.world import World
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.slack import TOKEN, SlackStandIn
from tests.standins.workspace import Workspace
from tests.warehouse.rigs import SqliteRig

SECOND = timedelta(seconds=1)
RECEIVERS = '  team: {slack: {channel: C0GROWTH01}}\n  pager: {pagerduty: {routing_key: "${file:KEY_FILE}"}}\n'
CONSOLES = "  team: {console: {}}\n  pager: {console: {}}\n"


@dataclass(frozen=True)
class Heard:
    """One request that a stand-in accepted: when, who, and what (``root``, ``reply``, ``edit``; or the event)."""

    at: datetime
    service: str
    what: str


@dataclass
class Clockwork:
    """``run`` moves the clock; ``heard`` is everything that reached Slack and PagerDuty, charts left out."""

    world: World
    slack: SlackStandIn
    pager: PagerDutyStandIn
    heard: list[Heard] = field(default_factory=list)

    def run(self, since: datetime, until: datetime, every: timedelta, step: timedelta | None = None) -> None:
        """Evaluates every ``every``; delivers each ``step``, or (None) exactly when the outbox says."""
        while since < until:
            self.world.evaluate(since)
            self.deliver(since)
            following = min(since + every, until)
            while (moment := self._next(since, following, step)) is not None:
                since = moment
                self.deliver(since)
            since = following

    def deliver(self, now: datetime) -> None:
        app = self.world.app
        slack, pager = len(self.slack.requests), len(self.pager.requests)
        drain(app.store, app.notifiers, now=now, picture=lambda _: None, pause=lambda _: None)
        for call in self.slack.requests[slack:]:
            method = call.path.rpartition("/")[2]
            if method == "chat.update":
                self.heard.append(Heard(now, "slack", "edit"))
            elif method == "chat.postMessage":
                is_reply = b"thread_ts" in call.body
                self.heard.append(Heard(now, "slack", "reply" if is_reply else "root"))
        for call in self.pager.requests[pager:]:
            action = next(one for one in ("trigger", "resolve") if f'"event_action":"{one}"'.encode() in call.body)
            self.heard.append(Heard(now, "pager", action))

    def said(self, service: str, since: datetime) -> list[tuple[str, float]]:
        """What reached the service, in seconds after ``since``."""
        return [(one.what, (one.at - since).total_seconds()) for one in self.heard if one.service == service]

    def _next(self, now: datetime, until: datetime, step: timedelta | None) -> datetime | None:
        if step is not None:
            return now + step if now + step < until else None
        outbox = self.world.app.store.outbox
        found = [outbox.next_due(name, grace=SECOND) for name in self.world.app.notifiers]
        due = [moment for moment in found if moment is not None and now < moment < until]
        return min(due, default=None)


@contextmanager
def clockwork(folder: Path, yaml: str, **settings: object) -> Iterator[Clockwork]:
    """A world with the receivers ``team`` (Slack) and ``pager`` (PagerDuty) in place of its consoles."""
    assert CONSOLES in yaml
    (folder / "pager.key").write_text(KEY, encoding="utf-8")
    receivers = RECEIVERS.replace("KEY_FILE", str(folder / "pager.key"))
    with ExitStack() as stack:
        slack = stack.enter_context(SlackStandIn(workspace=Workspace(per_second=None)))
        pager = stack.enter_context(PagerDutyStandIn())
        world = World(
            folder,
            SqliteRig(folder / "shop.sqlite"),
            yaml.replace(CONSOLES, receivers),
            slack_token=SecretStr(TOKEN),
            slack_base_url=slack.base_url,
            pagerduty_url=pager.url,
            **settings,
        )
        world.sends_really = True
        stack.callback(world.close)
        yield Clockwork(world, slack, pager)
        assert (slack.unexpected, pager.unexpected) == ([], [])
