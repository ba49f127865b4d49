"""The message in every state that people meet, sent by the real notifier: what ``docs/slack.md`` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from pydantic import SecretStr

from alerting import charts
from config.canary import TEAM
from config.model import CANARY
from notifiers import IncidentView, Notification, TimelineEntry, wording
from notifiers.slack import Slack
from tests.charts.example import three_weeks
from tests.notifiers.examples import CHANNEL, HOUR, drop_in_germany
from tests.standins.slack import APP_TOKEN, TOKEN, SlackStandIn

END = datetime(2026, 2, 2, 22, tzinfo=UTC)
"""17:00 in New York, when the last bucket of the example has closed."""
NOW = END + timedelta(minutes=20)
ZONE = "America/New_York"


NO_NUMBERS: Mapping[str, object] = {
    "dimensions": {},
    "observed": None,
    "expected": None,
    "lower": None,
    "upper": None,
    "score": None,
    "detector": "",
}


@dataclass(frozen=True)
class Scene:
    """A name for the picture, and what is sent, one after the other; ``remote_id`` is filled in."""

    name: str
    sent: Sequence[Notification]

    def play(self, service: SlackStandIn) -> None:
        slack = Slack(
            channel=CHANNEL, token=SecretStr(TOKEN), app_token=SecretStr(APP_TOKEN), base_url=service.base_url
        )
        remote_id = None
        for place, one in enumerate(self.sent, start=1):
            told = {"remote_id": remote_id, "delivery_id": f"{self.name}-{place}", "sequence": place}
            remote_id = slack.send(one.model_copy(update=told)).remote_id


def scenes() -> list[Scene]:
    one, four = _one(), drop_in_germany()
    acknowledged = {"acknowledged_by": "ann", "acknowledged_at": NOW + timedelta(minutes=6)}
    why = "is out of order (destination refused: is_archived)"
    instead = {"fallback_for": "growth-slack", "fallback_reason": why}
    silenced = {"silenced_by": "bob", "silence_comment": "new checkout goes live"}
    later = _update(one, NOW + timedelta(minutes=10))
    return [
        Scene("slack-message", [one.model_copy(update={"chart": large_chart()})]),
        Scene("slack-many", [four.model_copy(update={"chart": small_charts(four.incidents), "pending": 2})]),
        Scene("slack-acknowledged", [_changed(later, **acknowledged)]),
        Scene("slack-silenced", [_changed(later, silenced_until=NOW + 24 * HOUR, **silenced)]),
        Scene("slack-reminder", [one, _reminder(one)]),
        Scene("slack-worse", [_warning(one), _worse(one)]),
        Scene("slack-recovering", [_with(later, status="recovering", observed=1021.0)]),
        Scene("slack-flapping", [_with(later, flapping=True)]),
        Scene("slack-resolved", [one, _resolved(one)]),
        Scene("slack-retracted", [_retracted(one)]),
        Scene("slack-late", [_late(one)]),
        Scene("slack-fallback", [_changed(one, **instead)]),
        Scene("slack-given-up", [_given_up(one)]),
        Scene("slack-canary", [_canary(one)]),
        Scene("slack-repeat", [_changed(one, possible_repeat=True)]),
    ]


def large_chart() -> bytes:
    return charts.png(*three_weeks(), title="Orders, Germany", unit="orders/h", timezone=ZONE)


def small_charts(incidents: Sequence[IncidentView]) -> bytes:
    """The example once for each incident, scaled to what that one was expected to be."""
    weeks, last = three_weeks(), slice(-168, None)
    panels = []
    for incident in incidents:
        factor = (incident.expected or 1.0) / float(weeks.expected[-1])
        expected, lower, upper = (part[last] * factor for part in (weeks.expected, weeks.lower, weeks.upper))
        seen = weeks.observed[last] * factor
        seen[-3:] *= np.float64(incident.observed or 0.0) / seen[-1]
        shown = charts.curves(weeks.times[last], seen, expected, lower, upper, weeks.anomalies[last])
        panels.append(charts.Small(wording.title(incident), "orders/h", shown))
    return charts.small_multiples(panels, title=f"{len(panels)} unusual series", timezone=ZONE)


def _one() -> Notification:
    """The drop in Germany alone."""
    told = drop_in_germany()
    return told.model_copy(update={"incidents": told.incidents[:1]})


def _changed(told: Notification, **changes: object) -> Notification:
    return Notification.model_validate(told.model_dump() | changes)


def _with(told: Notification, **changes: object) -> Notification:
    """The same about an incident that differs in this."""
    incidents = [incident.model_dump() | changes for incident in told.incidents]
    return _changed(told, incidents=incidents)


def _update(told: Notification, at: datetime, *said: str, **changes: object) -> Notification:
    entries = [TimelineEntry(at=at, text=text).model_dump() for text in said]
    return _changed(told, kind="update", created=at, changes=entries, **changes)


def _reminder(told: Notification) -> Notification:
    four_hours_later: Mapping[str, object] = {"latest": told.incidents[0].latest + 4 * HOUR, "observed": 588.0}
    return _with(_update(told, NOW + 4 * HOUR, is_reminder=True, event="reminder"), **four_hours_later)


def _warning(told: Notification) -> Notification:
    return _with(_changed(told, severity="warning"), severity="warning", observed=741.0)


def _worse(told: Notification) -> Notification:
    said = "Orders, Germany: now critical, 41 % below expected"
    return _update(told, NOW + HOUR, said, raises_severity=True)


def _resolved(told: Notification) -> Notification:
    end = told.incidents[0].opened + 4 * HOUR
    calm = _with(told, status="resolved", resolved=end, observed=1030.0)
    said = "Orders, Germany: resolved after 4 h, 41 % at worst"
    return _changed(_update(calm, end + timedelta(hours=3, minutes=20), said), kind="resolve")


def _retracted(told: Notification) -> Notification:
    back = _with(told, status="retracted", resolved=NOW + timedelta(hours=1), worst_observed=612.0, observed=1020.0)
    return _changed(back, kind="resolve", created=NOW + timedelta(hours=1))


def _late(told: Notification) -> Notification:
    own = {**NO_NUMBERS, "metric": "orders_hourly", "kind": "late", "reason": "3 h late, 14 metrics affected"}
    return _with(_changed(told, subscription="orders_hourly", owner={"team": "data"}), **own, bucket="1h")


def _given_up(told: Notification) -> Notification:
    group = "20260202T2120-4f2a9c1be07d3355"
    said = (
        f"checkout-health, group {group} (content refused: msg_too_long); "
        f"to try again: metricwatch deliveries retry {group}:1"
    )
    own = {**NO_NUMBERS, "metric": "growth-slack", "kind": "undelivered", "reason": said}
    about = _changed(told, subscription="growth-slack", owner={"team": "data"}, severity="warning", runbook=None)
    return _with(about, **own, severity="warning", opened=NOW, detected=NOW, latest=NOW, bucket=None)


def _canary(told: Notification) -> Notification:
    midnight = datetime(2026, 2, 2, tzinfo=UTC)
    own: Mapping[str, object] = {
        **NO_NUMBERS,
        "metric": CANARY,
        "kind": "metric",
        "reason": "1 is above 0.5",
        "unit": None,
        "observed": 1.0,
        "expected": 0.5,
        "upper": 0.5,
        "detector": "threshold",
        "bucket": "5m",
    }
    at = {"opened": midnight, "detected": midnight + HOUR / 12, "latest": midnight}
    about = _changed(told, subscription=CANARY, owner={"team": TEAM}, severity="info", runbook=None, timezone="UTC")
    return _with(_changed(about, created=midnight + HOUR / 12), **own, **at, severity="info", additive=False)
