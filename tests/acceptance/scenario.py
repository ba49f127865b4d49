"""Stories on a clock of their own: a shop, real notifiers over HTTP, and every request with the time it was made.

``Scenario`` plays what the daemon does, from one moment at which something is due to the next; no wait is skipped.
Expectations are windows: each request must fall into one, each one must get its request, and nothing else may come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from alerting.app import App, open_app
from alerting.delivery import drain
from alerting.delivery.timing import USUAL
from config.settings import Settings
from tests.canaries import referring
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.server import Call, StandIn
from tests.standins.slack import TOKEN, SlackStandIn
from tests.warehouse.rigs import Kind, SqliteRig

NOON = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
LOOKS = timedelta(seconds=10)
"""How often the daemon of a scenario looks whether something is due."""
COLUMNS: Mapping[str, Kind] = {"time": "wall", "country": "text", "orders": "float"}
HISTORY = 30
"""Quiet minutes before noon."""

SHOP = """\
version: 1
sources:
  shop: {url: "URL"}
receivers:
  team: {slack: {channel: C0TEAM0001}}
  ops: {slack: {channel: C0OPS00001}}
  pager: {pagerduty: {routing_key: "KEY"}}
queries:
  orders:
    source: shop
    bucket: 1m
    history: 30m
    on_error: {after: 2, notify: [ops]}
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.orders: {query: orders, value: orders, dimensions: [country], rollup: sum, better: higher}
subscriptions:
  health:
    metrics: [shop.orders]
    incident: {open_after: 1, resolve_after: 1}
    detect: [threshold: {below: 50, critical: 1.5}]
    notify: {warning: [team], critical: [pager]}
"""
LOW, NOTHING = 40.0, 0.0
"""Orders a minute: a warning, and critical; 100 are usual."""


@dataclass(frozen=True)
class Seen:
    """One request that a service took: ``what`` is ``root``, ``edit``, ``thread``, ``broadcast``, ``trigger``,
    ``acknowledge`` or ``resolve``; ``at`` since noon; ``status`` of the answer (0: none)."""

    at: timedelta
    where: str
    what: str
    text: str
    status: int = 200

    def __str__(self) -> str:
        return f"{self.at} {self.where} {self.what} {self.status}: {' / '.join(self.text.split(chr(10)))[:160]}"


@dataclass(frozen=True)
class Expected:
    """A request between ``at`` and ``at + within``, with all of ``says`` in its text."""

    at: timedelta
    where: str
    what: str
    says: tuple[str, ...] = ()
    within: timedelta = SECOND
    status: int = 200

    def fits(self, seen: Seen) -> bool:
        is_then = self.at <= seen.at <= self.at + self.within
        is_it = (self.where, self.what, self.status) == (seen.where, seen.what, seen.status)
        return is_then and is_it and all(one in seen.text for one in self.says)


def expect(at: str, where: str, what: str, *says: str, status: int = 200) -> Expected:
    """``at`` is ``MM:SS`` or ``H:MM:SS`` after noon.

    >>> expect("05:30", "team", "edit").at
    datetime.timedelta(seconds=330)
    """
    parts = [int(part) for part in at.split(":")]
    seconds = sum(part * 60**place for place, part in enumerate(reversed(parts)))
    return Expected(timedelta(seconds=seconds), where, what, says, status=status)


@dataclass
class Scenario:
    """``orders`` by country and minute after noon; what is not said is 100."""

    folder: Path
    slack: SlackStandIn
    pagerduty: PagerDutyStandIn
    yaml: str = SHOP
    now: datetime = NOON
    seen: list[Seen] = field(default_factory=list)
    orders: dict[tuple[str, int], float | None] = field(default_factory=dict)
    countries: tuple[str, ...] = ("DE",)
    _read: dict[str, int] = field(default_factory=dict)
    _app: App | None = None

    @property
    def app(self) -> App:
        if self._app is None:
            self._app = open_app(self._settings())
            self._app.adopt_config(self.now)
        return self._app

    def sells(self, country: str, since: int, until: int, orders: float | None) -> None:
        """Minutes ``since`` ≤ minute < ``until`` after noon; None: no row."""
        self.orders |= {(country, minute): orders for minute in range(since, until)}

    def start(self, minutes: int) -> None:
        """Loads the warehouse for so many minutes after noon, and takes in what was before noon."""
        metrics = self.folder / "metrics"
        metrics.mkdir()
        self._rig = SqliteRig(self.folder / "shop.db")
        rows = [
            ((NOON + minute * MINUTE).replace(tzinfo=None), country, orders)
            for minute in range(-HISTORY, minutes)
            for country in self.countries
            if (orders := self.orders.get((country, minute), 100.0)) is not None
        ]
        self._rig.create("orders", COLUMNS, rows)
        self.write(self.yaml)
        self._evaluate()

    def write(self, yaml: str) -> None:
        self.yaml = yaml
        text = yaml.replace("URL", referring(self._rig.url)).replace("KEY", "${env:SCENARIO_KEY}")
        (self.folder / "metrics" / "shop.yaml").write_text(text, encoding="utf-8")

    def reload(self) -> None:
        self.app.reload(self.now)

    def until(self, at: str) -> None:
        """Plays everything that is due up to this moment after noon."""
        end = NOON + expect(at, "", "").at
        while (moment := self._next()) <= end:
            self.now = max(self.now, moment)
            self._evaluate()
            self.app.revisit(self.now)
            self._deliver()
        self.now = end

    def check(self, *expected: Expected) -> None:
        """Every request was expected, and every expected one was made; the stand-ins found nothing strange."""
        left = list(expected)
        strangers = []
        for seen in self.seen:
            place = next((place for place, one in enumerate(left) if one.fits(seen)), None)
            if place is None:
                strangers.append(str(seen))
            else:
                left.pop(place)
        missing = [str(one) for one in left]
        everything = "\n".join(map(str, self.seen))
        assert not [*strangers, *missing], f"not expected: {strangers}\nmissing: {missing}\nall:\n{everything}"
        assert self.slack.unexpected == self.pagerduty.unexpected == []

    def group(self) -> str:
        """The only group that people were told of and that is open."""
        (found,) = {group.id: group for group in self.app.store.open_groups() if group.receiver == "team"}
        return found

    def close(self) -> None:
        if self._app is not None:
            self._app.close()
            self._app = None

    def restart(self) -> None:
        """The process is gone, and the next one goes on from the state."""
        self.close()

    def _settings(self) -> Settings:
        told = {
            "config": self.folder / "metrics",
            "state_url": SecretStr(f"sqlite:///{self.folder / 'state.db'}"),
            "slack_token": SecretStr(TOKEN),
            "slack_base_url": self.slack.base_url,
            "pagerduty_url": self.pagerduty.url,
        }
        return Settings().model_copy(update=told)

    def _evaluate(self) -> None:
        for name in self.app.due(self.now):
            self.app.evaluate(name, self.now)

    def _deliver(self) -> None:
        drain(
            self.app.store,
            self.app.notifiers,
            now=self.now,
            picture=lambda _: None,
            chance=lambda: 0.0,
            pause=lambda _: None,
        )
        for service in (self.slack, self.pagerduty):
            self._note(service)

    def _next(self) -> datetime:
        """When to look again, or the next moment at which a delivery is due."""
        after = self.now + timedelta(microseconds=1)
        look = self.now.replace(second=self.now.second // 10 * 10, microsecond=0) + LOOKS
        waits = [self.app.store.outbox.next_due(name, grace=USUAL.grace) for name in self.app.notifiers]
        return min([look, *(max(one, after) for one in waits if one is not None)])

    def _note(self, service: StandIn) -> None:
        name = type(service).__name__
        calls = service.requests[self._read.get(name, 0) :]
        self._read[name] = len(service.requests)
        names = {"C0TEAM0001": "team", "C0OPS00001": "ops"}
        for call in calls:
            what, where, text = _told(call)
            if what:
                self.seen.append(Seen(self.now - NOON, names.get(where, where), what, text, call.status))


def _told(call: Call) -> tuple[str, str, str]:
    """What a request does, to whom, and what people read; nothing for what only looks or uploads."""
    method = call.path.rpartition("/")[2]
    if method == "enqueue":
        event = json.loads(call.body)
        return event["event_action"], "pager", str(event.get("payload", {}).get("summary", ""))
    if method not in ("chat.postMessage", "chat.update"):
        return "", "", ""
    body = json.loads(call.body)
    kinds = {"chat.update": "edit", "chat.postMessage": "thread" if body.get("thread_ts") else "root"}
    kind = "broadcast" if body.get("reply_broadcast") else kinds[method]
    return kind, body["channel"], "\n".join([body.get("text") or "", *_texts(body.get("blocks") or [])])


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return [*own, *(text for part in value.values() for text in _texts(part))]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []


KEYS = {"SCENARIO_KEY": KEY}
