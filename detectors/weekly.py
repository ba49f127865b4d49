"""Levels of weeks: how far the last seven days are from those some weeks ago, and how far that usually is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import Bucket
from detectors.contract import Floats, Panel

_TRIMMED = 2
_LEAST_DAYS = 5
_CLIP = 2.5
_GAUSSIAN = 1.2533  # standard deviation ÷ mean distance of normal errors
_LEVEL_PER_DAY = 0.46  # mean distance of the middle three of seven ÷ that of single days from it, for normal errors
_ROUNDING = 1e-9
_SIMILAR = 0.8


@dataclass(frozen=True)
class Pace:
    """In steps of a day (of a bucket, where that is longer).

    ``width`` of a level · ``lag`` to the one it is compared with · ``gap`` between the newest difference and the past
    ones, of which ``past`` count at most, and ``needed`` at least.
    """

    width: int
    lag: int
    gap: int
    past: int
    needed: int

    @classmethod
    def of(cls, bucket: str, weeks: int) -> Pace:
        if bucket == "1mo":
            return cls(1, max(1, round(weeks * 7 / 30)), 1, 24, 8)
        if bucket == "1w":
            return cls(1, weeks, 2, 52, 13)
        return cls(7, 7 * weeks, 14, 182, 42)

    @property
    def steps(self) -> int:
        """How many steps before the judged one matter."""
        return self.width + self.lag + self.gap + self.past

    def history(self, bucket: Bucket) -> np.timedelta64:
        step = max(bucket.longest, timedelta(days=1, hours=1))
        return np.timedelta64((self.steps + 2) * step, "us")


@dataclass(frozen=True)
class Shifts:
    """Per judged bucket and series, ``[J, S]``, in the metric's unit; NaN where not known.

    ``level`` of the newest week · ``shift`` from the level before · ``usual`` standard deviation of such shifts in the
    past (0: it never varied) · ``noise`` what it would be, were days independent · ``known`` past shifts of ``needed``.
    """

    level: Floats
    shift: Floats
    usual: Floats
    noise: Floats
    known: NDArray[np.int64]
    needed: int


def shifts(panel: Panel, weeks: int, rows: slice) -> Shifts:
    """For each bucket of ``rows`` what was known of the level when it ended (sub-daily: when its day began)."""
    pace = Pace.of(panel.bucket, weeks)
    days, counts, steps = _days(panel)
    step = steps[rows]
    begin = max(int(step[0]) - pace.steps, 0) if len(step) else 0
    days, counts = days[begin:], counts[begin:]
    difference = _differences(days, counts, pace.lag)
    shift = _trimmed(difference, pace.width)
    judged, place = np.unique(step, return_inverse=True)
    usual, noise, known = (part[place] for part in _pasts(shift, difference, judged - begin, pace))
    at, began = np.maximum(step - begin, 0), (step >= 0)[:, None]
    level = np.where(began, _trimmed(days, pace.width)[at], np.nan)
    here = np.where(began, shift[at], np.nan)
    tiny = _ROUNDING * np.abs(level)
    usual = np.where(known >= pace.needed, np.maximum(usual, noise), np.nan)
    return Shifts(
        level=level,
        shift=np.where(np.abs(here) <= tiny, 0.0, here),
        usual=np.where(usual <= tiny, 0.0, usual),
        noise=noise,
        known=known.astype(np.int64),
        needed=pace.needed,
    )


def _days(panel: Panel) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Mean and number of readings of each step ``[D, S]``, and which step is the newest complete one of each bucket.

    Readings that are masked or under an event do not count.
    """
    excluded = ~np.isfinite(panel.values)
    if panel.masked is not None:
        excluded |= panel.masked
    for event in panel.events:
        if event.effect != "annotate":
            excluded |= event.active[:, None]
    if Bucket.parse(panel.bucket).is_calendar or not len(panel.times):
        values = np.where(excluded, np.nan, panel.values)
        return values, (~excluded).astype(np.float64), np.arange(len(panel.times))
    midnights = Bucket.parse("1d").floor(panel.times, panel.timezone)
    starts = np.flatnonzero(np.concatenate([[True], midnights[1:] != midnights[:-1]]))
    counts = np.add.reduceat(~excluded, starts, axis=0, dtype=np.float64)
    sums = np.add.reduceat(np.where(excluded, 0.0, panel.values), starts, axis=0)
    newest = np.searchsorted(starts, np.arange(len(panel.times)), side="right") - 2
    return sums / np.where(counts > 0, counts, np.nan), counts, newest


def _differences(days: Floats, counts: Floats, lag: int) -> Floats:
    """Each day less the one ``lag`` before; NaN where one of them has a fifth fewer readings than the other."""
    found = np.full(days.shape, np.nan)
    if len(days) > lag:
        now, then = counts[lag:], counts[:-lag]
        similar = np.minimum(now, then) >= _SIMILAR * np.maximum(now, then)
        found[lag:] = np.where(similar, days[lag:] - days[:-lag], np.nan)
    return found


def _trimmed(difference: Floats, width: int) -> Floats:
    """Mean of the last ``width`` without the two highest and the two lowest; NaN where fewer than five are known."""
    if width == 1 or len(difference) < width:
        return difference if width == 1 else np.full(difference.shape, np.nan)
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(difference, width, axis=0), axis=2)
    number = np.isfinite(ordered).sum(axis=2)
    kept = np.arange(width) < number[:, :, None] - _TRIMMED
    kept[:, :, :_TRIMMED] = False
    total = np.where(kept, ordered, 0.0).sum(axis=2)
    found = np.full(difference.shape, np.nan)
    enough = number >= _LEAST_DAYS
    found[width - 1 :] = np.where(enough, total / np.where(enough, number - 2 * _TRIMMED, 1), np.nan)
    return found


def _pasts(shift: Floats, difference: Floats, judged: NDArray[np.int64], pace: Pace) -> tuple[Floats, Floats, Floats]:
    """For each judged step: standard deviation of the past shifts, what their days' scatter says, their number."""
    shape = (len(judged), shift.shape[1])
    usual, noise, known = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    sizes, scatter = np.abs(shift), np.abs(difference - shift)
    for row, step in enumerate(judged.tolist()):
        window = slice(max(step - pace.gap - pace.past + 1, 0), max(step - pace.gap + 1, 0))
        known[row] = np.isfinite(sizes[window]).sum(axis=0)
        usual[row] = _GAUSSIAN * _clipped_mean(sizes[window])
        if pace.width > 1:
            noise[row] = _GAUSSIAN * _LEVEL_PER_DAY * _clipped_mean(scatter[window])
    return usual, noise, known


def _clipped_mean(sizes: Floats) -> Floats:
    """Mean of sizes ≥ 0, each at most 2.5 times the plain mean: an earlier drift does not excuse the next."""
    plain = _mean(sizes)
    return _mean(np.where(sizes > _CLIP * plain, _CLIP * plain, sizes))


def _mean(sizes: Floats) -> Floats:
    there = np.isfinite(sizes)
    number = np.maximum(there.sum(axis=0), 1)
    mean: Floats = np.where(there, sizes / number, 0.0).sum(axis=0)
    return mean
