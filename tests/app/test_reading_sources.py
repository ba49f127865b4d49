from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.app import App
from alerting.app.reading_freshness import freshness
from alerting.app.reading_sources import UnknownSource, source, sources
from alerting.store import Cost
from config.secrets import Secret
from tests.app.world import HOUR, NOW, opened


def test_a_source_with_one_query_that_fails_works_partly(app: App) -> None:
    (shop,) = sources(app, NOW)
    assert (shop.name, shop.dialect, shop.standing) == ("shop", "sqlite", "partly")
    assert shop.reason.startswith("1 of 2 queries fail: broken_hourly, 4 pulls failed in a row")
    assert [one.query for one in shop.queries] == ["broken_hourly", "orders_hourly"], "what fails comes first"
    assert set(shop.metrics) == set(app.config.metrics)


def test_freshness_tells_watermark_and_when_the_next_pull_is_due(app: App) -> None:
    orders = freshness(app, NOW)["orders_hourly"]
    assert (orders.condition, orders.reason) == ("fresh", "")
    assert orders.watermark == NOW.replace(minute=0)
    assert orders.due == NOW.replace(minute=0) + HOUR
    assert orders.attempted == orders.succeeded == NOW


def test_a_query_that_stays_away_is_late(app: App) -> None:
    orders = freshness(app, NOW + 24 * HOUR)["orders_hourly"]
    assert orders.condition == "late"
    assert orders.reason.startswith("23 h 10 m late: nothing since the bucket of 2026-02-03 12:00 UTC")


def test_costs_count_what_was_pulled_in_the_last_day_and_week(app: App) -> None:
    orders = freshness(app, NOW)["orders_hourly"]
    assert orders.last is not None
    assert (orders.last.at, orders.last.cost.rows) == (NOW, 3 * 16)
    assert orders.day.pulls < orders.week.pulls
    assert orders.week.rows == 3 * 24 * 36 + 3 * 13, "five weeks of history, then two days"
    assert orders.week.seconds > 0
    assert freshness(app, NOW)["broken_hourly"].week == Cost(), "nothing answered"


def test_a_source_whose_secret_is_not_set_fails_and_says_which(watched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(watched, folder)
    with opened(folder) as app:
        lost = replace(app.config.sources["shop"], url=Secret("postgresql://app:${env:NO_SUCH_PASSWORD}@db/shop"))
        config = replace(app.config, sources={"shop": lost})
        app.loaded = replace(app.loaded, config=config)
        found = source(app, "shop", NOW)
    assert (found.standing, found.dialect) == ("failing", "")
    assert "NO_SUCH_PASSWORD is not set" in found.reason
    assert "@db" not in repr(found)


def test_an_unknown_source_is_answered_with_what_there_is(app: App) -> None:
    with pytest.raises(UnknownSource, match="there is no source 'shp'; did you mean 'shop'"):
        source(app, "shp", NOW)
