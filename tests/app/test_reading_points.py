from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from alerting.app import App, reading
from alerting.app.reading import NotWatched, OutsideReadings, UnknownMetric, UnknownSeries, Why, why_point
from alerting.core.blocks import Block, ColumnKey
from detectors.buckets import as_instant
from tests.app.world import DROP_DE, DROP_FR, HOSTILE, HOUR, NOW, opened

FR, DE = {"country": "FR"}, {"country": "DE"}


def details(why: Why) -> dict[str, str]:
    return {gate.name: gate.detail for gate in why.gates}


def passed(why: Why) -> dict[str, bool | None]:
    return {gate.name: gate.passed for gate in why.gates}


def test_a_point_that_fired_passes_every_gate_down_to_each_receiver(app: App) -> None:
    (why,) = why_point(app, "shop.orders", FR, DROP_FR + HOUR)
    (incident,) = [line.incident for line in reading.open_incidents(app, NOW) if dict(line.incident.labels) == FR]
    assert why.verdict == f"part of incident {incident.id}"
    assert "Tue 2026-02-03 11:00 Europe/Berlin (10:00 UTC)" in why.title
    says = details(why)
    # Hour 874 of the data: (200 + (7 * 874 + 3) % 5) / 2 = 100.5, rounded half to even.
    assert says["reading"] == "100 orders"
    assert "anomaly: expected 20" in says["detect seasonal"]
    assert says["detect threshold"] == "does not judge this series"
    assert says["open_after 2"] == "2 anomalous buckets in a row"
    assert says["receiver screen"].startswith("trigger 1 sent Tue 2026-02-03 14:10 Europe/Berlin")
    assert {name for name, gate in passed(why).items() if gate is not True} == {"detect threshold"}
    assert {"receiver screen", "receiver quiet"} <= set(says)


def test_a_point_that_did_not_fire_names_the_gate_that_stopped_it(app: App) -> None:
    (why,) = why_point(app, "shop.orders", DE, DROP_FR)
    assert why.verdict == "no incident: guard: no detect entry calls it anomalous"
    # Hour 873: 200 + (7 * 873) % 5.
    assert details(why)["reading"] == "201 orders"
    assert details(why)["detect seasonal"].startswith("ok: expected 20")
    assert passed(why)["detect seasonal"] is False
    assert passed(why)["incident"] is False


def test_the_first_bucket_of_an_incident_is_one_anomalous_bucket_of_two(app: App) -> None:
    (why,) = why_point(app, "shop.orders", DE, DROP_DE)
    assert (passed(why)["open_after 2"], passed(why)["incident"]) == (False, True)


def test_the_time_is_floored_to_its_bucket(app: App) -> None:
    inside = why_point(app, "shop.orders", FR, DROP_FR + timedelta(minutes=59))
    assert inside == why_point(app, "shop.orders", FR, DROP_FR)


def test_the_total_is_the_series_without_dimensions(app: App) -> None:
    (why,) = why_point(app, "shop.orders", {}, DROP_FR)
    assert why.title.startswith("shop.orders at ")
    assert passed(why)["detect threshold"] is False, "404 is above 20, and the total is what this entry judges"


def test_buckets_before_the_rule_was_added_open_nothing(app: App) -> None:
    (why,) = why_point(app, "shop.orders", FR, DROP_DE - 48 * HOUR)
    assert passed(why)["watched then"] is False


def test_a_restated_point_shows_what_was_known_before(watched: Path, tmp_path: Path) -> None:
    shutil.copy(watched / "state.db", tmp_path)
    shutil.copytree(watched / "metrics", tmp_path / "metrics")
    with opened(tmp_path) as app:
        digest = app.config.queries["orders_hourly"].digest
        keys = (ColumnKey("orders", (("country", "FR"),)), ColumnKey("orders", (("country", "DE"),)))
        block = Block(np.array([as_instant(DROP_FR)]), keys, np.array([[204.0, 201.0]]))
        app.store.points.write(digest, block, NOW + HOUR)
        (fr,) = why_point(app, "shop.orders", FR, DROP_FR)
        (de,) = why_point(app, "shop.orders", DE, DROP_FR)
    assert details(fr)["reading"] == "102 → 204 orders (restated)"
    assert details(fr)["pulled"] == "first seen Tue 2026-02-03 14:10 Europe/Berlin (13:10 UTC)"
    assert details(fr)["detect seasonal"].startswith("ok: "), "the value as it is now is judged"
    assert details(de)["reading"] == "201 orders", "another series of the bucket was restated, not this one"


def test_an_unknown_metric_is_answered_with_the_nearest_name(app: App) -> None:
    with pytest.raises(UnknownMetric, match=r"there is no metric 'shop.order'; did you mean 'shop.orders'"):
        why_point(app, "shop.order", {}, NOW)


def test_an_unknown_series_is_answered_with_those_there_are(app: App) -> None:
    with pytest.raises(UnknownSeries) as told:
        why_point(app, "shop.orders", {"country": "XX"}, DROP_FR)
    assert "there is no series shop.orders{country=XX}; there are: shop.orders, " in str(told.value)
    assert "shop.orders{country=DE}" in str(told.value)
    assert HOSTILE in str(told.value)


def test_a_name_that_could_be_several_series_is_answered_with_those(app: App) -> None:
    with pytest.raises(UnknownSeries, match=r"shop.by_country could be several series: shop.by_country\{country="):
        why_point(app, "shop.by_country", {}, DROP_FR)


def test_the_only_series_need_not_be_written_out(app: App) -> None:
    (why,) = why_point(app, "shop.weight", {}, DROP_FR)
    assert why.verdict.startswith("no incident: ")
    assert details(why)["reading"] == "1,500 kg"


def test_a_time_outside_the_readings_is_answered_with_their_range(app: App) -> None:
    for at in (NOW + HOUR, NOW - timedelta(days=9999)):
        with pytest.raises(OutsideReadings, match=r"there are buckets from .* until Tue 2026-02-03 14:00"):
            why_point(app, "shop.orders", FR, at)


def test_a_metric_that_was_never_pulled_says_so(app: App) -> None:
    with pytest.raises(UnknownSeries, match="nothing of query broken_hourly has been pulled yet"):
        why_point(app, "shop.hidden", {}, NOW)


def test_a_metric_that_nobody_watches_has_no_why(app: App) -> None:
    with pytest.raises(NotWatched, match=r"no subscription watches shop.unwatched"):
        why_point(app, "shop.unwatched", {}, DROP_FR)


def test_one_subscription_can_be_asked_for_by_name(app: App) -> None:
    assert len(why_point(app, "shop.orders", FR, DROP_FR, "health")) == 1
    with pytest.raises(NotWatched, match=r"no subscription 'helth' watches shop.orders; did you mean 'health'"):
        why_point(app, "shop.orders", FR, DROP_FR, "helth")
