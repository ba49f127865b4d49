"""One row of the benchmark table: our time beside a named rival's, measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Times in seconds for one unit of ``size``."""

    name: str
    ours_s: float
    rival_s: float
    rival_name: str
    size: str

    @property
    def ratio(self) -> float:
        """How many times faster than the rival."""
        return self.rival_s / self.ours_s
