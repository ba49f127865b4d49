"""Notifications to send in tests: one incident in Germany, and what one makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from notifiers import IncidentView, Notification, Owner, TimelineEntry
from tests.charts.example import three_weeks

MONDAY = datetime(2026, 1, 5, 19, tzinfo=UTC)
"""14:00 in New York."""
HOUR = timedelta(hours=1)
CHANNEL = "C0GROWTH01"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20


def incident(**changes: object) -> IncidentView:
    """Orders in Germany, 612 an hour where 1,040 were expected."""
    usual: dict[str, object] = {
        "id": "20260105T1900-4f2a",
        "metric": "checkout.orders",
        "dimensions": {"country": "Germany"},
        "status": "firing",
        "severity": "critical",
        "opened": MONDAY,
        "detected": MONDAY + HOUR,
        "latest": MONDAY + HOUR,
        "observed": 612.0,
        "expected": 1040.0,
        "lower": 980.0,
        "upper": 1140.0,
        "score": 2.4,
        "worst_observed": 612.0,
        "worst_expected": 1040.0,
        "worst_score": 2.4,
        "unit": "orders",
        "additive": True,
        "bucket": "1h",
        "better": "higher",
        "direction": -1,
        "detector": "seasonal",
    }
    return IncidentView.model_validate(usual | changes)


def notification(*incidents: IncidentView, **changes: object) -> Notification:
    usual: dict[str, object] = {
        "delivery_id": "d-0001",
        "group_id": "20260105T1900-checkout-health-growth",
        "receiver": "growth-slack",
        "sequence": 1,
        "kind": "trigger",
        "severity": "critical",
        "subscription": "checkout-health",
        "created": MONDAY + 2 * HOUR + timedelta(minutes=20),
        "timezone": "America/New_York",
        "incidents": incidents or (incident(),),
        "owner": Owner(team="checkout", slack="S0CHECKOUT"),
        "runbook": "https://runbooks.acme.example/checkout",
        "links": {"Dashboard": "https://mw.acme.example/incidents/1?a=1&b=2"},
    }
    return Notification.model_validate(usual | changes)


def update(remote_id: str, **changes: object) -> Notification:
    """Another country joined."""
    said = (TimelineEntry(at=MONDAY + 2 * HOUR, text="Orders, France: joined, 38 % below expected"),)
    usual = {"delivery_id": "d-0002", "sequence": 2, "kind": "update", "remote_id": remote_id, "changes": said}
    return notification(incident(), incident(dimensions={"country": "France"}, id="2"), **(usual | changes))


def resolve(remote_id: str | None, **changes: object) -> Notification:
    ended = MONDAY + timedelta(hours=2, minutes=10)
    said = (TimelineEntry(at=ended, text="Orders, Germany: resolved after 2 h 10 m, 41 % at worst"),)
    usual = {"delivery_id": "d-0003", "sequence": 3, "kind": "resolve", "remote_id": remote_id, "changes": said}
    calm = incident(status="resolved", resolved=ended, observed=1030.0)
    return notification(calm, **(usual | changes))


def drop_in_germany() -> Notification:
    """What the picture in the documentation shows: the last three hours of ``tests.charts.example`` and three more."""
    end = datetime(2026, 2, 2, 22, tzinfo=UTC)
    series = three_weeks()
    numbers = {name: float(getattr(series, name)[-1]) for name in ("observed", "expected", "lower", "upper")}
    times = {"opened": end - 3 * HOUR, "detected": end - HOUR, "latest": end - HOUR}
    worst = incident(id="20260202T1900-4f2a", score=3.0, **numbers, **times)
    others = [
        incident(dimensions={"country": name}, observed=observed, expected=expected, severity="warning", **times)
        for name, observed, expected in (("Austria", 61.0, 98.0), ("France", 402.0, 611.0), ("Poland", 118.0, 170.0))
    ]
    links = {"Dashboard": "https://mw.acme.example/incidents/1", "Why": "https://mw.acme.example/incidents/1#why"}
    return notification(worst, *others, created=end + timedelta(minutes=20), links=links)
