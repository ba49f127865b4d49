"""Runs of equal readings, and of none, that are longer than this series ever had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats

FLAT = (6, 4.0)
GAP = (3, 3.0)
LEAST_CHANGES = 40


@dataclass
class Runs:
    """``length[S]`` of the run that is going on, ``longest[S]`` that ended before (it fades), and how many ended."""

    length: Floats
    longest: Floats
    ended: Floats

    @classmethod
    def none(cls, series: int) -> Runs:
        return cls(np.zeros(series), np.zeros(series), np.zeros(series))

    def follow(self, going_on: Bools, counts: Bools, kept: float) -> tuple[Floats, Floats]:
        """The length of the run at each row of a block, and of the longest before it; takes in the rows.

        ``going_on[R, S]``: this row belongs to a run with the one before. ``counts``: other rows are passed over.
        """
        rows = np.arange(1, len(going_on) + 1)[:, None]
        breaks = counts & ~going_on
        last = np.maximum.accumulate(np.where(breaks, rows, 0), axis=0)
        passed = np.cumsum(counts, axis=0)
        at_break = np.where(last > 0, np.take_along_axis(passed, np.maximum(last - 1, 0), axis=0), 0)
        length = np.where(last > 0, passed - at_break, self.length + passed)
        before = np.concatenate([self.length[None], length[:-1]])
        ended = np.where(breaks, before, 0.0)
        longest = np.maximum(np.maximum.accumulate(ended, axis=0), self.longest)
        known = np.concatenate([self.longest[None], longest[:-1]])
        self.length = length[-1]
        self.longest = longest[-1] * kept
        self.ended = self.ended + breaks.sum(axis=0)
        return length, known
