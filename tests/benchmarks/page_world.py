"""A store as full as a company's: one query of ten metrics and a thousand shops, 90 days of hours, all of it judged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from alerting.app import App
from alerting.core.blocks import Block, ColumnKey, fingerprint
from alerting.core.groups import Group, group_id, group_key
from alerting.core.health import QueryState
from alerting.core.incidents import Incident, Reading, SeriesState, Status, incident_id
from alerting.store import Judged, Recording
from alerting.store.costs import Cost
from config.model import Query
from config.settings import Settings
from detectors.buckets import as_instant
from detectors.contract import Floats, Instants, Verdicts

METRICS, SERIES, DAYS = 10, 1_000, 90
HOURS, WEEK = DAYS * 24, 7 * 24
UNTIL = datetime(2026, 4, 6, 12, tzinfo=UTC)
FIRST = UNTIL - timedelta(hours=HOURS)
UNUSUAL, DROPPED = 12, 3
"""Of each metric, so many series lost half in so many hours before the end."""

CONFIG = """\
version: 1
sources: {{shop: {{url: "sqlite:///shop.db"}}}}
receivers: {{screen: {{console: {{}}}}}}
queries:
  sales:
    source: shop
    bucket: 1h
    sql: SELECT time, shop, {columns} FROM sales WHERE time >= :start AND time < :end
metrics:
{metrics}
subscriptions:
{subscriptions}
"""


def configuration(folder: Path) -> Settings:
    """Settings over a folder with the configuration of the world."""
    columns = [f"m{number}" for number in range(METRICS)]
    metrics = [
        f"  shop.{name}: {{query: sales, value: {name}, dimensions: [shop], rollup: sum, unit: orders, tags: [{name}]}}"
        for name in columns
    ]
    subscriptions = [
        f"  watch-{name}:\n    metrics: [shop.{name}]\n    owner: {{team: team-{name}}}\n    detect: [seasonal: {{}}]\n"
        f"    notify: {{warning: [screen]}}"
        for name in columns
    ]
    text = CONFIG.format(columns=", ".join(columns), metrics="\n".join(metrics), subscriptions="\n".join(subscriptions))
    (folder / "metrics").mkdir()
    (folder / "metrics" / "shop.yaml").write_text(text, encoding="utf-8")
    return Settings.model_validate({"state_url": f"sqlite:///{folder / 'state.db'}", "config": folder / "metrics"})


def fill(app: App) -> None:
    """Readings, verdicts, and the incidents that they opened."""
    (query,) = app.config.queries.values()
    keys = tuple(ColumnKey(f"m{m}", (("shop", f"{s:04}"),)) for m in range(METRICS) for s in range(SERIES))
    state = QueryState("sales", query.digest, FIRST, UNTIL, FIRST, UNTIL, UNTIL, UNTIL, UNTIL)
    for times, values, expected in _weeks():
        app.store.write_pull(query.digest, Block(times, keys, values), UNTIL, state, Cost(1, values.size, 2.0))
        app.store.points.seal(UNTIL)
        app.store.record(Recording(now=UNTIL, judged=tuple(_judged(times, values, expected))))
    _open_incidents(app, query)


def _weeks() -> Iterator[tuple[Instants, Floats, Floats]]:
    """Times, readings and what was expected, ``[T, all series]``."""
    noise = np.random.default_rng(7)
    shift = np.arange(METRICS * SERIES) / SERIES
    for begin in range(0, HOURS, WEEK):
        rows = np.arange(begin, min(begin + WEEK, HOURS))[:, None]
        expected = 1000 + 300 * np.sin(2 * np.pi * (rows / 24 + shift))
        values = np.round(expected + noise.normal(size=expected.shape) * 30)
        is_unusual = (rows >= HOURS - DROPPED) & (np.arange(METRICS * SERIES) % SERIES < UNUSUAL)
        yield (
            as_instant(FIRST) + rows[:, 0] * np.timedelta64(1, "h"),
            np.where(is_unusual, values / 2, values),
            expected,
        )


def _judged(times: Instants, values: Floats, expected: Floats) -> Iterator[Judged]:
    labels = tuple({"shop": f"{s:04}"} for s in range(SERIES))
    begin = FIRST + timedelta(hours=float((times[0] - as_instant(FIRST)) / np.timedelta64(1, "h")))
    for m in range(METRICS):
        mine = slice(m * SERIES, (m + 1) * SERIES)
        observed, usual = values[:, mine], expected[:, mine]
        score = np.abs(observed - usual) / 150
        verdicts = Verdicts(
            times=times,
            observed=observed,
            expected=usual,
            lower=usual - 150,
            upper=usual + 150,
            score=score,
            status=np.where(score > 1, "anomaly", "ok"),
            direction=np.sign(observed - usual).astype(np.int8),
            reason=np.full(score.shape, "", dtype=object),
            state=b"learned",
        )
        previous = None if begin == FIRST else begin
        until = begin + timedelta(hours=len(times))
        yield Judged(f"watch-m{m}", "seasonal", f"shop.m{m}", labels, verdicts, until, previous, added=FIRST)


def _open_incidents(app: App, query: Query) -> None:
    for m in range(METRICS):
        members = tuple(_incident(f"shop.m{m}", f"{s:04}", f"subscription:watch-m{m}") for s in range(UNUSUAL))
        states = tuple(
            SeriesState(
                one.subject, one.fingerprint, one.metric, one.labels, Status.FIRING, one.opened, UNTIL, incident=one
            )
            for one in members
        )
        key = group_key(members[0], ("subscription",))
        name = group_id("screen", key, UNTIL, members[0])
        group = Group(name, "screen", key, members[0].subject, UNTIL, members, "warning", 1, UNTIL)
        app.store.record(Recording(now=UNTIL, states=states, groups=(group,)))


def _firing(one: Incident) -> SeriesState:
    where = (one.subject, one.fingerprint, one.metric, one.labels)
    return SeriesState(*where, Status.FIRING, one.opened, UNTIL, incident=one)


def _incident(metric: str, shop: str, subject: str) -> Incident:
    opened = UNTIL - timedelta(hours=DROPPED)
    labels = {"shop": shop}
    mark = fingerprint(metric, labels)
    last = Reading(UNTIL - timedelta(hours=1), "anomaly", "warning", 500, 1000, 850, 1150, 3.3, -1, "seasonal")
    name = incident_id(subject, mark, opened, 0)
    return Incident(name, subject, mark, "metric", metric, labels, "firing", "warning", opened, UNTIL, last, last, last)
