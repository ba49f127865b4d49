"""What people get wrong, and the line that tells them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.loader import load
from tests.config.folders import SHOP, lines, loaded
from tests.config.plug_ins import PLUG_INS

TWELVE = Path(__file__).parent / "twelve_mistakes"


def test_twelve_mistakes_are_twelve_lines() -> None:
    found = load(TWELVE, environment={}, plug_ins=PLUG_INS)
    assert lines(found) == (TWELVE / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert len(found.errors) == 12


# Each case changes one thing in a folder without mistakes and is told in exactly one line.
CASES = [
    ("version: 1", "version: 2", "a.yaml:1:10: version: should be 1, the only version there is"),
    ("sources:", "source:", "a.yaml:2:1: source: unknown key; did you mean 'sources'?"),
    ('"duckdb:///shop.duckdb"', "shop.duckdb", "a.yaml:3:15: sources.shop.url: should be an address such as"),
    ('"duckdb:///shop.duckdb"', '"${ENV:URL}"', "a.yaml:3:15: sources.shop.url: a reference is written ${env:NAME}"),
    ("{url: ", "{timeout: 5, url: ", "a.yaml:3:19: sources.shop.timeout: '5' has no unit: write 5s, 5m, 5h or 5d"),
    ("{url: ", "{concurrency: 0, url: ", "sources.shop.concurrency: should be greater than or equal to 1, not 0"),
    ("{url: ", "{concurrency: many, url: ", "sources.shop.concurrency: should be a whole number, not 'many'"),
    ("{channel: C0DATAOPS1}", "{channel: '#ops'}", "receivers.ops.slack.channel: '#ops' is not a channel id"),
    ("{channel: C0DATAOPS1}", "{channel: C1, token: x}", "slack.token: comes from METRICWATCH_SLACK_TOKEN, not from"),
    ("{channel: C0DATAOPS1}", "{chanel: C1, channel: C1}", "slack.chanel: unknown key; did you mean 'channel'?"),
    ("{channel: C0DATAOPS1}", "{chanel: C1}", "slack.chanel: unknown key; did you mean 'channel'?"),
    ("{channel: C0DATAOPS1}", "{}", "a.yaml:5:9: receivers.ops.slack.channel: is missing"),
    ("{slack: {channel: C0DATAOPS1}}", "{slak: {}}", "receivers.ops.slak: no kind of receiver is called 'slak'; did"),
    ("{slack: {channel: C0DATAOPS1}}", "{}", "receivers.ops: should have one kind of receiver: slack, pagerduty"),
    ("bucket: 1h", "bucket: 7h", "a.yaml:9:13: queries.orders_hourly.bucket: '7h' is not a bucket"),
    ("    bucket: 1h\n", "", "a.yaml:7:3: queries.orders_hourly.bucket: is missing: how wide is a point?"),
    ("    source: shop\n", "", "a.yaml:7:3: queries.orders_hourly.source: is missing; there are: shop"),
    ("bucket: 1h", "bucket:", "a.yaml:9:5: queries.orders_hourly.bucket: is missing"),
    ("bucket: 1h", "bucket: 1h\n    delay: -5m", "queries.orders_hourly.delay: '-5m' is not a duration"),
    ("bucket: 1h", "bucket: 1h\n    restate: {window: 2d}", "queries.orders_hourly.restate.every: is missing"),
    ("bucket: 1h", "bucket: 1h\n    late: {warning: 3h, critical: 2h}", "late: warning should come before critical"),
    ("bucket: 1h", "bucket: 1h\n    history: 90m", "history: is shorter than two buckets of 1h"),
    ("bucket: 1h", "bucket: 1h\n    sql_file: a.sql", "orders_hourly.sql_file: sql and sql_file are both given"),
    ("bucket: 1h", "bucket: 1h\n    on_error: {notify: [opps]}", "on_error.notify[0]: no receiver is called 'opps'"),
    ("sql: SELECT", "sqll: SELECT", "queries.orders_hourly.sqll: unknown key; did you mean 'sql'?"),
    ("value: orders,", "", "a.yaml:12:3: metrics.shop.orders.value: is missing: which column holds the values?"),
    ("value: orders", "value: country", "metrics.shop.orders.value: 'country' is a time or dimension column"),
    ("better: higher", "better: up", "metrics.shop.orders.better: should be 'higher' or 'lower', not 'up'"),
    ("better: higher", "better: highr", "not 'highr'; did you mean 'higher'?"),
    ("[country], rollup: sum", "[country]", "metrics.shop.orders.rollup: is missing: how are the series added up"),
    ("[country]", "[country, country]", "metrics.shop.orders.dimensions: names 'country' twice"),
    ("[country]", "country", "metrics.shop.orders.dimensions: should be a list such as [a, b], not 'country'"),
    ("tags: [tier1]", "tags: [tier1], source: shop", "metrics.shop.revenue.source: stands beside query"),
    ("shop.revenue:", '"shop revenue":', "metrics.shop revenue: a name is made of letters, digits"),
    ('["shop.*"]', '["ads.*"]', "subscriptions.health.metrics[0]: no metric's name matches 'ads.*'"),
    ('["shop.*"]', "['tag:tier2']", "metrics[0]: no metric has the tag 'tier2'; did you mean 'tier1'?"),
    ('["shop.*"]', "[]", "subscriptions.health.metrics: list should have at least 1 item"),
    ("seasonal: {}", "seasonal: {bound: 4}", "detect[0].seasonal.bound: unknown key; there are: budget"),
    ("seasonal: {}", "seasonal: {budgt: 3}", "detect[0].seasonal.budgt: unknown key; did you mean 'budget'?"),
    ("seasonal: {}", "seasonal: {sensitivity: medium}", "seasonal.sensitivity: should be 'low', 'normal' or 'high'"),
    ("seasonal: {}", 'threshold: {below: "3"}', "detect[0].threshold.below: should be a number, not '3'"),
    ("seasonal: {}", "threshold: {below: true}", "detect[0].threshold.below: should be a number, not True"),
    ("seasonal: {}", "drift: {budget: often}", "detect[0].drift.budget: 'often' is not a rate: write how often"),
    ("seasonal: {}", "drift: {budget: 0}", "detect[0].drift.budget: 0 must be more than 0"),
    ("seasonal: {}", 'drift: {budget: "3"}', "detect[0].drift.budget: '3' is not a rate"),
    ("seasonal: {}", "drfit: {}", "detect[0].drfit: no detector is called 'drfit'; did you mean 'drift'?"),
    ("    detect:", "    require: 0\n    detect:", "require: should be 'any' or 'all', or should be greater than"),
    ("    detect:", "    require: most\n    detect:", "health.require: should be 'any' or 'all'"),
    ("    detect:", "    require: 2\n    detect:", "require: 2 detectors never agree: shop.orders is judged by 1"),
    ("seasonal: {}", "threshold: {}", "detect[0].threshold: set above, below or outside"),
    ("seasonal: {}", "seasonal: {critical: 1}", "detect[0].seasonal.critical: should be greater than 1"),
    ("seasonal: {}", "seasonal: {severity: bad}", "detect[0].seasonal.severity: should be 'info', 'warning' or"),
    ("seasonal: {}", "seasonal: {metric: shop.order}", "seasonal.metric: 'shop.order' is not of this subscription"),
    ("seasonal: {}", "seasonal: {where: {county: DE}}", "where.county: shop.orders and shop.revenue have no dimension"),
    ("seasonal: {}", "seasonal: {where: all}", "seasonal.where: should be a mapping such as {key: value}, or"),
    ("seasonal: {}", "seasonal: {where: {country: 49}}", "where.country: should be text; put it in quotes, not 49"),
    ("[seasonal: {}]", "[]", "subscriptions.health.detect: list should have at least 1 item"),
    ("[seasonal: {}]", "[seasonal]", "subscriptions.health.detect[0]: should be a mapping"),
    ("[seasonal: {}]", "seasonal", "subscriptions.health.detect: should be a list"),
    ("notify: {warning", "mode: on\n    notify: {warning", "health.mode: should be 'live' or 'shadow', not 'on'"),
    ("{warning: [ops]}", "{warning: ops}", "notify.warning: should be a list such as [a, b], not 'ops'"),
    ("{warning: [ops]}", "{warning: [op]}", "notify.warning[0]: no receiver is called 'op'; did you mean 'ops'?"),
    ("{warning: [ops]}", "{warn: [ops]}", "subscriptions.health.notify.warn: unknown key; did you mean 'warning'?"),
    ("notify:", "guard: {direction: worse}\n    notify:", "guard.direction: worse has no meaning for shop.revenue"),
    ("notify:", "guard: {min_change: 8}\n    notify:", "guard.min_change: 8 is not a share: write it in percent"),
    ("notify:", "runbook: wiki\n    notify:", "subscriptions.health.runbook: 'wiki' is not a web address"),
    ("notify:", "owner: {slack: '@me'}\n    notify:", "owner.slack: '@me' is not a Slack id"),
    ("notify:", "timezone: berlin\n    notify:", "timezone: 'berlin' is not a time zone; did you mean"),
    ("notify:", "timezone: America\n    notify:", "timezone: 'America' is not a time zone"),
    ("notify:", "template: quiet\n    notify:", "template: no template is called 'quiet'; there are none yet"),
    ("notify:", "delivery: {group_by: [county]}\n    notify:", "delivery.group_by[0]: shop.orders and shop.revenue"),
    ("notify:", "delivery: {group_by: metric}\n    notify:", "delivery.group_by: should be a list such as [a, b]"),
    ("notify:", "delivery: {group_wait: 30}\n    notify:", "delivery.group_wait: '30' has no unit: write 30s, 30m"),
    ("notify:", "delivery: {group_interval: 0s}\n    notify:", "group_interval: must be longer than nothing"),
    ("notify:", "delivery: {repeat_interval: 0s}\n    notify:", "repeat_interval: must be longer than nothing"),
    ("notify:", "delivery: {group_every: 5m}\n    notify:", "delivery.group_every: unknown key; did you mean"),
    ("notify:", "incident: {max_age: 0h}\n    notify:", "health.incident.max_age: must be longer than nothing"),
    ("notify:", "incident: {max_age: day}\n    notify:", "health.incident.max_age: 'day' is not a duration: write one"),
    ("notify:", "mute: [Sun 2-4]\n    notify:", "a.yaml:18:12: subscriptions.health.mute[0]: 'Sun 2-4' is not"),
    ("notify:", "mute: ['Son 02:00-04:00']\n    notify:", "'son' in 'Son 02:00-04:00' is not a day: write Mon, Tue"),
    ("notify:", "mute: ['Sun 02:00-02:00']\n    notify:", "mute[0]: 'Sun 02:00-02:00' is empty: it ends when"),
    ("notify:", "mute: 'Sun 02:00-04:00'\n    notify:", "health.mute: should be a list such as [a, b]"),
    ("  health:", "  health: 5\n  other:", "subscriptions.health: should be a mapping such as {key: value}"),
    ("subscriptions:", "subscriptions: []\nx:", "subscriptions: should be a mapping of names to entries"),
]  # fmt: skip


@pytest.mark.parametrize(("correct", "wrong", "expected"), CASES)
def test_a_mistake_is_one_line(tmp_path: Path, correct: str, wrong: str, expected: str) -> None:
    assert correct in SHOP
    found = loaded(tmp_path, {"a.yaml": SHOP.replace(correct, wrong, 1)})
    told = [line for line in lines(found) if ": x: unknown key" not in line]
    assert len(told) == 1, told
    assert expected in told[0]
    assert found.errors


def test_the_folder_of_these_cases_has_no_mistake(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP})
    assert lines(found) == []
    assert found.config.subscriptions["health"].metrics == ("shop.orders", "shop.revenue")


def test_a_name_twice_names_both_places(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, {"a.yaml": SHOP, "b.yaml": "metrics:\n  shop.orders: {query: orders_hourly, value: orders}\n"}
    )
    assert lines(found) == ["b.yaml:2:3: metrics.shop.orders: this name is taken: first at a.yaml:12:3"]


def test_defaults_set_twice_name_both_places(tmp_path: Path) -> None:
    texts = {"a.yaml": SHOP, "b.yaml": "defaults: {timezone: UTC}\n", "c.yaml": "defaults: {timezone: UTC}\n"}
    found = loaded(tmp_path, texts)
    assert lines(found) == ["c.yaml:1:12: defaults.timezone: is already set: first at b.yaml:1:12"]


def test_a_broken_file_is_one_mistake_not_one_for_each_of_its_names(tmp_path: Path) -> None:
    broken = SHOP.partition("subscriptions:")[0] + "  bad: [\n"
    found = loaded(tmp_path, {"a.yaml": broken, "b.yaml": "subscriptions:" + SHOP.partition("subscriptions:")[2]})
    assert [problem.path for problem in found.problems] == ["a.yaml"]


def test_an_unset_secret_is_a_warning(tmp_path: Path) -> None:
    text = SHOP.replace("duckdb:///shop.duckdb", "${env:SHOP_URL}").replace(
        "{slack: {channel: C0DATAOPS1}}", '{webhook: {url: "${file:/nowhere/hook}"}}'
    )
    found = loaded(tmp_path, {"a.yaml": text})
    assert lines(found) == [
        "a.yaml:3:15: sources.shop.url: warning: environment variable SHOP_URL is not set",
        f"a.yaml:5:24: receivers.ops.webhook.url: warning: secret file /nowhere/hook cannot be read: {os.strerror(2)}",
    ]
    assert not found.errors
    assert "health" in found.config.subscriptions


def test_a_set_secret_is_no_warning_and_stays_a_reference(tmp_path: Path) -> None:
    text = SHOP.replace("duckdb:///shop.duckdb", "${env:SHOP_URL}")
    found = loaded(tmp_path, {"a.yaml": text}, environment={"SHOP_URL": "postgresql://app:canary-4711@db/shop"})
    assert found.problems == ()
    assert "canary-4711" not in repr(found)


@pytest.mark.parametrize(
    "url", ["postgresql://app:canary@db/shop", "snowflake://u@acct/db?password=canary", "mysql://:canary@db/x"]
)
def test_a_password_in_a_file_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace("duckdb:///shop.duckdb", url)})
    assert len(found.errors) == 1
    assert "holds a password" in str(found.errors[0])
    assert "canary" not in str(found.problems)


def test_a_literal_secret_of_a_receiver_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = SHOP.replace("{slack: {channel: C0DATAOPS1}}", "{pagerduty: {routing_key: canary}}")
    found = loaded(tmp_path, {"a.yaml": text})
    assert lines(found) == [
        "a.yaml:5:34: receivers.ops.pagerduty.routing_key: is a secret: write ${env:NAME} or ${file:PATH}"
    ]


def test_sql_without_edges_is_a_warning(tmp_path: Path) -> None:
    text = SHOP.replace("WHERE hour >= :start AND hour < :end", "WHERE hour >= :start")
    found = loaded(tmp_path, {"a.yaml": text})
    assert len(found.problems) == 1
    assert not found.errors
    assert "the SQL does not use :end" in str(found.problems[0])


def test_a_subscription_that_tells_nobody_is_a_warning(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace("    notify: {warning: [ops]}\n", "")})
    assert lines(found) == ["a.yaml:15:3: subscriptions.health: warning: notifies nobody: its incidents are only shown"]


@pytest.mark.parametrize("path", ["../secret.sql", "/etc/passwd", "sql/../../x.sql", "~/x.sql"])
def test_sql_files_stay_inside_the_folder(tmp_path: Path, path: str) -> None:
    text = SHOP.replace("    sql: SELECT", f"    sql_file: {path}\n    # SELECT")
    found = loaded(tmp_path / "folder", {"a.yaml": text})
    assert len(found.errors) == 1
    assert "must be a path inside the folder" in str(found.errors[0])


def test_a_missing_sql_file_names_the_nearest(tmp_path: Path) -> None:
    text = SHOP.replace("    sql: SELECT", "    sql_file: sql/order.sql\n    # SELECT")
    found = loaded(tmp_path, {"a.yaml": text, "sql/orders.sql": "SELECT :start, :end"})
    assert [str(problem).rpartition("; ")[2] for problem in found.errors] == ["did you mean 'sql/orders.sql'?"]


@pytest.mark.parametrize(
    ("delay", "incident", "expected"),
    [
        (
            "3h",
            "{max_age: 90m}",
            "19:25: subscriptions.health.incident.max_age: nothing would ever be sent: orders_hourly",
        ),
        (
            "2d",
            "{}",
            "16:3: subscriptions.health: warning: nothing would ever be sent: orders_hourly is judged 2d after",
        ),
    ],
)
def test_an_age_below_the_delay_would_send_nothing(tmp_path: Path, delay: str, incident: str, expected: str) -> None:
    late = SHOP.replace("bucket: 1h", f"bucket: 1h\n    delay: {delay}")
    found = loaded(tmp_path, {"a.yaml": late.replace("notify:", f"incident: {incident}\n    notify:")})
    (told,) = lines(found)
    assert told.startswith(f"a.yaml:{expected}")
    assert "write incident: {max_age: " in told


@pytest.mark.parametrize(("written", "near"), [("county", "country"), ("metrics", "metric"), ("total", "country")])
def test_a_dimension_to_group_by_names_the_nearest(tmp_path: Path, written: str, near: str) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP.replace("notify:", f"delivery: {{group_by: [{written}]}}\n    notify:")})
    (told,) = lines(found)
    assert f"shop.orders and shop.revenue have no dimension {written!r}; " in told
    assert f"'{near}'" in told or f" {near}," in told
