"""What can go wrong with a warehouse, as one tree.

SourceError
├── Misconfigured   the URL, a secret or a driver is missing or wrong
├── Unreachable     nobody answers, or the connection broke (transient)
├── LoginRefused    it answers and does not let us in
├── QueryFailed     the database refused the SQL
├── TimedOut        it took too long, or was told to stop (transient)
└── BadResult       the rows are not what the query promised
    └── RowCapReached   more rows than row_cap: ask for fewer buckets
"""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@]*@", re.IGNORECASE)
_KEYWORD = re.compile(
    r"(?P<before>\b(?:password|passwd|pwd|token|secret)\s*=\s*)(?:'[^']*'|[^\s&;'\"]+)", re.IGNORECASE
)


class SourceError(Exception):
    """A pull did not bring usable rows: the health of the query, never an anomaly.

    The text names the ``subject`` (``query orders_hourly``), what happened and what to do; it holds no secret.
    ``is_transient``: trying the same again can help.

    >>> str(SourceError("query orders", "no column time", "name one: ... AS time"))
    'query orders: no column time; name one: ... AS time'
    """

    is_transient = False

    def __init__(self, subject: str, what: str, remedy: str = "") -> None:
        self.subject = subject
        self.what = what
        self.remedy = remedy
        super().__init__(f"{subject}: {what}" + (f"; {remedy}" if remedy else ""))


class Misconfigured(SourceError):
    """The URL cannot be read, a secret is missing, or the driver is not installed."""


class Unreachable(SourceError):
    """Nobody answers, or the connection broke."""

    is_transient = True


class LoginRefused(SourceError):
    """The database answers and refuses the role, the password or the database name."""


class QueryFailed(SourceError):
    """The database refused or could not run the SQL; the text holds its own words."""


class TimedOut(SourceError):
    """The query was cancelled: by the server, by our deadline, or because the program stops."""

    is_transient = True


class BadResult(SourceError):
    """The query ran, and its rows cannot be read without guessing."""


class RowCapReached(BadResult):
    """More than ``row_cap`` rows came back: pull fewer buckets at once."""


def redact(text: str, *secrets: str | None) -> str:
    """The text on one line, without the secrets and without passwords in anything that looks like a URL.

    >>> redact("cannot reach postgresql://app:hunter2@db/shop", None)
    'cannot reach postgresql://app:***@db/shop'
    """
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _CREDENTIALS.sub(r"\g<before>:***@", text)
    text = _KEYWORD.sub(r"\g<before>***", text)
    return " ".join(text.split())
