"""The key ``canary``: what it adds, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.model import CANARY, Canary
from tests.config.folders import SHOP, lines, loaded

PAGED = SHOP.replace(
    "receivers:\n",
    'receivers:\n  pager: {pagerduty: {routing_key: "${env:PD}"}}\n  chat: {console: {}, fallback: pager}\n',
)


def test_a_canary_is_a_metric_of_its_own_that_tells_only_its_receivers(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": SHOP + "canary: {notify: [ops]}\n"})
    assert lines(found) == []
    config = found.config
    assert config.canary == Canary(("ops",), timedelta(days=1))
    assert [(one.name, metric.name) for one, metric in config.watched(CANARY)] == [(CANARY, CANARY)]
    assert config.subscriptions[CANARY].receivers("critical") == ("ops",)
    assert CANARY not in config.subscriptions["health"].metrics


@pytest.mark.parametrize(
    ("canary", "said"),
    [
        ("{every: 1d}", "canary.notify: is missing"),
        ("{notify: [opps]}", "canary.notify[0]: no receiver is called 'opps'; did you mean 'ops'?"),
        ("{notify: [ops, pager]}", "canary.notify[1]: 'pager' wakes people: a canary is told to a receiver that wakes"),
        ("{notify: [chat]}", "canary.notify[0]: 'chat' falls back to 'pager', which wakes people: a canary is told to"),
        ("{notify: [ops], every: 90m}", "canary.every: should be 2h or longer: one canary must end before the next"),
        ("{notify: [ops], evry: 1d}", "canary.evry: unknown key; did you mean 'every'?"),
        ("[ops]", "canary: should be a mapping such as {notify: [data-ops], every: 1d}"),
    ],
)
def test_a_canary_that_cannot_be_is_told_with_its_place(tmp_path: Path, canary: str, said: str) -> None:
    found = loaded(tmp_path, {"a.yaml": PAGED + f"canary: {canary}\n"}, environment={"PD": "x" * 32})
    (line,) = lines(found)
    assert said in line
    assert line.startswith(f"a.yaml:{len(PAGED.splitlines()) + 1}:")


def test_there_is_one_canary(tmp_path: Path) -> None:
    second = "version: 1\ncanary: {notify: [ops]}\n"
    (line,) = lines(loaded(tmp_path, {"a.yaml": SHOP + "canary: {notify: [ops]}\n", "b.yaml": second}))
    assert line == f"b.yaml:2:1: canary: is already set: first at a.yaml:{len(SHOP.splitlines()) + 1}:1"
