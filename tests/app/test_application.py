from __future__ import annotations

import pytest

from alerting.app import BadConfig, open_app
from tests.flow.conftest import Made, make
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON

__all__ = ["make"]


def test_queries_that_nobody_watches_are_never_due(make: Made) -> None:
    world = make()
    world.change("metrics: [shop.orders]", "metrics: [shop.other]")
    world.change(
        "subscriptions:", "  shop.other: {source: shop, bucket: 1h, value: orders, sql: 'SELECT 1'}\nsubscriptions:"
    )
    assert world.app.due(NOON) == ["shop.other"]


def test_a_query_is_due_when_its_bucket_has_closed(make: Made) -> None:
    world = quiet(make())
    assert world.app.due(NOON + HOUR / 60) == []
    assert world.app.due(NOON + HOUR) == ["orders_hourly"]


def test_a_source_that_moved_is_opened_anew_and_the_others_stay_open(make: Made) -> None:
    world = make()
    world.change("receivers:", '  other: {url: "sqlite:///other.sqlite"}\nreceivers:')
    before = {name: world.app.warehouse(name) for name in ("shop", "other")}
    world.change("other.sqlite", "third.sqlite")
    world.reload(NOON)
    assert world.app.warehouse("shop") is before["shop"]
    assert world.app.warehouse("other") is not before["other"]


def test_a_folder_that_never_loaded_is_refused_with_all_its_mistakes(make: Made) -> None:
    world = make()
    world.change("below: 50", "bellow: 50")
    world.change("bucket: 1h", "bucket: 7m")
    with pytest.raises(BadConfig) as caught:
        open_app(world.settings)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["shop.yaml"] * len(lines)
    assert len(lines) >= 2
    empty = open_app(world.settings, may_be_broken=True)
    assert empty.config.queries == {}
    empty.close()
