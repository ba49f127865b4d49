"""What can go wrong with our own database, and what to do then.

StoreError
├── Unavailable        unreachable, locked or full: pause, try again
├── NewerSchema        written by a newer metricwatch: upgrade this one
├── StateBusy          another process holds the state: stop it, or point this one elsewhere
├── LostRace           somebody else recorded first: drop this evaluation, the next tick repeats it
└── AmbiguousIncident  several incidents begin like this: write more of the id
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolExhausted


class StoreError(Exception):
    """The state database did not do what was asked; the message never holds a secret or a row."""


class Unavailable(StoreError):
    """The database cannot be reached, is locked, or is full; nothing of the transaction was written."""


class NewerSchema(StoreError):
    """The tables are newer than this program knows."""


class StateBusy(StoreError):
    """Another process evaluates and delivers with this state."""


class LostRace(StoreError):
    """Another writer was faster; nothing of the transaction was written."""


class AmbiguousIncident(StoreError):
    """More than one incident begins with this text."""


@contextmanager
def translated() -> Iterator[None]:
    """Foreign database errors leave as StoreError."""
    try:
        yield
    except IntegrityError as exc:
        reason = str(exc.orig).strip().splitlines()[0]
        if "unique" in reason.lower():
            raise LostRace(f"somebody else recorded first: {reason}") from exc
        raise StoreError(f"the state database refused a row: {reason}") from exc
    except DBAPIError as exc:
        reason = (str(exc.orig).strip() or type(exc.orig).__name__).splitlines()[0]
        raise Unavailable(f"the state database is not available: {reason}") from exc
    except PoolExhausted as exc:
        raise Unavailable("the state database is not available: all connections are in use") from exc
