"""What can go wrong with a delivery, and what to do then.

DeliveryError
├── NotSent            surely not posted: wait, send again        (429, refused, DNS, TLS)
├── Ambiguous          perhaps posted: look first, then send      (5xx, read timeout, reset after write)
├── BadCredential      park the receiver, tell someone else, probe
├── BadDestination     fallback receiver, tell someone else, probe
└── BadContent         the ladder is used up: dead, visible
CannotLook             ``find`` has no way to answer
"""

from __future__ import annotations

from datetime import timedelta


class DeliveryError(Exception):
    """A delivery failed; the message says why, without any secret."""


class NotSent(DeliveryError):
    """Surely not posted; try again after ``retry_after`` (None: back off)."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Ambiguous(DeliveryError):
    """Perhaps posted: reconcile before any resend."""


class BadCredential(DeliveryError):
    """The receiver's credentials are refused."""


class BadDestination(DeliveryError):
    """The channel or address does not take messages."""


class BadContent(DeliveryError):
    """The service refuses every form of this content."""


class CannotLook(DeliveryError):
    """The service offers no way to look for an earlier delivery."""
