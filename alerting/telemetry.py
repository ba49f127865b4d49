"""Logging: one line per fact, event name first, then key=value; never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_CHATTY = ("apscheduler", "alembic", "uvicorn.access", "watchfiles")
_INDISCREET = ("httpx2", "httpcore2", "slack_sdk", "sqlalchemy", "matplotlib")
_SECRETS = (
    re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|\bmw_[\w-]{43}"),
    re.compile(r"(?<=://)([^:/@\s]+):([^@\s]+)(?=@)"),
    re.compile(r"(?i)(?<=bearer )[\w.~+/-]+"),
)


def configure(log_format: str = "text", level: str = "INFO") -> None:
    """Logs go to stderr, as text for people or as JSON for machines; foreign records take the same way.

    Some libraries speak at DEBUG only, and those that would print rows, statements or whole addresses never do.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    colors = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=colors)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    stream = logging.StreamHandler()
    stream.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [stream]
    root.setLevel(level)
    for name in (*_CHATTY, *_INDISCREET):
        is_heard = name in _CHATTY and root.level <= logging.DEBUG
        logging.getLogger(name).setLevel(root.level if is_heard else max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def logger(room: str) -> structlog.stdlib.BoundLogger:
    """A logger for one room of the program (``daemon``, ``pipeline``)."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(room)
    return bound


def redact(text: str) -> str:
    """The text with tokens and passwords replaced.

    >>> redact("postgresql://app:hunter2@db/shop and xoxb-1-abc")
    'postgresql://app:***@db/shop and ***'
    """
    for pattern in _SECRETS:
        text = pattern.sub(lambda match: f"{match[1]}:***" if match.re.groups else "***", text)
    return text


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event
