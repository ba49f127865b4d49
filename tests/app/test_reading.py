from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from alerting.app import App, reading
from alerting.app.reading import OutsideReadings, UnknownIncident, UnknownMetric
from tests.app.world import DROP_DE, DROP_FR, FIRST, HOUR, NOW, opened

DE, FR = {"country": "DE"}, {"country": "FR"}


def incident_of(app: App, labels: dict[str, str], kind: str = "metric") -> str:
    lines = reading.incidents(app, NOW)
    (found,) = [one.incident for one in lines if dict(one.incident.labels) == labels and one.incident.kind == kind]
    return found.id


def test_open_incidents_come_first_then_the_newest(app: App) -> None:
    lines = reading.incidents(app, NOW)
    assert [line.incident.is_open for line in lines] == [True, True, True, True, False, False]
    assert [line.headline for line in reading.open_incidents(app, NOW)] == [line.headline for line in lines[:4]]


def test_a_line_says_what_a_message_says(app: App) -> None:
    (line,) = [line for line in reading.open_incidents(app, NOW) if dict(line.incident.labels) == FR]
    assert line.headline == "Orders, FR: 50 % below expected"
    assert line.since.startswith("since Tue 10:00 (09:00 UTC, 4 h): 100 orders/h, usually")
    assert (line.rule, line.state, line.timezone) == ("health", "critical", "Europe/Berlin")


def test_a_page_tells_the_whole_story_of_an_incident_that_went_by(app: App) -> None:
    page = reading.incident_page(app, incident_of(app, DE), NOW)
    assert page.line.headline == "Orders, DE: resolved after 12 h 12 m, 39 % at worst"
    assert [entry.text.split(": ")[0] for entry in page.timeline] == [
        "shop.orders{country=DE} opened",
        "shop.orders{country=DE} clean bucket 1 of 3 (200, expected 201.9)",
        "shop.orders{country=DE} resolved",
    ]
    assert [(one.receiver, one.kind, one.state) for one in page.outcomes] == [
        ("quiet", "trigger", "sent"),
        ("quiet", "resolve", "sent"),
        ("screen", "trigger", "sent"),
        ("screen", "resolve", "sent"),
    ]
    assert (page.team, page.runbook) == ("shop", "https://runbooks.example/orders")
    assert {gate.name: gate.passed for gate in page.why.gates}["open_after 2"] is True
    assert not any(gate.name.startswith("receiver") for gate in page.why.gates), "they are among the outcomes"


def test_the_trace_of_a_page_marks_what_was_judged_unusual(app: App) -> None:
    trace = reading.incident_page(app, incident_of(app, DE), NOW).trace
    assert trace is not None
    marked = trace.times[trace.anomalies]
    assert marked.tolist() == [(DROP_DE + step * HOUR).replace(tzinfo=None) for step in range(6)]
    assert np.isfinite(trace.lower[-24:]).all()
    assert trace.times[-1] > marked[-1], "what came after is in the picture"


def test_the_chart_of_an_incident_is_a_picture(app: App) -> None:
    chart = reading.incident_chart(app, incident_of(app, DE))
    assert chart is not None
    assert chart.startswith(b"\x89PNG")


def test_the_health_of_a_query_has_a_story_and_no_chart(app: App) -> None:
    name = incident_of(app, {}, "failing")
    page = reading.incident_page(app, name, NOW)
    assert (page.trace, reading.incident_chart(app, name)) == (None, None)
    assert "no such column: secret_column" in page.why.gates[0].detail
    assert page.line.rule == "broken_hourly"


def test_why_of_an_incident_is_its_story_then_the_bucket_that_opened_it(app: App) -> None:
    story, point = reading.why_incident(app, incident_of(app, FR), NOW)
    assert story.title.endswith("shop.orders{country=FR} (subscription:health)")
    assert [gate.name for gate in story.gates] == [
        "first anomaly",
        "worst",
        "firing",
        "reminder quiet",
        "reminder screen",
        "receiver quiet",
        "receiver screen",
    ]
    assert point.title.startswith("shop.orders{country=FR} at Tue 2026-02-03 11:00")


def test_an_incident_is_found_by_the_beginning_of_its_id(app: App) -> None:
    name = incident_of(app, FR)
    assert reading.incident_page(app, name[:-4], NOW).line.incident.id == name


@pytest.mark.parametrize(
    ("name", "told"), [("20260203", "begins several"), ("nope", "no incident 'nope'"), ("", "no incident ''")]
)
def test_an_incident_that_is_not_one_is_an_error(app: App, name: str, told: str) -> None:
    with pytest.raises(UnknownIncident, match=told):
        reading.incident_page(app, name, NOW)


def test_an_incident_outlives_its_rule_as_a_story(watched: Path, tmp_path: Path) -> None:
    shutil.copy(watched / "state.db", tmp_path)
    shutil.copytree(watched / "metrics", tmp_path / "metrics")
    rules = tmp_path / "metrics" / "shop.yaml"
    rules.write_text(rules.read_text("utf-8").replace("\n  health:", "\n  other:"), "utf-8")
    with opened(tmp_path) as app:
        page = reading.incident_page(app, incident_of(app, FR), NOW)
    assert page.line.rule == "health"
    assert page.trace is None
    assert page.why.gates[0].name == "first anomaly"


def test_deliveries_are_newest_first_and_may_be_only_the_unsettled(app: App) -> None:
    rows = reading.deliveries(app)
    assert len(rows) == 7
    assert [row.created for row in rows] == sorted((row.created for row in rows), reverse=True)
    assert reading.deliveries(app, unsettled_only=True) == ()
    assert len(reading.deliveries(app, limit=2)) == 2
    assert reading.receivers_in_trouble(app) == ()


def test_show_brings_the_total_first_and_each_series_with_its_band(app: App) -> None:
    shown = reading.show(app, "shop.orders", timedelta(days=14))
    assert dict(shown.series[0].labels) == {}
    assert {one.entry for one in shown.series} == {"seasonal"}
    total = shown.series[0].trace
    assert len(total.times) == 14 * 24
    assert reading.newest(total) == NOW.replace(minute=0) - HOUR
    (fr,) = [one.trace for one in shown.series if dict(one.labels) == FR]
    assert fr.times[fr.anomalies].tolist() == [(DROP_FR + step * HOUR).replace(tzinfo=None) for step in range(4)]


def test_show_is_bounded_and_says_how_much_is_left_out(app: App) -> None:
    shown = reading.show(app, "shop.orders", timedelta(days=1), most=2)
    assert (len(shown.series), shown.unlisted) == (2, 2)


def test_show_reaches_back_no_further_than_the_readings(app: App) -> None:
    (one,) = reading.show(app, "shop.weight", timedelta(days=9999)).series
    assert one.trace.times[0] == np.datetime64(FIRST.replace(tzinfo=None))
    assert one.trace.observed[0] == 1500.0


def test_a_metric_that_nobody_watches_is_shown_without_a_band(app: App) -> None:
    (one,) = reading.show(app, "shop.unwatched", timedelta(days=1)).series
    assert (one.subscription, one.entry) == ("", "")
    assert np.isnan(one.trace.lower).all()
    assert one.trace.observed.tolist() == [500.0] * 24


def test_an_old_open_incident_is_listed_before_any_newer_one_that_has_ended(app: App) -> None:
    lines = reading.incidents(app, NOW, limit=3)
    assert [line.incident.is_open for line in lines] == [True, True, True]


def test_show_explains_what_it_cannot_show(app: App) -> None:
    with pytest.raises(UnknownMetric, match=r"did you mean 'shop.weight'"):
        reading.show(app, "shop.wight", timedelta(days=1))
    with pytest.raises(OutsideReadings, match="see: metricwatch once"):
        reading.show(app, "shop.hidden", timedelta(days=1))
