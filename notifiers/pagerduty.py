"""PagerDuty: one alert per group, opened and closed under one ``dedup_key``.

Source: https://developer.pagerduty.com/docs/events-api-v2/overview/
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar, Literal

import httpx2
from pydantic import Field, SecretStr, field_validator

from notifiers import standing, wording
from notifiers.addresses import is_https_or_loopback
from notifiers.clean import bounded, clean
from notifiers.contract import IncidentView, Notification, Notifier, Pace, Receipt
from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, DeliveryError, NotSent
from notifiers.retry_after import retry_after

ENDPOINTS = {"us": "https://events.pagerduty.com/v2/enqueue", "eu": "https://events.eu.pagerduty.com/v2/enqueue"}
SUMMARY, EVENT_BYTES, DETAIL_BYTES, KEY = 1_024, 512_000, 4_000, 255
Event = Mapping[str, object]


class PagerDuty(Notifier):
    """Sends to one service integration. A reminder is never sent: only a group that opens, grows or ends."""

    is_idempotent: ClassVar[bool] = True
    closes_again: ClassVar[bool] = True

    routing_key: SecretStr = Field(description="integration key of an Events API v2 integration (32 characters)")
    region: Literal["us", "eu"] = Field(default="us", description="where the PagerDuty account lives")
    url: str | None = Field(
        default=None,
        description="the whole endpoint, instead of the region's",
        json_schema_extra={"setting": "pagerduty_url"},
    )

    @field_validator("url")
    @classmethod
    def _is_safe_for_a_key(cls, url: str | None) -> str | None:
        if url is not None and not is_https_or_loopback(url):
            raise ValueError("plain http is for the loopback address only: the routing key would travel in the clear")
        return url

    @property
    def pace(self) -> Pace:
        key = hashlib.sha256(self.routing_key.get_secret_value().encode()).hexdigest()[:12]
        return Pace(scope=f"pagerduty:{key}", per_second=100 / 60, burst=20)

    def send(self, notification: Notification) -> Receipt:
        nothing = _nothing_to_tell(notification)
        if nothing:
            return Receipt(remote_id=notification.remote_id, note=nothing)
        refused: BadContent | None = None
        for left_out, event in _ladder(notification):
            try:
                self._enqueue(event)
            except BadContent as error:
                refused = error
                continue
            if notification.kind == "trigger" and notification.event == "acknowledged":
                self._enqueue(_acknowledgement(notification))  # somebody took it before the page went out
            return Receipt(remote_id=dedup_key(notification), note=left_out)
        raise refused or BadContent("every form of the event is larger than 512 KB")

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    def _enqueue(self, event: Event) -> None:
        body = encoded({"routing_key": self.routing_key.get_secret_value(), **event})
        failure: DeliveryError | None
        try:
            answer = self._client.post(
                self.url or ENDPOINTS[self.region], content=body, headers={"Content-Type": "application/json"}
            )
            failure = judged(answer)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
            failure = NotSent(f"pagerduty could not be reached: {type(error).__name__}")
        except httpx2.HTTPError as error:
            failure = Ambiguous(f"pagerduty gave no answer: {type(error).__name__}")
        if failure:
            raise failure

    @cached_property
    def _client(self) -> httpx2.Client:
        return httpx2.Client(timeout=10, follow_redirects=False, transport=httpx2.HTTPTransport(retries=0))


def _nothing_to_tell(notification: Notification) -> str:
    """Why an update wakes nobody and changes nothing in PagerDuty; empty where it does."""
    if notification.kind != "update" or notification.event == "acknowledged":
        return ""
    if notification.quiet or notification.is_reminder:
        return "nothing to tell: a silent edit" if notification.quiet else "nothing to tell: reminders wake nobody"
    return "" if notification.joined else "nothing to tell: no incident joined"


def judged(answer: httpx2.Response) -> DeliveryError | None:
    """What an answer means; None = accepted."""
    status = answer.status_code
    if status == 202:
        return None
    said = _errors(answer)
    if status == 429:
        wait = retry_after(answer.headers.get("retry-after"), answer.headers.get("date"))
        return NotSent(f"pagerduty is rate limited for {wait.total_seconds():.0f} s", wait)
    if status in (401, 402, 403) or (status == 400 and "routing" in said.lower()):
        return BadCredential(f"pagerduty refuses the routing key (status {status})")
    if status in (400, 413, 422):
        return BadContent(f"pagerduty refuses the event (status {status}): {said}")
    if 300 <= status < 500 and status != 408:
        return BadDestination(f"pagerduty answers with status {status}: is the endpoint right?")
    return Ambiguous(f"pagerduty answers with status {status}")


def dedup_key(notification: Notification) -> str:
    """The group's id, or a hash of it where PagerDuty would not take it as it is."""
    key = notification.group_id
    fits = key.isascii() and key.isprintable() and 0 < len(key) <= KEY
    return key if fits else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def encoded(event: Event) -> bytes:
    """The event as JSON bytes. Raises BadContent where PagerDuty would refuse it: NaN, lone surrogates, too large."""
    try:
        body = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (ValueError, TypeError) as error:
        # Our own bug, were it ever to happen; the text of the error would hold part of the event.
        raise BadContent(f"the event is not valid JSON: {type(error).__name__}") from None
    if len(body) > EVENT_BYTES:
        raise BadContent(f"the event has {len(body):,} bytes, more than 512 KB")
    return body


def _ladder(notification: Notification) -> Iterator[tuple[str, Event]]:
    """Simpler and simpler events; each is tried only where the one before was refused."""
    key = dedup_key(notification)
    if notification.kind == "resolve":
        yield "", {"event_action": "resolve", "dedup_key": key}
        return
    if notification.kind == "update" and not notification.joined:
        yield "", _acknowledgement(notification)
        return
    payload = _payload(notification)
    details = {"custom_details": _details(notification)}
    base: Event = {"event_action": "trigger", "dedup_key": key, "client": "metricwatch"}
    links = _links(notification)
    linked = {"links": links, "client_url": links[0]["href"]} if links else {}
    if linked:
        yield "", {**base, **linked, "payload": {**payload, **details}}
    yield "without links" if linked else "", {**base, "payload": {**payload, **details}}
    short = {"custom_details": _shortened(_details(notification))}
    yield "shortened: pagerduty refused the full event", {**base, "payload": {**payload, **short}}
    least = {name: payload[name] for name in ("summary", "source", "severity")}
    yield (
        "summary only: pagerduty refused everything longer",
        {"event_action": "trigger", "dedup_key": key, "payload": least},
    )


def _acknowledgement(notification: Notification) -> Event:
    return {"event_action": "acknowledge", "dedup_key": dedup_key(notification)}


def _payload(notification: Notification) -> dict[str, object]:
    incident = wording.lead(notification)
    again = incident or notification
    payload: dict[str, object] = {
        "summary": bounded(wording.summary(notification), SUMMARY) or "metricwatch",
        "source": clean(notification.subscription, 250) or "metricwatch",
        "severity": notification.severity,
        "group": clean(notification.subscription, 250) or "metricwatch",
        "timestamp": (again.opened if isinstance(again, IncidentView) else notification.created).isoformat(),
    }
    if incident:
        payload["component"] = clean(incident.metric, 250) or "metric"
        payload["class"] = incident.kind if incident.kind != "metric" else clean(incident.detector, 100) or "metric"
    return payload


def _details(notification: Notification) -> dict[str, object]:
    """What the person on call reads first, then the numbers of the worst incidents, then what else is open."""
    details: dict[str, object] = {"what": wording.headline(notification), "since": wording.since_line(notification)}
    for place, incident in enumerate(notification.incidents[:10], start=1):
        details[f"incident {place}"] = _numbers(incident)
    others = wording.other_lines(notification, limit=50)
    if others:
        details["also"] = others
    said = {"owner": clean(notification.owner.team or "", 100), "told here because": standing.in_place_of(notification)}
    details |= {name: text for name, text in said.items() if text}
    return details


def _numbers(incident: IncidentView) -> dict[str, object]:
    figures: dict[str, float | None] = {
        "observed": incident.observed,
        "expected": incident.expected,
        "lower": incident.lower,
        "upper": incident.upper,
        "score": incident.score,
    }
    said: dict[str, object] = {
        "id": clean(incident.id, 100),
        "metric": clean(incident.metric, 200),
        "dimensions": {clean(name, 60): clean(value, 100) for name, value in list(incident.dimensions.items())[:20]},
        **{name: value for name, value in figures.items() if value is not None and math.isfinite(value)},
        "unit": clean(incident.unit or "", 40),
        "detector": clean(incident.detector, 100),
        "reason": clean(incident.reason, 300),
        "first_seen": incident.opened.isoformat(),
        "last_seen": incident.latest.isoformat(),
    }
    return {name: value for name, value in said.items() if value not in ("", {})}


def _shortened(details: Mapping[str, object]) -> dict[str, object]:
    """The first details, as many as fit 4 KB."""
    kept: dict[str, object] = {}
    for name, value in details.items():
        if len(json.dumps({**kept, name: value}).encode()) > DETAIL_BYTES:
            break
        kept[name] = value
    return kept


def _links(notification: Notification) -> list[dict[str, str]]:
    named = {**notification.links, "Runbook": notification.runbook or ""}
    shown = [(clean(text, 80), clean(url, 2_000)) for text, url in list(named.items())[:10] if len(url) <= 2_000]
    return [{"href": url, "text": text} for text, url in shown if url.startswith(("https://", "http://")) and text]


def _errors(answer: httpx2.Response) -> str:
    """What PagerDuty says is wrong, on one line; never the event that was sent."""
    try:
        found = answer.json()
    except ValueError:
        return "no reason given"
    errors = found.get("errors") if isinstance(found, dict) else None
    texts = [str(error) for error in errors] if isinstance(errors, list) else [str(found)[:200]]
    return clean("; ".join(texts), 300)
