from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr, ValidationError

from notifiers.addresses import RefusedAddress, dial, is_allowed
from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, DeliveryError, NotSent
from notifiers.webhook import SCHEMA, Webhook
from tests.canaries import ADDRESS_KEY, SIGNING_KEY
from tests.notifiers.examples import incident, notification, resolve
from tests.standins.server import Answer
from tests.standins.webhook import WebhookStandIn, trust

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


@pytest.fixture
def service() -> Iterator[WebhookStandIn]:
    with WebhookStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def webhook(service: WebhookStandIn) -> Webhook:
    return Webhook.on_loopback(
        service.url, "whsec_" + base64.b64encode(SIGNING_KEY.encode()).decode(), trust=trust(), clock=lambda: NOON
    )


def test_the_body_says_what_people_read_and_the_numbers_behind_it(webhook: Webhook, service: WebhookStandIn) -> None:
    webhook.send(notification())
    (body,) = service.bodies
    assert body["schema"] == SCHEMA
    assert body["headline"] == "Orders, Germany: 41 % below expected"
    assert (body["kind"], body["state"], body["delivery_id"]) == ("trigger", "critical", "d-0001")
    incidents = body["incidents"]
    assert isinstance(incidents, list)
    assert (incidents[0]["observed"], incidents[0]["dimensions"]) == (612.0, {"country": "Germany"})
    assert service.requests[0].path == f"/hooks/metricwatch?key={ADDRESS_KEY}"


def test_a_receiver_can_check_the_signature_by_the_published_rule(webhook: Webhook, service: WebhookStandIn) -> None:
    webhook.send(notification())
    (call,) = service.requests
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    expected = base64.b64encode(hmac.new(SIGNING_KEY.encode(), signed, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{expected}"
    assert call.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert call.headers["webhook-id"] == "d-0001"


def test_the_signature_agrees_with_a_vector_made_by_hand(service: WebhookStandIn) -> None:
    """openssl dgst -sha256 -mac HMAC -macopt key:k over ``d-0001.1767700800.`` and the body gives the same."""
    plain = Webhook.on_loopback(service.url, "k", trust=trust(), clock=lambda: NOON)
    headers = plain._headers("d-0001", b"{}")
    assert headers["webhook-signature"] == "v1,mISaQujJj1oDZcjnYfS7sY6rcZkAMRdS1Wn5o4E6QeY="


def test_without_a_secret_nothing_is_signed(service: WebhookStandIn) -> None:
    Webhook.on_loopback(service.url, trust=trust()).send(notification())
    assert "webhook-signature" not in service.requests[0].headers


def test_a_resolve_says_so(webhook: Webhook, service: WebhookStandIn) -> None:
    webhook.send(resolve("x"))
    assert (service.bodies[0]["kind"], service.bodies[0]["state"]) == ("resolve", "resolved")


def test_numbers_that_are_none_are_null(webhook: Webhook, service: WebhookStandIn) -> None:
    webhook.send(notification(incident(observed=float("nan"), score=float("inf"))))
    incidents = service.bodies[0]["incidents"]
    assert isinstance(incidents, list)
    assert (incidents[0]["observed"], incidents[0]["score"]) == (None, None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, BadDestination), (307, BadDestination), (400, BadContent), (401, BadCredential), (403, BadCredential),
        (404, BadDestination), (410, BadDestination), (413, BadContent), (429, NotSent), (500, Ambiguous),
        (503, Ambiguous),
    ],
)  # fmt: skip
def test_every_status_has_its_class(
    webhook: Webhook, service: WebhookStandIn, status: int, expected: type[DeliveryError]
) -> None:
    service.answer = Answer(status, b"", {"Location": service.url})
    with pytest.raises(expected):
        webhook.send(notification())
    assert len(service.requests) == 1


@pytest.mark.parametrize("kind", ["drop", "reset"])
def test_a_lost_answer_is_ambiguous(webhook: Webhook, service: WebhookStandIn, kind: str) -> None:
    service.fail("*", kind, after_effect=True)  # type: ignore[arg-type]  # parametrised
    with pytest.raises(Ambiguous):
        webhook.send(notification())


def test_a_receiver_that_is_down_was_surely_not_told(webhook: Webhook, service: WebhookStandIn) -> None:
    service.down()
    with pytest.raises(NotSent):
        webhook.send(notification())


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(service: WebhookStandIn) -> None:
    import ssl

    with pytest.raises(NotSent):
        Webhook.on_loopback(service.url, trust=ssl.create_default_context()).send(notification())
    assert service.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "127.1", "127.0.0.1", "[::1]", "2130706433", "0x7f000001", "0177.0.0.1", "localhost",
        "10.0.0.8", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]", "[fe80::1]", "[fd00:ec2::254]", "224.0.0.1", "[ff02::1]", "168.63.129.16",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_as_it_is_dialled(host: str) -> None:
    with pytest.raises(BadDestination, match="not public"):
        Webhook(url=SecretStr(f"https://{host}/hook")).send(notification())


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "http://hooks.example/x", "gopher://hooks.example", "ftp://hooks.example", "https:///x",
        "hooks.example", "https://user:secret@hooks.example/x", "https://hooks.example:port/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_https_is_refused_as_it_is_read_and_not_shown(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Webhook(url=SecretStr(url))
    assert url not in str(caught.value)


def test_a_name_that_leads_to_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public, private = ("93.184.216.34", 443), ("10.0.0.8", 443)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (public, private)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RefusedAddress):
        dial("rebinding.example", 443, 1)


def test_a_name_that_changes_after_the_check_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once, and what was checked is what is dialled."""
    asked: list[str] = []
    dialled: list[object] = []

    def resolve_once(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def refuse(_: socket.socket, target: object) -> None:
        dialled.append(target)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve_once)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(NotSent):
        Webhook(url=SecretStr("https://rebinding.example/x")).send(notification())
    assert asked == ["rebinding.example"]
    assert dialled == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("8.8.8.8", True), ("::", False),
        ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True), ("64:ff9b::a00:1", False), ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False), ("::7f00:1", False), ("198.18.0.1", False), ("192.0.2.1", False),
        ("240.0.0.1", False), ("255.255.255.255", False), ("fec0::1", False), ("fe80::1%eth0", False),
    ],
)  # fmt: skip
def test_only_addresses_on_the_public_internet_are_allowed(address: str, allowed: bool) -> None:
    assert is_allowed(address) is allowed


def test_proxies_of_the_environment_are_not_used(
    webhook: Webhook, service: WebhookStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    webhook.send(notification())
    assert len(service.bodies) == 1


def test_an_endless_answer_is_read_only_in_part() -> None:
    """The answer is never needed, so 64 KB of it are enough: a receiver cannot fill the memory."""
    with WebhookStandIn() as service:
        service.answer = Answer(200, b"x" * 5_000_000)
        assert Webhook.on_loopback(service.url, trust=trust()).send(notification()).remote_id == "d-0001"


def test_loopback_is_not_reachable_from_a_configuration() -> None:
    assert set(Webhook.model_fields) == {"url", "secret"}
    assert json.loads(json.dumps(Webhook.model_json_schema()))["additionalProperties"] is False
