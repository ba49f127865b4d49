"""What the routes work with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from alerting.app import App

Clock = Callable[[], datetime]
Scope = Literal["read", "operate", "admin"]
READ = ["GET", "HEAD"]


@dataclass(frozen=True)
class Desk:
    """The app that is shown, the clock by which it is shown, and whether the server is about to stop."""

    app: App
    clock: Clock
    closing: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Actor:
    """Who asks: ``name`` stands in the audit log of what they do; ``scope`` says what they may."""

    name: str
    scope: Scope


def utc_now() -> datetime:
    return datetime.now(UTC)
