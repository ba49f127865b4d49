from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.app import App
from alerting.app.reading import UnknownMetric, UnknownSeries
from alerting.app.reading_metric import metric_page
from tests.app.world import ADDED, HOSTILE, HOUR, NOW, opened

DE, FR = {"country": "DE"}, {"country": "FR"}


def test_series_are_the_total_then_the_worst_then_the_largest(app: App) -> None:
    page = metric_page(app, "shop.orders", NOW)
    assert [(dict(one.labels), one.standing) for one in page.series] == [
        ({}, "critical"),
        ({"country": HOSTILE}, "critical"),
        (FR, "critical"),
        (DE, "normal"),
    ]
    assert page.chosen == {}
    assert (page.first, page.end) == (ADDED.replace(hour=0, minute=0) - timedelta(days=60), NOW.replace(minute=0))


def test_a_series_is_chosen_by_what_tells_it_apart(app: App) -> None:
    assert metric_page(app, "shop.orders", NOW, DE).chosen == DE
    with pytest.raises(UnknownSeries, match=r"there is no series shop.orders\{country=XX\}; there are: "):
        metric_page(app, "shop.orders", NOW, {"country": "XX"})


def test_bands_and_subscribers_are_those_that_watch_it(app: App) -> None:
    page = metric_page(app, "shop.orders", NOW)
    assert [(band.subscription, band.entry) for band in page.bands] == [("health", "seasonal"), ("health", "threshold")]
    assert page.bands[1].words.startswith("threshold: below 20")
    assert [one.name for one in page.subscriptions] == ["health"]
    assert page.sql.startswith("SELECT hour AS time")


def test_alerts_are_those_of_the_metric_in_the_last_90_days_open_ones_first(app: App) -> None:
    alerts = metric_page(app, "shop.orders", NOW).alerts
    assert [line.incident.is_open for line in alerts] == sorted(
        (line.incident.is_open for line in alerts), reverse=True
    )
    assert {line.incident.metric for line in alerts} == {"shop.orders"}
    later = metric_page(app, "shop.orders", NOW + timedelta(days=91)).alerts
    assert {line.incident.is_open for line in later} == {True}, "what ended more than 90 days ago is not shown"
    assert metric_page(app, "shop.weight", NOW).alerts == ()


def test_silences_are_those_that_match_one_of_its_series(watched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(watched, folder)
    with opened(folder) as app:
        for matchers in ({"metric": "shop.*", "country": "FR"}, {"country": "XX"}, {"subscription": "floor"}):
            app.actions.silence_matching(matchers, HOUR, by="eva", comment="sale", via="cli", now=NOW)
        assert [dict(one.matchers) for one in metric_page(app, "shop.orders", NOW).silences] == [
            {"metric": "shop.*", "country": "FR"}
        ]
        assert [dict(one.matchers) for one in metric_page(app, "shop.weight", NOW).silences] == [
            {"subscription": "floor"}
        ]
        assert metric_page(app, "shop.orders", NOW + 2 * HOUR).silences == (), "they are over"


def test_a_metric_that_was_never_pulled_has_a_page_that_says_so(app: App) -> None:
    page = metric_page(app, "shop.hidden", NOW)
    assert (page.series, page.chosen, page.end) == ((), None, None)
    assert page.problem == "nothing of query broken_hourly has been pulled yet, see: metricwatch once"
    assert page.freshness.condition == "failing"


def test_an_unknown_metric_is_answered_with_what_was_meant(app: App) -> None:
    with pytest.raises(UnknownMetric, match=r"did you mean 'shop\.orders'"):
        metric_page(app, "shop.order", NOW)
