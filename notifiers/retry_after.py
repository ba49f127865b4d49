"""How long a service asks us to wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LEAST = timedelta(seconds=1)
MOST = timedelta(minutes=15)


def retry_after(value: str | None, date: str | None = None) -> timedelta:
    """The wait that ``Retry-After`` asks for, between 1 s and 15 min; 1 s where it says nothing we understand.

    ``date`` is the answer's own Date header, against which an HTTP date counts: the service's clock, not ours. Without
    it an HTTP date cannot be measured and means the longest wait.

    >>> [retry_after(text).total_seconds() for text in ("30", "0", "86400", "soon")]
    [30.0, 1.0, 900.0, 1.0]
    """
    text = (value or "").strip()
    if re.fullmatch(r"[+-]?\d{1,9}(\.\d{1,9})?", text):
        return _between(timedelta(seconds=float(text)))
    until = _http_date(text)
    if until is None:
        return LEAST
    now = _http_date(date or "")
    return MOST if now is None else _between(until - now)


def _between(wait: timedelta) -> timedelta:
    return min(max(wait, LEAST), MOST)


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
