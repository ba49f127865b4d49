"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from alerting.app import App

Clock = Callable[[], datetime]
Scope = Literal["read", "operate", "admin"]
READ = ["GET", "HEAD"]


@dataclass(frozen=True)
class Desk:
    """The app that is shown, and the clock by which it is shown."""

    app: App
    clock: Clock


@dataclass(frozen=True)
class Actor:
    """Who asks: ``name`` stands in the audit log of what they do; ``scope`` says what they may."""

    name: str
    scope: Scope


def utc_now() -> datetime:
    return datetime.now(UTC)
