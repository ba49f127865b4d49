"""A shop whose names, values, errors and comments are attacks: thirty ways to make a page run something."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerting.app import App

PAYLOADS = (
    "<script>alert(1)</script>",
    "</title><script>alert(2)</script>",
    "</textarea><script>alert(3)</script>",
    "</option></select><script>alert(4)</script>",
    '"><script>alert(5)</script>',
    "'><script>alert(6)</script>",
    "--><script>alert(7)</script><!--",
    "]]><script>alert(8)</script>",
    "<scr<script>ipt>alert(9)</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(11)>",
    '"><img src=x onerror=alert(12)>',
    "<img src=`x` onerror=alert(13)>",
    "<svg onload=alert(14)>",
    "<svg><script>alert(15)</script></svg>",
    "<svg><animate onbegin=alert(16) attributeName=x dur=1s>",
    "<math><mi//xlink:href='data:x,<script>alert(17)</script>'>",
    '" autofocus onfocus=alert(18) x="',
    "' autofocus onfocus=alert(19) x='",
    "x onmouseover=alert(20)",
    "<body onload=alert(21)>",
    "<iframe src=javascript:alert(22)></iframe>",
    "<iframe srcdoc='<script>parent.alert(23)</script>'></iframe>",
    "<object data=javascript:alert(24)></object>",
    "<a href=javascript:alert(25)>click</a>",
    "<form action=javascript:alert(26)><button>send</button></form>",
    "<details open ontoggle=alert(27)>",
    "<style>@import '//evil.example/x.css';</style>",
    "{{ ''.__class__.__mro__ }}<b hx-on:load='alert(29)' hx-trigger=load hx-get=/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(30)'>",
)
NOW = datetime(2026, 2, 3, 13, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)

YAML = """\
version: 1
sources: {shop: {url: "sqlite:///FOLDER/shop.db"}}
receivers: {"screen": {console: {}}}
defaults:
  on_error: {after: 1, notify: [screen]}
queries:
  orders_hourly:
    source: shop
    bucket: 1h
    history: 2d
    sql: SELECT hour AS time, country, orders FROM orders WHERE hour >= :start AND hour < :end
BROKEN
metrics:
  shop.orders: {query: orders_hourly, value: orders, dimensions: [country], rollup: sum, unit: "<svg onload=alert(0)>"}
METRICS
subscriptions:
  health:
    metrics: ["shop.*"]
    owner: {team: "<img src=x onerror=alert(0)>"}
    incident: {open_after: 1}
    detect: [threshold: {below: 50}]
    notify: {warning: [screen]}
"""


def build(folder: Path) -> None:
    """The warehouse and the YAML: a country for each payload, and a query for each of five whose error quotes it."""
    (folder / "metrics").mkdir()
    quotable = [one for one in PAYLOADS if "]" not in one and ":" not in one][:5]
    broken = [
        f"  broken_{number}:\n    source: shop\n    bucket: 1h\n    sql: |\n"
        f"      SELECT hour AS time, [{payload}] FROM orders WHERE hour >= :start AND hour < :end\n"
        for number, payload in enumerate(quotable)
    ]
    metrics = [
        f'  shop.broken_{number}: {{query: broken_{number}, value: x, tags: ["<b>{number}"]}}\n'
        for number in range(len(quotable))
    ]
    text = YAML.replace("FOLDER", str(folder)).replace("BROKEN\n", "".join(broken))
    (folder / "metrics" / "shop.yaml").write_text(text.replace("METRICS\n", "".join(metrics)), encoding="utf-8")
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE orders (hour TEXT, country TEXT, orders REAL)")
        rows = [
            (f"{NOW - step * HOUR:%Y-%m-%d %H:00:00}", payload, 100.0 if step > 2 else 10.0)
            for step in range(1, 48)
            for payload in PAYLOADS
        ]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)


def watch(app: App) -> None:
    """Everything is evaluated, and people comment with each payload."""
    for now in (NOW - 12 * HOUR, NOW):
        app.adopt_config(now)
        for name in app.config.queries:
            app.evaluate(name, now)
        app.deliver(now)
    still_open = [one for one in app.store.incidents(open_only=True) if one.kind == "metric" and one.labels]
    for incident, payload in zip(still_open, PAYLOADS, strict=True):
        who = {"by": payload, "via": "dashboard", "now": NOW}
        app.actions.acknowledge(incident.id, **who)  # type: ignore[arg-type]  # who, from where and when
        matchers = {"metric": "shop.*", "country": payload}
        app.actions.silence_matching(matchers, 4 * HOUR, comment=payload, **who)  # type: ignore[arg-type]
        if incident is still_open[0]:
            app.actions.label(incident.id, "expected", comment=payload, **who)  # type: ignore[arg-type]
