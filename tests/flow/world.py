"""A small shop with a real warehouse, real YAML and a real state, driven hour by hour with a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from alerting.app import App, open_app
from alerting.cli.watching import evaluate_all
from alerting.core.incidents import Incident
from alerting.delivery import DeliveryReport
from alerting.pipeline import Evaluation
from alerting.store import OutboxRow
from config.settings import Settings
from notifiers.contract import Notification
from tests.canaries import referring
from tests.delivery.fakes import Fake
from tests.warehouse.rigs import DuckRig, Kind, PostgresRig, SqliteRig

AnyRig = SqliteRig | DuckRig | PostgresRig
HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
COLUMNS: Mapping[str, Kind] = {"time": "wall", "country": "text", "orders": "float"}

SHOP = """\
version: 1
sources:
  shop: {url: "URL", timeout: 5s}
receivers:
  team: {console: {}}
  pager: {console: {}}
  ops: {console: {}}
queries:
  orders_hourly:
    source: shop
    bucket: 1h
    history: 5d
    on_error: {after: 3, notify: [ops]}
    sql: SELECT time, country, orders FROM orders WHERE time >= :start AND time < :end
metrics:
  shop.orders: {query: orders_hourly, value: orders, dimensions: [country], rollup: sum, better: higher}
subscriptions:
  health:
    metrics: [shop.orders]
    incident: {open_after: 2, resolve_after: 2}
    detect: [threshold: {below: 50}]
    notify: {warning: [team], critical: [pager]}
"""


@dataclass
class Shop:
    """What the warehouse holds: orders by hour and country. ``load`` makes the table say so."""

    rig: AnyRig
    orders: dict[tuple[datetime, str], float] = field(default_factory=dict)

    def open_hours(self, since: datetime, until: datetime, orders: float = 100.0, country: str = "DE") -> Shop:
        hour = since
        while hour < until:
            self.orders[hour, country] = orders
            hour += HOUR
        return self

    def close_hours(self, since: datetime, until: datetime, country: str = "DE") -> Shop:
        """No rows there."""
        for hour, where in list(self.orders):
            if where == country and since <= hour < until:
                del self.orders[hour, where]
        return self

    def load(self, table: str = "orders") -> None:
        rows = [(hour.replace(tzinfo=None), country, value) for (hour, country), value in sorted(self.orders.items())]
        self.rig.create(table, COLUMNS, rows)


class World:
    """``at`` is one evaluation of everything and one delivery of what is owed, as ``once --at`` does it."""

    def __init__(self, folder: Path, rig: AnyRig, yaml: str = SHOP, **settings: object) -> None:
        self.folder, self.rig, self.shop = folder, rig, Shop(rig)
        self.metrics = folder / "metrics"
        self.metrics.mkdir()
        self.receivers: dict[str, Fake] = {}
        self.sends_really = False
        state = {"config": self.metrics, "state_url": SecretStr(f"sqlite:///{folder / 'state.db'}")}
        self.settings = Settings().model_copy(update=state | settings)
        self._app: App | None = None
        self.write(yaml)

    @property
    def app(self) -> App:
        if self._app is None:
            self._app = open_app(self.settings)
            self._listen(self._app)
        return self._app

    def write(self, yaml: str, name: str = "shop.yaml") -> None:
        (self.metrics / name).write_text(yaml.replace("URL", referring(self.rig.url)), encoding="utf-8")

    def change(self, before: str, after: str, name: str = "shop.yaml") -> None:
        """Edits the YAML; the text must be there."""
        text = (self.metrics / name).read_text(encoding="utf-8")
        assert before in text
        (self.metrics / name).write_text(text.replace(before, after), encoding="utf-8")

    def adopt(self, now: datetime) -> None:
        self.app.adopt_config(now)

    def reload(self, now: datetime) -> None:
        self.app.reload(now)
        self._listen(self.app)

    def evaluate(self, now: datetime) -> list[Evaluation]:
        return evaluate_all(self.app, now)

    def deliver(self, now: datetime) -> DeliveryReport:
        return self.app.deliver(now)

    def at(self, now: datetime) -> list[Evaluation]:
        self.app.revisit(now)
        found = self.evaluate(now)
        self.deliver(now)
        return found

    def hours(self, since: datetime, until: datetime) -> None:
        """Every hour from ``since`` up to ``until`` in turn."""
        while since < until:
            self.at(since)
            since += HOUR

    def restart(self, **settings: object) -> None:
        """The process ends and another one starts on the same state."""
        self.close()
        self.settings = self.settings.model_copy(update=settings)

    def close(self) -> None:
        if self._app is not None:
            self._app.close()
            self._app = None

    def told(self, receiver: str = "team") -> list[Notification]:
        return self.receivers[receiver].arrived if receiver in self.receivers else []

    def kinds(self, receiver: str = "team") -> list[str]:
        return [one.kind for one in self.told(receiver)]

    def incidents(self, *, open_only: bool = False) -> list[Incident]:
        """Those of metrics, oldest first."""
        return [one for one in self._all(open_only) if one.kind == "metric"]

    def ailments(self, *, open_only: bool = False) -> list[Incident]:
        """Those of queries and files, oldest first."""
        return [one for one in self._all(open_only) if one.kind != "metric"]

    def outbox(self, incident: Incident) -> list[OutboxRow]:
        groups = self.app.store.groups_of(incident.id)
        return [row for group in groups for row in self.app.store.outbox.rows(group_id=group.id)]

    def _all(self, open_only: bool) -> list[Incident]:
        return self.app.store.incidents(open_only=open_only)[::-1]

    def _listen(self, app: App) -> None:
        if app.settings.mute or self.sends_really:
            return
        for name in app.config.receivers:
            self.receivers.setdefault(name, Fake())
        app.notifiers = {name: self.receivers[name] for name in app.config.receivers}


def error_of(found: list[Evaluation]) -> str:
    return "; ".join(one.error for one in found)
