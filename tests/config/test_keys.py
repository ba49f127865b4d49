"""Every key there is: those of today become the model, those of later releases say so."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from config.model import (
    Calendar,
    DeliveryRules,
    Detect,
    Guard,
    IncidentRules,
    Late,
    Metric,
    MuteWindow,
    OnError,
    Query,
    Restate,
    Source,
    Subscription,
)
from config.secrets import Secret
from detectors.buckets import Bucket
from detectors.hours import Hours
from tests.config.folders import SHOP, lines, loaded
from tests.config.plug_ins import Drift, Seasonal, Threshold

EVERYTHING = """\
version: 1
sources:
  shop: {url: "${env:SHOP_URL}", concurrency: 4, timeout: 45s, naive_time: Europe/Paris, limits: {bytes_per_query: 50GB}}
receivers:
  chat: {slack: {channel: C0GROWTH01}, fallback: ops}
  pager: {pagerduty: {routing_key: "${env:PD_KEY}", region: eu}}
  ops: {console: {}}
  hook: {webhook: {url: "${env:HOOK_URL}", secret: "${env:HOOK_SECRET}"}}
calendars:
  us: {country: US, days: {Black Friday: [2026-11-27]}, before: 1d, after: 1d, effect: widen}
defaults:
  timezone: America/New_York
  incident: {open_after: 2, resolve_after: 3, no_data: keep}
  delivery: {group_by: [subscription], group_wait: 30s, group_interval: 5m, repeat_interval: 6h}
  on_error: {after: 3, notify: [ops]}
queries:
  orders_hourly:
    source: shop
    bucket: 1h
    timezone: Europe/Paris
    delay: 20m
    restate: {window: 48h, every: 6h}
    late: {warning: 90m, critical: 3h}
    history: 100d
    max_series: 50
    on_error: {after: 2}
    sql: |
      SELECT hour AS time, country, orders, revenue
      FROM orders WHERE hour >= :start AND hour < :end
metrics:
  c.orders: {query: orders_hourly, value: orders, dimensions: [country], rollup: sum, total: true, fill: zero, better: higher, unit: orders, tags: [tier1], max_series: 20}
  c.spend: {source: shop, bucket: 1d, sql_file: sql/spend.sql, value: spend}
  c.cost: {ratio: [c.spend, c.orders], min_denominator: 40, better: lower}
subscriptions:
  health:
    metrics: [c.orders]
    owner: {team: checkout, slack: S0CHECKOUT}
    runbook: https://runbooks.example/checkout
    mode: live
    timezone: Asia/Tokyo
    detect:
      - seasonal: {budget: 14/week, seasons: [day], domain: count, critical: never, where: {country: FR}}
      - threshold: {metric: c.orders, where: total, below: 50, during: "Mon-Sun 08:00-23:00", severity: critical}
      - threshold: {outside: [1, 9], critical: 3}
      - threshold: {below: 1, clear: 5}
      - drift: {budget: 7/week, metric: c.orders}
    guard: {direction: worse, min_change: 8%, min_difference: 2.5}
    incident: {open_after: 1, max_age: 36h}
    delivery: {group_by: [subscription, country]}
    require: all
    calendars: [us]
    mute: ["Sun 02:00-04:00"]
    digest: weekly
    notify: {info: [hook], warning: [chat], critical: [pager]}
    tests:
      - {name: a drop is found, expect: {fires_within: 3h}}
  shadow:
    metrics: [c.orders]
    mode: shadow
    detect:
      - seasonal: {sensitivity: low}
    notify: {warning: [ops]}
"""  # fmt: skip  # noqa: E501
LATER = {
    "sources.shop.limits": "limits come",
    "metrics.c.cost.ratio": "ratios come",
    "metrics.c.cost.min_denominator": "ratios come",
    "subscriptions.health.digest": "digests come",
    "subscriptions.health.tests": "tests come",
}
SECRETS = {"SHOP_URL": "duckdb:///x", "PD_KEY": "k", "HOOK_URL": "https://hook.example", "HOOK_SECRET": "s"}


def _today() -> str:
    """The same text without what comes later."""
    text = EVERYTHING
    for part in (
        ", limits: {bytes_per_query: 50GB}",
        "    digest: weekly\n",
        "    tests:\n      - {name: a drop is found, expect: {fires_within: 3h}}\n",
        "  c.cost: {ratio: [c.spend, c.orders], min_denominator: 40, better: lower}\n",
    ):  # fmt: skip
        assert part in text
        text = text.replace(part, "")
    return text


def test_keys_of_later_releases_are_refused_and_nothing_else(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": EVERYTHING, "sql/spend.sql": "SELECT :start, :end"}, environment=SECRETS)
    told = {problem.key: problem.message for problem in found.problems}
    assert told == {key: f"not available yet: {what} with a later release" for key, what in LATER.items()}
    assert all(problem.line for problem in found.errors)


def test_a_later_key_is_told_at_its_key(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace("    notify:", "    digest: weekly\n    notify:")})
    assert lines(found) == [
        "a.yaml:18:5: subscriptions.health.digest: not available yet: digests come with a later release"
    ]


def test_keys_of_today_become_the_model(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": _today(), "sql/spend.sql": "SELECT :start, :end"}, environment=SECRETS)
    assert lines(found) == []
    config = found.config
    us = Calendar("us", "US", days={"Black Friday": (date(2026, 11, 27),)}, before=1, after=1, effect="widen")
    assert config.calendars == {"us": us}
    assert config.sources["shop"] == Source("shop", Secret("${env:SHOP_URL}"), 4, timedelta(seconds=45), "Europe/Paris")
    assert config.queries["orders_hourly"] == Query(
        name="orders_hourly",
        source="shop",
        sql="SELECT hour AS time, country, orders, revenue\nFROM orders WHERE hour >= :start AND hour < :end\n",
        bucket=Bucket.parse("1h"),
        timezone="Europe/Paris",
        delay=timedelta(minutes=20),
        restate=Restate(timedelta(hours=48), timedelta(hours=6)),
        late=Late(timedelta(minutes=90), timedelta(hours=3)),
        history=timedelta(days=100),
        max_series=50,
        on_error=OnError(2, ("ops",)),
    )
    assert config.metrics["c.orders"] == Metric(
        "c.orders", "orders_hourly", "orders", ("country",), "sum", True, "zero", "higher", "orders", ("tier1",), 20
    )
    assert config.queries["c.spend"].sql == "SELECT :start, :end"
    assert config.receivers["pager"].parameters == {"routing_key": "${env:PD_KEY}", "region": "eu"}
    assert config.subscriptions["health"] == Subscription(
        name="health",
        metrics=("c.orders",),
        detect=(
            Detect(
                "seasonal",
                "seasonal",
                Seasonal(budget=14, seasons=("day",), domain="count"),
                None,
                {"country": "FR"},
                None,
                None,
            ),
            Detect(
                "threshold",
                "threshold",
                Threshold(below=50, during="Mon-Sun 08:00-23:00", timezone="Asia/Tokyo"),
                "c.orders",
                "total",
                "critical",
                2.0,
            ),
            Detect("threshold-2", "threshold", Threshold(outside=(1, 9), timezone="Asia/Tokyo"), critical=3.0),
            Detect("threshold-3", "threshold", Threshold(below=1, clear=5, timezone="Asia/Tokyo")),
            Detect("drift", "drift", Drift(budget=7.0), "c.orders"),
        ),
        notify={"info": ("hook",), "warning": ("chat",), "critical": ("pager",)},
        timezone="Asia/Tokyo",
        team="checkout",
        slack_owner="S0CHECKOUT",
        runbook="https://runbooks.example/checkout",
        guard=Guard("worse", 0.08, 2.5),
        incident=IncidentRules(1, 3, "keep", timedelta(hours=36)),
        delivery=DeliveryRules(
            ("subscription", "country"), timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=6)
        ),
        calendars=(us,),
        require="all",
        mute=(MuteWindow("Sun 02:00-04:00", Hours((6,), 120, 240)),),
    )
    assert config.subscriptions["shadow"].mode == "shadow"


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ("[shop.revenue, shop.orders]", ("shop.revenue", "shop.orders")),
        ("['*']", ("shop.orders", "shop.revenue")),
        ("['shop.[or]*', shop.orders]", ("shop.orders", "shop.revenue")),
        ("['tag:tier1']", ("shop.revenue",)),
        ("['shop.?rders', 'tag:tier1']", ("shop.orders", "shop.revenue")),
    ],
)
def test_metrics_are_selected_by_name_pattern_and_tag(
    tmp_path: Path, selectors: str, expected: tuple[str, ...]
) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace('["shop.*"]', selectors)})
    assert lines(found) == []
    assert found.config.subscriptions["health"].metrics == expected


def test_a_pattern_ignores_upper_and_lower_case_never(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace('["shop.*"]', '["Shop.*"]')})
    assert len(found.errors) == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{}", DeliveryRules()),
        ("{group_by: []}", DeliveryRules(())),
        ("{group_by: [metric, country, metric]}", DeliveryRules(("metric", "country"))),
        ("{group_wait: 0s}", DeliveryRules(group_wait=timedelta(0))),
        ("{group_interval: 1m}", DeliveryRules(group_interval=timedelta(minutes=1))),
        ("{repeat_interval: 1d}", DeliveryRules(repeat_interval=timedelta(days=1))),
    ],
)
def test_delivery_says_how_notices_are_gathered(tmp_path: Path, written: str, expected: DeliveryRules) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace("    notify:", f"    delivery: {written}\n    notify:")})
    assert lines(found) == []
    assert found.config.subscriptions["health"].delivery == expected
