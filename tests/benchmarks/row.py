"""One line of ``make bench``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Our time and that of a named rival, in seconds, in the same run on the same input (None: it is not installed)."""

    name: str
    ours_s: float
    rival_s: float | None
    rival_name: str
    size: str

    @property
    def ratio(self) -> float | None:
        """How many times faster we are."""
        return None if self.rival_s is None else self.rival_s / self.ours_s
