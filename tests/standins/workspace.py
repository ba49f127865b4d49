"""What exists in the workspace that the Slack stand-in plays: messages, files, channels, tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tests.canaries import SLACK_APP_TOKEN, SLACK_TOKEN

TOKEN = SLACK_TOKEN
APP_TOKEN = SLACK_APP_TOKEN
SCOPES = frozenset({"chat:write", "files:write", "channels:history", "groups:history", "im:history"})


class Refusal(Exception):
    """Slack's ``ok: false``."""

    def __init__(self, code: str, *details: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code, self.details, self.status, self.headers = code, details, status, headers or {}


@dataclass(frozen=True)
class Message:
    """A message as it reads now; ``earlier`` are the versions before its edits, oldest first."""

    channel: str
    ts: str
    text: str
    blocks: tuple[Mapping[str, object], ...] = ()
    thread_ts: str | None = None
    is_broadcast: bool = False
    metadata: Mapping[str, object] | None = None
    client_msg_id: str | None = None
    earlier: tuple[Message, ...] = ()

    @property
    def delivery_id(self) -> str | None:
        payload = (self.metadata or {}).get("event_payload")
        return str(payload["delivery_id"]) if isinstance(payload, dict) and "delivery_id" in payload else None

    @property
    def file_ids(self) -> list[str]:
        """The uploaded pictures that its image blocks show."""
        files = [block["slack_file"] for block in self.blocks if block["type"] == "image" and "slack_file" in block]
        return [str(file["id"]) for file in files if isinstance(file, dict)]

    @property
    def shown(self) -> str:
        """Every text that a reader sees, line by line."""
        return "\n".join(_texts(list(self.blocks)) or [self.text])


@dataclass(frozen=True)
class File:
    id: str
    name: str
    length: int
    content: bytes | None = None
    is_complete: bool = False


@dataclass
class Workspace:
    """What exists besides messages. ``channels`` None = every id that looks like one exists and has the bot in it."""

    channels: Collection[str] | None = None
    tokens: Collection[str] = (TOKEN,)
    app_tokens: Collection[str] = (APP_TOKEN,)
    scopes: Collection[str] = SCOPES
    archived: set[str] = field(default_factory=set)
    not_member: set[str] = field(default_factory=set)
    file_delay: int = 0
    """How many times a fresh upload is still refused in a block."""
    per_second: float | None = None
    """Messages per second and channel beyond a burst of 3; None = unlimited."""


def as_slack(post: Message, with_metadata: bool) -> Mapping[str, object]:
    shown: dict[str, object] = {"type": "message", "ts": post.ts, "text": post.text, "blocks": list(post.blocks)}
    if post.thread_ts:
        shown["thread_ts"] = post.thread_ts
    if post.client_msg_id:
        shown["client_msg_id"] = post.client_msg_id
    if with_metadata and post.metadata:
        shown["metadata"] = post.metadata
    return shown


def _texts(value: object) -> list[str]:
    if isinstance(value, Mapping):
        own = [str(value["text"])] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
