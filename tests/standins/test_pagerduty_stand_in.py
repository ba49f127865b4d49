from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.standins.pagerduty import KEY, PagerDutyStandIn

PAYLOAD = {"summary": "x", "source": "x", "severity": "info"}


@pytest.fixture
def service() -> Iterator[PagerDutyStandIn]:
    with PagerDutyStandIn() as stand_in:
        yield stand_in


def send(service: PagerDutyStandIn, event: Mapping[str, object] | str) -> int:
    body = event if isinstance(event, str) else json.dumps({"routing_key": KEY, "dedup_key": "k", **event})
    try:
        with urlopen(Request(service.url, body.encode(), {"Content-Type": "application/json"}), timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def trigger(**changes: object) -> dict[str, object]:
    return {"event_action": "trigger", "payload": {**PAYLOAD, **changes}}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (trigger(), 202),
        (trigger(summary="x" * 1_024), 202),
        (trigger(summary="x" * 1_025), 400),
        (trigger(summary=" "), 400),
        (trigger(severity="fatal"), 400),
        (trigger(timestamp="yesterday"), 400),
        (trigger(colour="red"), 400),
        (trigger(custom_details={"a": "\x00"}), 400),
        (trigger(custom_details={"a": "\ud800"}), 400),
        (trigger(custom_details="x" * 512_000), 400),
        ({**trigger(), "dedup_key": "k" * 255}, 202),
        ({**trigger(), "dedup_key": "k" * 256}, 400),
        ({**trigger(), "routing_key": "short"}, 400),
        ({**trigger(), "surprise": 1}, 400),
        ({**trigger(), "links": [{"href": "ftp://x", "text": "x"}]}, 400),
        ({**trigger(), "images": [{"src": "http://x"}]}, 400),
        ({"event_action": "trigger"}, 400),
        ({"event_action": "explode"}, 400),
        ({"event_action": "resolve", "dedup_key": ""}, 400),
        ({"event_action": "resolve"}, 202),
        ('{"payload": NaN}', 400),
        ("[]", 400),
        ("no json", 400),
    ],
)
def test_an_event_is_held_to_the_rules(
    service: PagerDutyStandIn, event: Mapping[str, object] | str, status: int
) -> None:
    assert send(service, event) == status
    assert (service.unexpected == []) == (status == 202)


@pytest.mark.parametrize(
    ("actions", "status", "pages"),
    [
        (["trigger"], "triggered", 1),
        (["trigger", "trigger"], "triggered", 1),
        (["trigger", "acknowledge", "trigger"], "acknowledged", 1),
        (["trigger", "resolve"], "resolved", 1),
        (["trigger", "resolve", "resolve"], "resolved", 1),
        (["trigger", "resolve", "acknowledge"], "resolved", 1),
        (["trigger", "resolve", "trigger"], "triggered", 2),
    ],
)
def test_one_key_is_one_alert(service: PagerDutyStandIn, actions: list[str], status: str, pages: int) -> None:
    for action in actions:
        send(service, {**trigger(), "event_action": action})
    (alert,) = service.alerts.values()
    assert (alert.status, alert.pages, alert.actions) == (status, pages, actions)


def test_a_resolve_of_nothing_is_accepted_and_does_nothing(service: PagerDutyStandIn) -> None:
    assert send(service, {"event_action": "resolve"}) == 202
    assert service.alerts == {}


def test_a_key_that_is_not_known_is_refused() -> None:
    with PagerDutyStandIn(keys={"X" * 32}) as service:
        assert send(service, trigger()) == 400
        assert service.alerts == {}
