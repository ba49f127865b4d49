from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import httpx2
import pagerduty
import pytest
from pydantic import SecretStr, ValidationError

from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, DeliveryError, NotSent
from notifiers.pagerduty import ENDPOINTS, PagerDuty, dedup_key, encoded
from tests.figures import Figure
from tests.notifiers.examples import MONDAY, incident, notification, resolve, update
from tests.standins.pagerduty import KEY, PagerDutyStandIn

GROUP = notification().group_id


@pytest.fixture
def service() -> Iterator[PagerDutyStandIn]:
    with PagerDutyStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def pager(service: PagerDutyStandIn) -> Iterator[PagerDuty]:
    notifier = PagerDuty(routing_key=SecretStr(KEY), url=service.url)
    yield notifier
    notifier.close()


def test_a_group_pages_once_and_its_end_closes_the_page(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    pager.send(notification())
    assert [alert.dedup_key for alert in service.open] == [GROUP]
    pager.send(resolve(GROUP))
    assert service.open == []
    assert service.pages == 1
    assert service.unexpected == []


def test_a_page_says_what_how_bad_since_when_and_against_what(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    pager.send(notification())
    event = service.alerts[GROUP].events[0]
    payload = event["payload"]
    assert isinstance(payload, dict)
    assert payload["summary"] == (
        "Orders, Germany: 41 % below expected · since Mon 14:00 (19:00 UTC, 2 h): 612 orders/h,"
        " usually 980 – 1,140 at this hour on Mondays"
    )
    assert (payload["severity"], payload["source"], payload["class"]) == ("critical", "checkout-health", "seasonal")
    assert payload["timestamp"] == MONDAY.isoformat()
    assert payload["custom_details"]["incident 1"] == {
        "id": "20260105T1900-4f2a",
        "metric": "checkout.orders",
        "dimensions": {"country": "Germany"},
        "observed": 612.0,
        "expected": 1040.0,
        "lower": 980.0,
        "upper": 1140.0,
        "score": 2.4,
        "unit": "orders",
        "detector": "seasonal",
        "first_seen": "2026-01-05T19:00:00+00:00",
        "last_seen": "2026-01-05T20:00:00+00:00",
    }
    assert {"href": "https://runbooks.acme.example/checkout", "text": "Runbook"} in event["links"]  # type: ignore[operator]  # JSON


def test_the_same_trigger_twice_pages_once(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    pager.send(notification())
    pager.send(notification())
    assert service.pages == 1


def test_an_update_is_told_only_where_an_incident_joined(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    assert pager.send(update(GROUP)).note == "nothing to tell: no incident joined"
    assert service.requests == []
    pager.send(update(GROUP, joined=True))
    assert service.alerts[GROUP].actions == ["trigger"]


def test_an_incident_that_joins_a_page_closed_by_hand_pages_again(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    pager.send(notification())
    service.close_by_hand(GROUP)
    pager.send(update(GROUP, joined=True))
    assert service.pages == 2


def test_it_declares_that_repeats_do_no_harm_and_resolves_are_repeated(pager: PagerDuty) -> None:
    assert pager.is_idempotent
    assert pager.closes_again


@pytest.mark.parametrize("kind", ["drop", "reset", "truncated"])
def test_a_lost_answer_is_ambiguous_and_the_resend_pages_nobody(
    pager: PagerDuty, service: PagerDutyStandIn, kind: str
) -> None:
    service.fail("enqueue", kind, after_effect=True)  # type: ignore[arg-type]  # parametrised
    with pytest.raises(Ambiguous):
        pager.send(notification())
    pager.send(notification())
    assert service.pages == 1
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, BadContent), (413, BadContent), (401, BadCredential), (403, BadCredential), (404, BadDestination),
        (301, BadDestination), (429, NotSent), (408, Ambiguous), (500, Ambiguous), (502, Ambiguous), (503, Ambiguous),
        (200, Ambiguous),
    ],
)  # fmt: skip
def test_every_status_has_its_class(
    pager: PagerDuty, service: PagerDutyStandIn, status: int, expected: type[DeliveryError], figure: Figure
) -> None:
    service.fail("enqueue", "status", status=status, times=9)
    with pytest.raises(expected):
        pager.send(notification())
    figure("T9", f"PagerDuty status {status} is {expected.__name__}")


def test_a_service_that_is_down_was_surely_not_told(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    service.down()
    with pytest.raises(NotSent):
        pager.send(notification())


def test_a_refused_routing_key_is_a_credential(service: PagerDutyStandIn) -> None:
    service.keys = {KEY}
    stranger = PagerDuty(routing_key=SecretStr("X" * 32), url=service.url)
    with closing(stranger), pytest.raises(BadCredential) as caught:
        stranger.send(notification())
    assert "X" * 32 not in str(caught.value)


@pytest.mark.parametrize(("header", "seconds"), [(None, 1), ("0", 1), ("-1", 1), ("60", 60), ("86400", 900), ("??", 1)])
def test_a_rate_limit_says_how_long_to_wait(
    pager: PagerDuty, service: PagerDutyStandIn, header: str | None, seconds: float
) -> None:
    service.fail("enqueue", "status", status=429, retry_after=header)
    with pytest.raises(NotSent) as caught:
        pager.send(notification())
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == seconds
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("refused", "note", "left"),
    [
        (1, "without links", {"custom_details", "timestamp"}),
        (2, "shortened: pagerduty refused the full event", {"custom_details"}),
        (3, "summary only: pagerduty refused everything longer", set()),
    ],
)
def test_refused_content_is_said_more_and_more_simply(
    pager: PagerDuty, service: PagerDutyStandIn, refused: int, note: str, left: set[str]
) -> None:
    service.fail("enqueue", "error", code="'something' is wrong", times=refused)
    assert pager.send(notification()).note == note
    event = service.alerts[GROUP].events[0]
    assert "links" not in event
    assert isinstance(event["payload"], dict)
    assert left <= set(event["payload"])


def test_content_that_is_always_refused_is_bad_content(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    service.fail("enqueue", "error", code="'something' is wrong", times=9)
    with pytest.raises(BadContent, match="something"):
        pager.send(notification())


def test_numbers_that_are_none_are_left_out(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    odd = incident(observed=float("nan"), expected=float("inf"), lower=float("-inf"), score=None)
    pager.send(notification(odd))
    assert service.unexpected == []
    assert service.pages == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, "\ud800"])
def test_what_is_no_json_is_never_sent(value: object) -> None:
    with pytest.raises(BadContent):
        encoded({"payload": value})


def test_an_event_larger_than_the_limit_is_never_sent() -> None:
    with pytest.raises(BadContent, match="512 KB"):
        encoded({"payload": "x" * 512_001})


@pytest.mark.parametrize("group_id", ["ü", "x" * 256, "a\nb", ""])
def test_a_group_id_that_is_no_key_becomes_the_same_hash_each_time(group_id: str) -> None:
    key = dedup_key(notification(group_id=group_id))
    assert key == dedup_key(resolve(None, group_id=group_id))
    assert len(key) == 64
    assert key.isascii()


def test_the_region_decides_the_endpoint() -> None:
    assert ENDPOINTS["eu"] == "https://events.eu.pagerduty.com/v2/enqueue"
    with pytest.raises(ValidationError, match="loopback"):
        PagerDuty(routing_key=SecretStr(KEY), url="http://events.example/v2/enqueue")


def test_the_official_client_sends_what_we_send(pager: PagerDuty, service: PagerDutyStandIn) -> None:
    """PagerDuty's own client, told the same facts, makes the same event; it is the oracle for names and structure."""
    sent: list[dict[str, object]] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        return httpx2.Response(202, json={"status": "success", "message": "ok", "dedup_key": GROUP})

    pager.send(notification())
    pager.send(resolve(GROUP))
    ours = [dict(event) for event in service.alerts[GROUP].events]
    trigger = ours[0]
    payload = trigger["payload"]
    assert isinstance(payload, dict)
    assert isinstance(trigger["links"], list)
    official = pagerduty.EventsApiV2Client(KEY, transport=httpx2.MockTransport(keep))
    official.trigger(
        payload["summary"],
        payload["source"],
        dedup_key=GROUP,
        severity=payload["severity"],
        payload={name: payload[name] for name in ("group", "timestamp", "component", "class")},
        custom_details=payload["custom_details"],
        links=trigger["links"],
    )
    official.resolve(GROUP)
    extra = {name: trigger[name] for name in ("client", "client_url")}
    theirs = [{"routing_key": KEY, **event} for event in sent]
    assert ours[0] == theirs[0] | extra
    assert ours[1] == theirs[1]
