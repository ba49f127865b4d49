"""A message in, a receipt out: one file per service."""

from notifiers.contract import (
    IncidentView,
    Kind,
    Notification,
    Notifier,
    Owner,
    Pace,
    Receipt,
    Severity,
    Spark,
    TimelineEntry,
)
from notifiers.registry import names, type_of

__all__ = [
    "IncidentView",
    "Kind",
    "Notification",
    "Notifier",
    "Owner",
    "Pace",
    "Receipt",
    "Severity",
    "Spark",
    "TimelineEntry",
    "names",
    "type_of",
]
