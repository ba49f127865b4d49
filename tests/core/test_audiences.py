"""Who is told of a subject, and what a message needs to know of it."""

import pytest

from alerting.core.audiences import Measure, audience_of_file, audiences, vanished_audience
from alerting.core.incidents import Severity
from config.model import Config, Metric, OnError, Query, Subscription
from detectors.buckets import Bucket
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
