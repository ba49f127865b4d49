"""A signed HTTPS POST of the whole notification to an address of one's own.

The signature follows https://www.standardwebhooks.com: receivers can check it with an existing library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, SecretStr, field_validator

from notifiers import standing, wording
from notifiers.addresses import RefusedAddress, dial
from notifiers.clean import clean
from notifiers.contract import IncidentView, Notification, Notifier, Pace, Receipt
from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, DeliveryError, NotSent
from notifiers.retry_after import retry_after

SCHEMA = "metricwatch.notification/1"
TIMEOUT_S = 10.0
_MAX_INCIDENTS = 100


class Webhook(Notifier):
    """Posts JSON (schema in the README of this package) to a public https address; redirects are refused.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    url: SecretStr = Field(description="https address; often a secret, so better written as ${env:NAME}")
    secret: SecretStr | None = Field(
        default=None, description="signs each request (HMAC-SHA256); whsec_… (base64) or any text"
    )

    _clock: Callable[[], datetime] = PrivateAttr(default_factory=lambda: _wall_clock)
    _allow_loopback: bool = PrivateAttr(default=False)
    _trust: ssl.SSLContext | None = PrivateAttr(default=None)

    @classmethod
    def on_loopback(
        cls, url: str, secret: str | None = None, *, trust: ssl.SSLContext, clock: Callable[[], datetime] | None = None
    ) -> Webhook:
        """For tests: a webhook that may also dial this machine and trusts its certificate. Not reachable from YAML."""
        made = cls(url=SecretStr(url), secret=SecretStr(secret) if secret else None)
        made._allow_loopback = True
        made._trust = trust
        if clock:
            made._clock = clock
        return made

    @field_validator("url")
    @classmethod
    def _is_https(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("the address must begin with https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("no user or password in the address: sign with `secret` instead")
        _ = parts.port  # raises ValueError where it is no number
        return url

    @property
    def pace(self) -> Pace:
        return Pace(scope=f"webhook:{urlsplit(self.url.get_secret_value()).hostname}", per_second=5, burst=10)

    def send(self, notification: Notification) -> Receipt:
        body = json.dumps(document(notification), allow_nan=False, ensure_ascii=False).encode("utf-8")
        failure = self._post(body, self._headers(notification.delivery_id, body))
        if failure:
            raise failure
        return Receipt(remote_id=notification.remote_id or notification.delivery_id)

    def _headers(self, delivery_id: str, body: bytes) -> Mapping[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "metricwatch",
            "webhook-id": clean(delivery_id, 200).encode("ascii", "replace").decode(),
            "webhook-timestamp": str(int(self._clock().timestamp())),
        }
        if self.secret:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = hmac.new(_key(self.secret.get_secret_value()), signed, hashlib.sha256).digest()
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return headers

    def _post(self, body: bytes, headers: Mapping[str, str]) -> DeliveryError | None:
        """None = taken. No proxy from the environment, no redirect, one connection, checked as it is dialled."""
        parts = urlsplit(self.url.get_secret_value())
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 443, timeout=TIMEOUT_S)
        try:
            connection.sock = self._dialled(parts.hostname or "", parts.port or 443)
        except RefusedAddress as error:
            return BadDestination(str(error))
        except (OSError, UnicodeError) as error:
            return NotSent(f"the webhook could not be reached: {type(error).__name__}")
        try:
            target = parts.path or "/"
            connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, dict(headers))
            answer = connection.getresponse()
            answer.read(65_536)
            return judged(answer.status, answer.getheader("Retry-After"), answer.getheader("Date"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Ambiguous(f"the webhook gave no answer: {type(error).__name__}")
        finally:
            connection.close()

    def _dialled(self, host: str, port: int) -> socket.socket:
        plain = dial(host, port, TIMEOUT_S, self._allow_loopback)
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError):
            plain.close()
            raise

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()


def _wall_clock() -> datetime:
    # The receiver compares the signature's timestamp with its own clock, so this is the moment of the attempt, which
    # no notification can carry.
    return datetime.now(UTC)  # noqa: TID251 (see above)


def judged(status: int, wait: str | None, date: str | None) -> DeliveryError | None:
    """What an answer means; None = taken."""
    if 200 <= status < 300:
        return None
    if status == 429:
        after = retry_after(wait, date)
        return NotSent(f"the webhook asks to wait {after.total_seconds():.0f} s", after)
    if status in (401, 403):
        return BadCredential(f"the webhook refuses the signature or the sender (status {status})")
    if status in (400, 413, 415, 422):
        return BadContent(f"the webhook refuses the content (status {status})")
    if 300 <= status < 400:
        return BadDestination(f"the webhook redirects (status {status}), and redirects are not followed")
    if status >= 500 or status == 408:
        return Ambiguous(f"the webhook answers with status {status}")
    return BadDestination(f"the webhook answers with status {status}")


def document(notification: Notification) -> Mapping[str, object]:
    """The body: what people read, and the numbers behind it."""
    return {
        "schema": SCHEMA,
        "delivery_id": notification.delivery_id,
        "group_id": notification.group_id,
        "sequence": notification.sequence,
        "kind": notification.kind,
        "state": standing.state(notification),
        "severity": notification.severity,
        "subscription": clean(notification.subscription),
        "created": notification.created.isoformat(),
        "headline": wording.headline(notification),
        "since": wording.since_line(notification),
        "changes": wording.timeline(notification),
        "acknowledged_by": clean(notification.acknowledged_by, 100),
        "acknowledged_at": _iso(notification.acknowledged_at),
        "silenced_until": _iso(notification.silenced_until),
        "silenced_by": clean(notification.silenced_by, 100),
        "silence_comment": clean(notification.silence_comment, 300),
        "fallback_for": clean(notification.fallback_for, 100),
        "fallback_reason": clean(notification.fallback_reason, 300),
        "quiet": notification.quiet,
        "is_reminder": notification.is_reminder,
        "incidents": [_incident(incident) for incident in notification.incidents[:_MAX_INCIDENTS]],
        "incidents_total": len(notification.incidents) + notification.unlisted,
        "pending": notification.pending,
        "owner": clean(notification.owner.team or ""),
        "runbook": clean(notification.runbook or "", 2_000),
        "links": {clean(name, 80): clean(url, 2_000) for name, url in list(notification.links.items())[:20]},
        "possible_repeat": notification.possible_repeat,
    }


def _incident(incident: IncidentView) -> Mapping[str, object]:
    """The incident as JSON takes it, its texts clean and bounded."""
    shown = incident.model_dump(mode="json", exclude={"dimensions"})
    texts = {name: clean(value, 300) if isinstance(value, str) else value for name, value in shown.items()}
    pairs = list(incident.dimensions.items())[:20]
    return {**texts, "dimensions": {clean(name, 60): clean(value, 200) for name, value in pairs}}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _key(secret: str) -> bytes:
    """The key behind ``whsec_`` is base64; any other text is the key itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
