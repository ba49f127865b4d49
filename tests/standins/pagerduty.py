"""PagerDuty's Events API v2 on loopback: every documented limit, and one alert per ``dedup_key``.

Source: https://developer.pagerduty.com/docs/events-api-v2/overview/. Run it alone with
``python -m tests.standins.pagerduty --port 8091``.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import count
from typing import Literal

from tests.canaries import ROUTING_KEY
from tests.standins.server import Answer, Call, Fault, StandIn, as_json, serve

KEY = ROUTING_KEY
Event = Mapping[str, object]

_EVENT = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
_SEVERITIES = {"critical", "error", "warning", "info"}
_LINKS = {"links": ({"href", "text"}, "href"), "images": ({"src", "href", "alt"}, "src")}


@dataclass(frozen=True)
class Alert:
    """What one ``dedup_key`` stands for. ``pages`` counts how often a person was woken: each time it (re)opened."""

    routing_key: str
    dedup_key: str
    status: Literal["triggered", "acknowledged", "resolved"]
    pages: int
    events: tuple[Event, ...]

    @property
    def summary(self) -> str:
        """The summary of its last trigger."""
        payloads = [event["payload"] for event in self.events if event["event_action"] == "trigger"]
        last = payloads[-1]
        return str(last["summary"]) if isinstance(last, dict) else ""

    @property
    def actions(self) -> list[str]:
        return [str(event["event_action"]) for event in self.events]


class PagerDutyStandIn(StandIn):
    """``alerts`` by ``dedup_key``; ``url`` is the whole endpoint. ``keys`` None = every key of 32 characters works."""

    def __init__(self, port: int = 0, keys: Collection[str] | None = None) -> None:
        super().__init__(port)
        self.keys = keys
        self.alerts: dict[str, Alert] = {}
        self._numbers = count(1)

    @property
    def url(self) -> str:
        return f"{self.origin}/v2/enqueue"

    @property
    def pages(self) -> int:
        """How often anybody was woken."""
        with self.lock:
            return sum(alert.pages for alert in self.alerts.values())

    @property
    def open(self) -> list[Alert]:
        with self.lock:
            return [alert for alert in self.alerts.values() if alert.status != "resolved"]

    def close_by_hand(self, dedup_key: str) -> None:
        """As if a person had resolved the incident in PagerDuty."""
        with self.lock:
            self.alerts[dedup_key] = replace(self.alerts[dedup_key], status="resolved")

    def state(self) -> object:
        return {"pages": self.pages, "alerts": [asdict(alert) for alert in self.alerts.values()]}

    def method_of(self, path: str) -> str:
        return path.removeprefix("/v2/")

    def fault_answer(self, fault: Fault) -> Answer:
        if fault.kind == "error":
            return _invalid([fault.code])
        return super().fault_answer(fault)

    def respond(self, call: Call) -> Answer:
        if (call.verb, call.path) != ("POST", "/v2/enqueue"):
            self.unexpected.append(f"{call.verb} {call.path}")
            return Answer(404, b"")
        errors, event = _read(call)
        errors = errors or problems(event, len(call.body))
        if not errors and self.keys is not None and event["routing_key"] not in self.keys:
            return _invalid(["Invalid routing key"])
        if errors:
            self.unexpected.append(f"invalid event: {'; '.join(errors)}")
            return _invalid(errors)
        key = str(event.get("dedup_key") or f"made-{next(self._numbers)}")
        self._apply(key, event)
        return as_json({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    def _apply(self, key: str, event: Event) -> None:
        before, action = self.alerts.get(key), event["event_action"]
        if action == "trigger":
            is_open = before is not None and before.status != "resolved"
            alert = before or Alert(str(event["routing_key"]), key, "triggered", 0, ())
            status = alert.status if is_open else "triggered"
            pages = alert.pages + (0 if is_open else 1)
            self.alerts[key] = replace(alert, status=status, pages=pages, events=(*alert.events, event))
        elif before is not None:
            ended = before.status == "resolved" or action == "resolve"
            status = "resolved" if ended else "acknowledged"
            self.alerts[key] = replace(before, status=status, events=(*before.events, event))


def problems(event: Event, size_bytes: int) -> list[str]:
    """Everything that the Events API would refuse an event for."""
    action, payload = event.get("event_action"), event.get("payload")
    found = _unknown(event, _EVENT) + _lengths(event)
    if size_bytes > 512_000:
        found.append(f"event of {size_bytes} bytes")
    if action not in ("trigger", "acknowledge", "resolve"):
        found.append("'event_action' must be trigger, acknowledge or resolve")
    if action == "trigger":
        found += _payload(payload) if isinstance(payload, dict) else ["'payload' is missing or blank"]
    elif not event.get("dedup_key"):
        found.append("'dedup_key' is missing or blank")
    for name, (keys, address) in _LINKS.items():
        found += _listed(event.get(name, []), name, keys, address)
    return found + [f"hidden character {sign}" for sign in sorted(_hidden(event))]


def _read(call: Call) -> tuple[list[str], Event]:
    try:
        event = json.loads(call.body.decode("utf-8"), parse_constant=_refuse_constant)
    except ValueError as error:
        return [f"the body is no JSON: {error}"], {}
    if not isinstance(event, dict):
        return ["the body is no JSON object"], {}
    return [], event


def _lengths(event: Event) -> list[str]:
    found = []
    if not re.fullmatch(r"[A-Za-z0-9]{32}", str(event.get("routing_key", ""))):
        found.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if len(str(event.get("dedup_key", ""))) > 255:
        found.append("'dedup_key' is longer than 255")
    return found


def _payload(payload: Event) -> list[str]:
    found = _unknown(payload, _PAYLOAD)
    for name in ("summary", "source"):
        if not isinstance(payload.get(name), str) or not str(payload[name]).strip():
            found.append(f"'payload.{name}' is missing or blank")
    if len(str(payload.get("summary", ""))) > 1_024:
        found.append("'payload.summary' is longer than 1024")
    if payload.get("severity") not in _SEVERITIES:
        found.append("'payload.severity' is invalid")
    for name in ("component", "group", "class"):
        if name in payload and not isinstance(payload[name], str):
            found.append(f"'payload.{name}' is no text")
    return found + _timestamp(payload.get("timestamp"))


def _timestamp(text: object) -> list[str]:
    if text is None:
        return []
    try:
        datetime.fromisoformat(str(text))
    except ValueError:
        return ["'payload.timestamp' is not ISO 8601"]
    return []


def _listed(value: object, name: str, keys: Collection[str], address: str) -> list[str]:
    if not isinstance(value, list):
        return [f"'{name}' is no list"]
    found = []
    for one in value:
        if not isinstance(one, dict) or set(one) - set(keys) or not str(one.get(address, "")).startswith("http"):
            found.append(f"'{name}' holds {one!r}")
        elif name == "images" and not str(one["src"]).startswith("https://"):
            found.append("'images.src' is not https")
    return found


def _unknown(value: Event, known: Collection[str]) -> list[str]:
    return [f"'{name}' is unknown" for name in value if name not in known]


def _hidden(value: object) -> set[str]:
    """Control characters and lone surrogates in any text or name."""
    if isinstance(value, str):
        return {ascii(sign) for sign in value if unicodedata.category(sign) in ("Cc", "Cs")}
    if isinstance(value, Mapping):
        return set().union(*map(_hidden, value), *map(_hidden, value.values()))
    return set().union(*map(_hidden, value)) if isinstance(value, list) else set()


def _invalid(errors: list[str]) -> Answer:
    return as_json({"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def main() -> None:
    parser = argparse.ArgumentParser(description="A strict stand-in for PagerDuty's Events API on loopback.")
    parser.add_argument("--port", type=int, default=8091)
    chosen = parser.parse_args()
    serve(PagerDutyStandIn(chosen.port), f"PagerDuty stand-in on http://127.0.0.1:{chosen.port}/v2/enqueue")


if __name__ == "__main__":
    main()
