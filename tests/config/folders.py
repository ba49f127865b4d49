"""Folders of YAML made of texts, loaded with the plug-ins of these tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.loader import Loaded, load
from tests.config.plug_ins import PLUG_INS

SHOP = """\
version: 1
sources:
  shop: {url: "duckdb:///shop.duckdb"}
receivers:
  ops: {slack: {channel: C0DATAOPS1}}
queries:
  orders_hourly:
    source: shop
    bucket: 1h
    sql: SELECT hour AS time, country, orders, revenue FROM orders WHERE hour >= :start AND hour < :end
metrics:
  shop.orders: {query: orders_hourly, value: orders, dimensions: [country], rollup: sum, total: true, better: higher}
  shop.revenue: {query: orders_hourly, value: revenue, rollup: sum, tags: [tier1]}
subscriptions:
  health:
    metrics: ["shop.*"]
    detect: [seasonal: {}]
    notify: {warning: [ops]}
"""


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def loaded(
    folder: Path,
    texts: Mapping[str, str],
    *,
    last_good: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    write(folder, texts)
    return load(folder, last_good=last_good or {}, environment=environment or {}, plug_ins=PLUG_INS)


def lines(found: Loaded) -> list[str]:
    return [str(problem) for problem in found.problems]
