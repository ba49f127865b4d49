from __future__ import annotations

from datetime import timedelta

import pytest

from notifiers import standing, wording
from notifiers.clean import clean
from notifiers.quantities import number
from notifiers.retry_after import retry_after
from tests.notifiers.examples import HOUR, MONDAY, incident, notification, resolve, update

THRESHOLD = {"detector": "threshold", "expected": None, "worst_expected": None, "lower": 50.0, "upper": None}


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, "Orders, Germany: 41 % below expected"),
        ({"dimensions": {}}, "Orders: 41 % below expected"),
        ({"dimensions": {"country": "DE", "plan": "pro"}}, "Orders, DE, pro: 41 % below expected"),
        ({"metric": "ads.cost_per_order", "dimensions": {}}, "Cost per order: 41 % below expected"),
        ({"observed": 1300.0}, "Orders, Germany: 25 % above expected"),
        ({"observed": 3700.0}, "Orders, Germany: 3.6 times the expected"),
        ({"observed": 1038.0}, "Orders, Germany: 0.2 % below expected"),
        ({"observed": 0.0}, "Orders, Germany: 100 % below expected"),
        ({"observed": 37.0, "expected": 0.0}, "Orders, Germany: 37 instead of 0"),
        ({"observed": 37.0, "expected": 0.2}, "Orders, Germany: 37 instead of 0.2"),
        ({"observed": -40.0, "expected": 100.0}, "Orders, Germany: -40 instead of 100"),
        ({"observed": -150.0, "expected": -100.0}, "Orders, Germany: 50 % below expected"),
        ({"observed": 2.1, "expected": 3.4, "unit": "%"}, "Orders, Germany: 2.1 % instead of 3.4 %"),
        ({**THRESHOLD, "observed": 42.0}, "Orders, Germany: below 50"),
        ({**THRESHOLD, "lower": None, "upper": 9.0, "observed": 12.0}, "Orders, Germany: above 9"),
        ({**THRESHOLD, "upper": 90.0, "observed": 95.0, "direction": 1}, "Orders, Germany: above 90"),
        ({"observed": None, "reason": "no reading for 3 h"}, "Orders, Germany: no reading for 3 h"),
        ({"observed": None, "reason": ""}, "Orders, Germany: unusual"),
        ({"status": "recovering", "observed": 1020.0}, "Orders, Germany: recovering, 41 % at worst"),
        (
            {**THRESHOLD, "status": "recovering", "worst_observed": 31.0},
            "Orders, Germany: recovering, 31 orders/h at worst",
        ),
    ],
)
def test_the_headline_says_what_and_how_bad(changes: dict[str, object], headline: str) -> None:
    assert wording.headline(notification(incident(**changes))) == headline


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "since Mon 14:00 (19:00 UTC, 2 h): 612 orders/h, usually 980 – 1,140 at this hour on Mondays"),
        (
            {"unit": None, "bucket": "15m", "latest": MONDAY + HOUR / 4},
            "since Mon 14:00 (19:00 UTC, 30 min): 612 in 15 min, usually 980 – 1,140 at this hour on Mondays",
        ),
        (
            {"additive": False, "unit": "USD", "observed": 12.3, "lower": 15.25, "upper": 17.75},
            "since Mon 14:00 (19:00 UTC, 2 h): 12.3 USD, usually 15.2 – 17.8 at this hour on Mondays",
        ),
        ({**THRESHOLD, "observed": 42.0}, "since Mon 14:00 (19:00 UTC, 2 h): 42 orders/h, should be at least 50"),
        (
            {"lower": None, "upper": None, "detector": "drift"},
            "since Mon 14:00 (19:00 UTC, 2 h): 612 orders/h, usually about 1,040",
        ),
        (
            {"bucket": "1d", "latest": MONDAY, "unit": "USD", "observed": 1_234_567.0, "lower": 1.9e6, "upper": 2.2e6},
            "since Mon 5 Jan (24 h): 1.23 M USD/day, usually 1.9 M – 2.2 M on Mondays",
        ),
        ({"observed": None}, "since Mon 14:00 (19:00 UTC, 2 h)"),
        (
            {"observed": None, "calendar": "Labor Day,\nthe first"},
            "since Mon 14:00 (19:00 UTC, 2 h) · Labor Day, the first",
        ),
        (
            {"opened": MONDAY - timedelta(days=40), "observed": None},
            "since Wed 26 Nov 2025 14:00 (19:00 UTC, 40 d)",
        ),
    ],
)
def test_the_second_line_says_since_when_and_against_what(changes: dict[str, object], line: str) -> None:
    assert wording.since_line(notification(incident(**changes))) == line


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("UTC", "since Mon 19:00 UTC (2 h)"),
        ("Europe/London", "since Mon 19:00 UTC (2 h)"),
        ("Asia/Kolkata", "since Tue 00:30 (Mon 19:00 UTC, 2 h)"),
        ("America/New_York", "since Mon 14:00 (19:00 UTC, 2 h)"),
        ("Nowhere/Land", "since Mon 19:00 UTC (2 h)"),
    ],
)
def test_times_are_those_of_the_reader_with_utc_behind(zone: str, begins: str) -> None:
    assert wording.since_line(notification(timezone=zone)).startswith(begins)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([{"dimensions": {"country": "FR"}}], "also 1 other country"),
        ([{"dimensions": {"country": "FR"}}, {"dimensions": {"country": "IT"}}], "also 2 other countries"),
        ([{"metric": "checkout.revenue"}], "also 1 other series"),
        ([{"dimensions": {"country": "FR", "plan": "pro"}}], "also 1 other series"),
        ([{"dimensions": {"country": "FR"}, "status": "resolved"}], ""),
        ([], ""),
    ],
)
def test_further_series_are_counted_in_what_they_are(others: list[dict[str, object]], said: str) -> None:
    assert wording.others(notification(incident(), *(incident(**changes) for changes in others))) == said


@pytest.mark.parametrize(
    ("dimension", "plural"),
    [("country", "countries"), ("payment_method", "payment methods"), ("bus", "buses"), ("day", "days")],
)
def test_dimensions_have_plurals(dimension: str, plural: str) -> None:
    group = [incident(dimensions={dimension: value}) for value in "abc"]
    assert wording.others(notification(*group)) == f"also 2 other {plural}"


def test_metrics_without_dimensions_are_counted_as_metrics() -> None:
    group = [incident(metric=name, dimensions={}) for name in ("a.orders", "a.revenue", "a.visits")]
    assert wording.others(notification(*group)) == "also 2 other metrics"


def test_incidents_that_are_not_listed_are_counted() -> None:
    listed = [incident(dimensions={"country": name}) for name in ("DE", "FR")]
    assert wording.others(notification(*listed, unlisted=40)) == "also 41 other countries"
    assert wording.other_lines(notification(*listed, unlisted=40))[-1] == "and 40 more"


def test_incidents_that_are_not_listed_behind_ended_ones_have_ended_too() -> None:
    over = incident(dimensions={"country": "FR"}, status="resolved", resolved=MONDAY)
    assert wording.others(notification(incident(), over, unlisted=40)) == ""


def test_what_was_given_up_has_a_short_headline_and_the_way_out_below() -> None:
    said = "health, group g1 (content refused: no_text); to try again: metricwatch deliveries retry g1:1"
    told = notification(incident(kind="undelivered", metric="team", dimensions={}, reason=said, bucket=None))
    assert wording.headline(told) == "team: a message was given up"
    assert wording.since_line(told).endswith(f": {said}")


def test_series_that_may_open_next_are_counted_while_it_is_open() -> None:
    told = notification(pending=2)
    assert wording.since_line(told).endswith(" · 2 more pending")
    assert wording.pending(notification()) == ""
    assert wording.pending(told.model_copy(update={"kind": "resolve"})) == ""


def test_the_worst_open_incident_leads() -> None:
    over = incident(dimensions={"country": "FR"}, status="resolved", resolved=MONDAY + HOUR)
    assert wording.headline(notification(over, incident())).startswith("Orders, Germany")


def test_a_resolved_group_says_how_long_and_how_bad_it_was() -> None:
    told = resolve("x")
    assert wording.headline(told) == "Orders, Germany: resolved after 2 h 10 m, 41 % at worst"
    assert wording.since_line(told) == "Mon 14:00 (19:00 UTC) to Mon 16:10 (21:10 UTC)"
    assert standing.state(told) == "resolved"


def test_a_retracted_group_says_what_was_restated() -> None:
    back = incident(status="retracted", observed=1020.0, resolved=MONDAY + timedelta(hours=2, minutes=40))
    told = notification(back, kind="resolve")
    assert wording.headline(told) == "Orders, Germany: retracted: 612 was restated to 1,020 at Mon 16:40 (21:40 UTC)"
    assert standing.state(told) == "retracted"


def test_a_group_that_was_only_partly_retracted_was_resolved() -> None:
    back = incident(status="retracted", observed=1020.0, resolved=MONDAY)
    over = incident(status="resolved", resolved=MONDAY + HOUR, dimensions={"country": "FR"})
    told = notification(back, over, kind="resolve")
    assert standing.state(told) == "resolved"
    assert wording.headline(told) == "Orders, FR: resolved after 1 h, 41 % at worst"


@pytest.mark.parametrize(
    ("kind", "reason", "headline"),
    [
        ("late", "3 h late, 14 metrics affected", "orders_hourly: 3 h late, 14 metrics affected"),
        ("failing", "", "orders_hourly: cannot be pulled"),
        ("empty", "", "orders_hourly: returns no rows"),
        ("schema", "column country is gone", "orders_hourly: column country is gone"),
    ],
)
def test_health_of_a_query_reads_as_such(kind: str, reason: str, headline: str) -> None:
    late = incident(kind=kind, metric="orders_hourly", dimensions={}, reason=reason, observed=None, bucket=None)
    assert wording.headline(notification(late)) == headline


def test_the_timeline_says_when_and_what() -> None:
    assert wording.timeline(update("x")) == ["Mon 16:00 (21:00 UTC): Orders, France: joined, 38 % below expected"]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ("opened", "Orders, Germany: 41 % below expected"),
        ("joined", "Orders, Germany: joined, 41 % below expected"),
        ("rose", "Orders, Germany: now critical, 41 % below expected"),
        ("eased", "Orders, Germany: back in range"),
    ],
)
def test_what_happened_to_one_incident_is_one_line(event: str, text: str) -> None:
    assert wording.happened(incident(), event) == text  # type: ignore[arg-type]  # parametrised


def test_every_line_is_bounded() -> None:
    long = incident(metric="m" * 5_000, dimensions={"d" * 5_000: "v" * 5_000}, reason="r" * 5_000, detector="x" * 5_000)
    told = notification(long, subscription="s" * 5_000, possible_repeat=True)
    assert max(map(len, (wording.headline(told), wording.since_line(told), wording.detail(told)))) <= 300
    assert wording.headline(told).endswith("(possible repeat)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc  d", "a b c d"),
        ("a\u200b\u200d\ufeff\u2060b", "ab"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\x00\x1b[31mb\x7f", "a[31mb"),
        ("a\ud800\udfffb", "ab"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("\ue000\uffff\U000f0000", ""),
        ("Zürich 東京 🛒 ä", "Zürich 東京 🛒 ä"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_untrusted_text_becomes_one_clean_line(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (612.0, "612"), (1140.0, "1,140"), (12345.0, "12,300"), (999999.0, "1 M"), (2.5e9, "2.5 bn"),
        (7e13, "70 tn"), (0.012345, "0.0123"), (1e-7, "1e-07"), (-3.14159, "-3.14"), (99.95, "100"),
        (float("nan"), "?"), (float("inf"), "?"),
    ],
)  # fmt: skip
def test_numbers_are_rounded_to_what_matters(value: float, text: str) -> None:
    assert number(value) == text


def test_a_date_in_retry_after_is_measured_by_the_clock_of_the_service() -> None:
    wait = retry_after("Mon, 05 Jan 2026 12:01:30 GMT", "Mon, 05 Jan 2026 12:00:00 GMT")
    assert wait == timedelta(seconds=90)
