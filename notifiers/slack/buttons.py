"""The buttons below a message, and what Slack sends when somebody presses one: pure, nothing is asked or sent here.

Everything that a press needs travels in the button itself, so that a message of last month works after any restart.
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from notifiers import standing
from notifiers.clean import clean
from notifiers.contract import Notification

Action = Literal["acknowledge", "silence", "expected", "not_an_anomaly"]
PREFIX = "metricwatch:"
VALUE = 2_000


@dataclass(frozen=True)
class Button:
    name: str
    text: str
    action: Action
    length: timedelta | None = None
    """How long a silence lasts."""


@dataclass(frozen=True)
class Press:
    """One press of one button. ``target`` is the id of the group that the message is about."""

    action: Action
    target: str
    by: str
    user_id: str
    channel: str
    length: timedelta | None = None
    response_url: str = ""
    """Where an answer that only this person sees is posted; empty = there is no way to answer."""
    is_from_elsewhere: bool = False
    """True where the person belongs to another workspace or organisation than the message: a shared channel."""


BUTTONS = (
    Button("acknowledge", "Acknowledge", "acknowledge"),
    Button("silence_1h", "Silence 1 h", "silence", timedelta(hours=1)),
    Button("silence_1d", "Silence 1 d", "silence", timedelta(days=1)),
    Button("expected", "Expected", "expected"),
    Button("not_an_anomaly", "Not an anomaly", "not_an_anomaly"),
)


def block(notification: Notification) -> Mapping[str, object] | None:
    """The row of buttons; None once the group has ended, or where its id does not fit a button.

    Labels are about a metric's values: the health of a query has none.
    """
    if notification.is_resolved or not 0 < len(notification.group_id) <= VALUE:
        return None
    is_metric = any(incident.kind == "metric" for incident in notification.incidents)
    offered = [
        button
        for button in BUTTONS
        if not (button.action == "acknowledge" and standing.is_acknowledged(notification))
        and (is_metric or button.action in ("acknowledge", "silence"))
    ]
    return {"type": "actions", "elements": [_element(button, notification.group_id) for button in offered]}


def pressed(payload: Mapping[str, object]) -> Press | None:
    """What an ``interactive`` payload means; None where no button of ours was pressed."""
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if payload.get("type") != "block_actions" or not isinstance(first, dict):
        return None
    button = next((one for one in BUTTONS if PREFIX + one.name == first.get("action_id")), None)
    target, user = _text(first, "value"), _part(payload, "user")
    if button is None or not target or not _text(user, "id"):
        return None
    user_id = clean(_text(user, "id"), 40)
    return Press(
        action=button.action,
        target=target[:VALUE],
        by=clean(_text(user, "name") or _text(user, "username"), 60) or user_id,
        user_id=user_id,
        channel=clean(_text(_part(payload, "channel"), "id"), 40),
        length=button.length,
        response_url=_text(payload, "response_url"),
        is_from_elsewhere=_is_from_elsewhere(payload),
    )


def _element(button: Button, group_id: str) -> Mapping[str, object]:
    text = {"type": "plain_text", "text": button.text}
    element = {"type": "button", "action_id": PREFIX + button.name, "text": text, "value": group_id}
    return {**element, "style": "primary"} if button.action == "acknowledge" else element


def _is_from_elsewhere(payload: Mapping[str, object]) -> bool:
    """Whether the person's home is neither the workspace of the message nor the organisation that it is part of.

    A member of an Enterprise organisation has its id (``E…``) for a home, whichever workspace they work in. That the
    payload names our organisation proves nothing: it does so for a guest of a shared channel as well.
    """
    home, team = _text(_part(payload, "user"), "team_id"), _part(payload, "team")
    here = {_text(team, "id"), _text(team, "enterprise_id"), _text(_part(payload, "enterprise"), "id")} - {""}
    return bool(home and here and home not in here)


def _part(payload: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = payload.get(name)
    return part if isinstance(part, dict) else {}


def _text(part: Mapping[str, object], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
