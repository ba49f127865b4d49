"""Who is told of a subject, and what a message needs to know of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerting.core.audiences import Audience, Measure, audience_of_file, audiences, unhushed, vanished_audience
from alerting.core.incidents import Severity
from config.model import Config, Metric, MuteWindow, OnError, Query, Subscription
from detectors.buckets import Bucket
from detectors.hours import Hours
from notifiers.contract import Owner

QUERY = Query(
    "orders_hourly", "shop", "SELECT 1", Bucket.parse("1h"), "Europe/Berlin", on_error=OnError(3, ("data-ops",))
)
ORDERS = Metric("checkout.orders", "orders_hourly", "orders", better="higher", unit="orders")
HEALTH = Subscription(
    "checkout-health",
    ("checkout.orders",),
    (),
    {"warning": ("growth-slack",), "critical": ("checkout-pager", "growth-slack")},
    timezone="America/New_York",
    team="checkout",
    slack_owner="S0CHECKOUT",
    runbook="https://runbooks.acme.example/checkout",
)
CONFIG = Config(
    queries={"orders_hourly": QUERY}, metrics={"checkout.orders": ORDERS}, subscriptions={"checkout-health": HEALTH}
)


@pytest.mark.parametrize(
    ("severity", "told"),
    [("info", ()), ("warning", ("growth-slack",)), ("critical", ("growth-slack", "checkout-pager"))],
)
def test_a_severity_reaches_its_receivers_and_those_of_lower_ones(severity: Severity, told: tuple[str, ...]) -> None:
    assert audiences(CONFIG)["subscription:checkout-health"].told(severity) == told


def test_an_audience_knows_what_the_subscription_says() -> None:
    audience = audiences(CONFIG, public_url="https://watch.acme.example/")["subscription:checkout-health"]
    assert audience.owner == Owner(team="checkout", slack="S0CHECKOUT")
    assert audience.metrics == {"checkout.orders": Measure("orders", "higher", "1h")}
    assert audience.links == {"Why": "https://watch.acme.example/incidents/{incident}"}
    assert (audience.timezone, audience.runbook) == ("America/New_York", HEALTH.runbook)


def test_the_health_of_a_query_is_told_to_on_error_whatever_its_severity() -> None:
    audience = audiences(CONFIG)["query:orders_hourly"]
    assert audience.told("info") == audience.told("critical") == ("data-ops",)
    assert (audience.name, audience.timezone, audience.links) == ("orders_hourly", "Europe/Berlin", {})


def test_a_file_and_a_removed_subject_have_audiences_too() -> None:
    assert audience_of_file("shop.yaml", ["data-ops"]).told("warning") == ("data-ops",)
    assert vanished_audience("subscription:gone").name == "gone"
    assert vanished_audience("subscription:gone").told("critical") == ()


WINDOW = MuteWindow("Sun 02:00-04:00", Hours.parse("Sun 02:00-04:00"))
NIGHTLY = Audience("subscription:a", "a", timezone="Europe/Berlin", windows=(WINDOW,))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_hushed"),
    [
        ("2026-01-18 00:59:59", False),
        ("2026-01-18 01:00", True),
        ("2026-01-18 02:59:59", True),
        ("2026-01-18 03:00", False),
        ("2026-01-19 01:30", False),
        # The clocks go from 2 to 3: of the window only an hour is left.
        ("2026-03-29 00:59", False),
        ("2026-03-29 01:00", True),
        ("2026-03-29 02:00", False),
        # The clocks go from 3 back to 2: the window is an hour longer.
        ("2026-10-25 00:00", True),
        ("2026-10-25 02:59", True),
        ("2026-10-25 03:00", False),
    ],
)
def test_a_mute_window_is_kept_by_the_local_clock(moment: str, is_hushed: bool) -> None:
    assert NIGHTLY.hushed(utc(moment)) == ("not sent: mute window Sun 02:00-04:00" if is_hushed else "")


@pytest.mark.parametrize(
    ("before", "now", "ended"),
    [
        ("2026-01-18 02:59:30", "2026-01-18 03:00:10", True),
        ("2026-01-18 02:59:59", "2026-01-18 03:00", True),
        ("2026-01-18 03:00", "2026-01-18 03:00:01", False),
        ("2026-01-18 01:00", "2026-01-18 02:00", False),
        ("2026-01-17 12:00", "2026-01-18 12:00", True),
        ("2026-01-18 12:00", "2026-01-24 12:00", False),
        ("2025-01-18 12:00", "2026-01-24 12:00", True),
        ("2026-03-29 01:59", "2026-03-29 02:00", True),
    ],
)
def test_the_end_of_a_mute_window_is_noticed(before: str, now: str, ended: bool) -> None:
    assert unhushed(NIGHTLY, utc(before), utc(now)) is ended


def test_without_a_window_nothing_ends() -> None:
    for audience in (replace(NIGHTLY, windows=()), replace(NIGHTLY, is_shadow=True), replace(NIGHTLY, mute="not sent")):
        assert not unhushed(audience, utc("2026-01-18 02:00"), utc("2026-01-18 03:00"))
