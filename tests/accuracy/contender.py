"""Who takes part: a detector of ours or a rival, as a value that can be sent to another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tests.accuracy.labelled import Series
from tests.accuracy.outcome import Outcome


class NotAvailable(RuntimeError):
    """A rival cannot take part here; the message says why."""


class Contender(Protocol):
    """Judges a series at one setting for all. ``most`` limits it to the first so many series of a collection."""

    @property
    def name(self) -> str: ...

    @property
    def about(self) -> str:
        """One line for the report: the method, its setting, its threshold."""
        ...

    @property
    def most(self) -> Mapping[str, int]: ...

    def judge(self, series: Series) -> Outcome:
        """Causal: what it says of a reading depends on the readings up to it. Raises NotAvailable."""
        ...

    def digest(self) -> str:
        """Changes when its answers may change: code, setting, versions of libraries."""
        ...
