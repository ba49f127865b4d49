"""Where an earlier delivery stands: looked up by the ``delivery_id`` that every post carries in its metadata.

``conversations.history`` returns parents only and ``conversations.replies`` the posts of one thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from slack_sdk import WebClient

from notifiers.errors import BadContent, BadCredential, BadDestination, CannotLook
from notifiers.slack.answers import call

EVENT_TYPE = "metricwatch_delivery"
PAGES, PAGE = 20, 200
Message = Mapping[str, object]


def metadata(delivery_id: str) -> Mapping[str, object]:
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": delivery_id}}


def parsed(remote_id: str | None) -> tuple[str, str] | None:
    """Channel and ts of a root; None where there is none."""
    match = re.fullmatch(r"([A-Z0-9]+):(\d+\.\d+)", remote_id or "")
    return (match[1], match[2]) if match else None


def link(channel: str, ts: str) -> str:
    """An address that Slack redirects to the message, made without asking for a permalink."""
    return f"https://slack.com/archives/{channel}/p{ts.replace('.', '')}"


def posted(client: WebClient, channel: str, delivery_id: str, horizon: datetime) -> str | None:
    """The ts of the root that carries ``delivery_id``, looked for back to ``horizon``. Raises CannotLook."""
    for message in _messages(client, "conversations.history", {"channel": channel}, horizon):
        if _carries(message, delivery_id):
            return str(message.get("ts"))
    return None


def reply(client: WebClient, channel: str, ts: str, delivery_id: str) -> bool:
    """Whether the thread of a root holds a post that carries ``delivery_id``. Raises CannotLook."""
    thread = {"channel": channel, "ts": ts}
    return any(_carries(message, delivery_id) for message in _messages(client, "conversations.replies", thread, None))


def root(client: WebClient, channel: str, ts: str) -> Message:
    """The message itself, as it is shown now; empty where it is gone."""
    arguments = {"channel": channel, "latest": ts, "oldest": ts, "inclusive": True, "limit": 1}
    found = _list(call(client, "conversations.history", arguments, encoding="form"))
    return next((message for message in found if message.get("ts") == ts), {})


def _messages(
    client: WebClient, method: str, arguments: Mapping[str, object], horizon: datetime | None
) -> Iterator[Message]:
    cursor: str | None = None
    for _ in range(PAGES):
        given = {**arguments, "include_all_metadata": True, "limit": PAGE, "cursor": cursor}
        answer = _page(client, method, given)
        if answer is None:
            return
        page = _list(answer)
        yield from page
        cursor = _cursor(answer)
        if cursor is None or _is_past(page, horizon, answer):
            return
    raise CannotLook(f"more than {PAGES * PAGE:,} messages to look through")


def _page(client: WebClient, method: str, arguments: Mapping[str, object]) -> Mapping[str, object] | None:
    failure: CannotLook
    try:
        return call(client, method, arguments, encoding="form")
    except (BadDestination, BadContent, BadCredential) as error:
        if "thread_not_found" in str(error):
            return None
        failure = CannotLook(str(error))
    raise failure


def _is_past(page: list[Message], horizon: datetime | None, answer: Mapping[str, object]) -> bool:
    """Whether the page, newest first, reaches back beyond ``horizon``.

    ``horizon`` is by our clock, which may be set ahead (``once --at``): where Slack's own clock has not reached it,
    it says nothing about the age of messages.
    """
    if horizon is None or not page:
        return False
    try:
        here = parsedate_to_datetime(str(answer.get("_date")))
        oldest = min(float(str(message.get("ts"))) for message in page)
    except ValueError:
        return False
    return here > horizon and datetime.fromtimestamp(oldest, UTC) < horizon


def _carries(message: Message, delivery_id: str) -> bool:
    found = message.get("metadata")
    payload = found.get("event_payload") if isinstance(found, dict) else None
    return isinstance(payload, dict) and payload.get("delivery_id") == delivery_id


def _list(answer: Mapping[str, object]) -> list[Message]:
    messages = answer.get("messages")
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def _cursor(answer: Mapping[str, object]) -> str | None:
    found = answer.get("response_metadata")
    cursor = found.get("next_cursor") if isinstance(found, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None
