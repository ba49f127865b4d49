from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.model import Guard, IncidentRules, OnError, Restate
from config.nodes import Node, merged, plain
from config.yaml_text import read
from tests.config.folders import SHOP, lines, loaded


def node(text: str) -> Node:
    root = read(text, "a.yaml").root
    assert root is not None
    return root


@pytest.mark.parametrize(
    ("below", "above", "together"),
    [
        ("a: 1", "b: 2", {"a": 1, "b": 2}),
        ("a: 1", "a: 2", {"a": 2}),
        ("a: {b: 1, c: 1}", "a: {c: 2, d: 2}", {"a": {"b": 1, "c": 2, "d": 2}}),
        ("a: [1, 2]", "a: [3]", {"a": [3]}),
        ("a: {b: [1]}", "a: {b: []}", {"a": {"b": []}}),
        ("a: {b: 1}", "a: 5", {"a": 5}),
        ("a: {b: 1}", "a:", {"a": None}),
    ],
)
def test_maps_merge_and_lists_replace(below: str, above: str, together: object) -> None:
    assert plain(merged(node(below), node(above))) == together


def test_defaults_lie_under_templates_under_entries(tmp_path: Path) -> None:
    text = SHOP.replace(
        "queries:",
        "defaults:\n  incident: {open_after: 5, resolve_after: 6, no_data: ok}\n  timezone: Asia/Kathmandu\n"
        "templates:\n  calm: {incident: {resolve_after: 9}, guard: {min_change: 12%, direction: up}}\nqueries:",
    ).replace(
        "    notify:", "    template: calm\n    incident: {open_after: 1}\n    guard: {direction: both}\n    notify:"
    )
    found = loaded(tmp_path, {"a.yaml": text})
    assert lines(found) == []
    health = found.config.subscriptions["health"]
    assert health.incident == IncidentRules(open_after=1, resolve_after=9, no_data="ok")
    assert health.guard == Guard("both", min_change=0.12)
    assert health.timezone == "Asia/Kathmandu"
    assert found.config.queries["orders_hourly"].timezone == "Asia/Kathmandu"


def test_defaults_reach_queries_and_queries_of_metrics(tmp_path: Path) -> None:
    text = SHOP.replace(
        "queries:",
        "defaults:\n  source: shop\n  delay: 5m\n  restate: {window: 2d, every: 6h}\n"
        "  on_error: {after: 7, notify: [ops]}\nqueries:",
    ).replace(
        "metrics:\n",
        "metrics:\n  ads.spend: {bucket: 1d, delay: 1h, restate: {every: 1d}, value: spend,"
        " sql: 'SELECT :start, :end'}\n",
        1,
    )
    found = loaded(tmp_path, {"a.yaml": text})
    assert lines(found) == []
    own, shared = found.config.queries["ads.spend"], found.config.queries["orders_hourly"]
    assert (own.source, own.delay, own.restate) == ("shop", timedelta(hours=1), Restate(timedelta(2), timedelta(1)))
    assert shared.delay == timedelta(minutes=5)
    assert own.on_error == shared.on_error == OnError(7, ("ops",))


def test_an_empty_key_takes_a_default_back(tmp_path: Path) -> None:
    text = SHOP.replace("queries:", "defaults: {restate: {window: 2d, every: 6h}}\nqueries:").replace(
        "    bucket: 1h", "    bucket: 1h\n    restate:"
    )
    assert loaded(tmp_path, {"a.yaml": text}).config.queries["orders_hourly"].restate is None


def test_a_mistake_in_a_template_is_told_once_where_it_stands(tmp_path: Path) -> None:
    users = "".join(f"  s{number}: {{template: calm, metrics: ['shop.*']}}\n" for number in range(3))
    calm = "templates:\n  calm:\n    guard: {min_change: 9}\n    detect: [seasonl: {}]\n    notify: {warning: [op]}\n"
    found = loaded(tmp_path, {"a.yaml": SHOP + users, "t.yaml": calm})
    assert [line.partition(": ")[0] for line in lines(found)] == ["t.yaml:3:25", "t.yaml:4:14", "t.yaml:5:24"]


def test_an_unused_template_is_checked_too(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP, "t.yaml": "templates: {calm: {gard: {}, bucket: 7h}}\n"})
    assert lines(found) == [
        "t.yaml:1:20: templates.calm.gard: unknown key; did you mean 'guard'?",
        "t.yaml:1:38: templates.calm.bucket: '7h' is not a bucket: write 1m to 12h (a divisor of a day), 1d, 1w or 1mo",
    ]


def test_a_template_of_another_section_is_refused(tmp_path: Path) -> None:
    text = SHOP.replace("    notify:", "    template: money\n    notify:")
    found = loaded(tmp_path, {"a.yaml": text, "t.yaml": "templates: {money: {unit: EUR, rollup: sum}}\n"})
    assert [line.partition("template: ")[2] for line in lines(found)] == [
        "this template is not for subscriptions: it sets unit, rollup"
    ]


def test_templates_do_not_stack(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP, "t.yaml": "templates: {a: {template: b}, b: {unit: EUR}}\n"})
    assert [line.partition("template: ")[2] for line in lines(found)] == ["a template cannot use another one"]


def test_a_metric_beside_a_query_takes_no_query_keys_from_defaults(tmp_path: Path) -> None:
    text = SHOP.replace("queries:", "defaults: {source: shop, bucket: 1d, max_series: 5}\nqueries:")
    found = loaded(tmp_path, {"a.yaml": text})
    assert lines(found) == []
    assert found.config.metrics["shop.orders"].max_series == 5
