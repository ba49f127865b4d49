"""How often a distance as large as this one comes: rates per week, learned from a series' own history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools, Floats
from detectors.seasonal.recipe import Recipe

LEVELS: Floats = np.exp(np.linspace(np.log(0.25), np.log(1e6), 128))
_STEP = float(np.log(LEVELS[1] / LEVELS[0]))
_START_RATE = 2.0
_NEVER = 1e-300


@dataclass(frozen=True)
class Blocks:
    """Stretches of ``rows`` buckets, an hour at least, whose maxima are counted; ``hold`` of them make a page old."""

    rows: int
    per_week: float
    hold: int


@dataclass
class Rarity:
    """How often one statistic reached each level: block maxima ``[L + 1, S]``, and stretches of them (``onsets``).

    ``weeks[S]`` of observation, forgotten with a half-life · ``last[1, S]`` the latest block's maximum.
    """

    maxima: Floats
    onsets: Floats
    weeks: Floats
    last: Floats

    @classmethod
    def none(cls, series: int) -> Rarity:
        grid = (len(LEVELS) + 1, series)
        return cls(np.zeros(grid), np.zeros(grid), np.zeros(series), np.zeros((1, series)))

    def learn(self, maxima: Floats, known: Bools, blocks: Blocks, recipe: Recipe) -> None:
        """Takes in the maxima ``[B, S]`` of whole blocks; zero where nothing was known."""
        kept = _kept(len(maxima), blocks, recipe)
        everything = np.concatenate([self.last, maxima])
        levels, rising = _levels(everything), maxima > everything[:-1]
        self.maxima = self.maxima * kept + _counted(levels[1:])
        self.onsets = self.onsets * kept + _counted(levels[1:], rising) - _counted(levels[:-1], rising)
        self.weeks = self.weeks * kept + known.sum(axis=0) / blocks.per_week
        self.last = everything[-1:]

    def rates(self, blocks: Blocks, recipe: Recipe) -> Floats:
        """log10 of how often a week each level is reached, ``[L, S]``: counted, with a Pareto tail, and a start.

        Above the level that ``recipe.top`` of the blocks reach, neighbouring blocks are one event (not where a block
        is a day). The tail's exponent is Hill's estimate, shrunk.
        """
        reached = _at_or_above(self.maxima)
        first = (reached > recipe.top * np.maximum(self.weeks * blocks.per_week, 1e-9)).sum(axis=0)
        first = np.minimum(first, len(LEVELS) - 1)
        counted = reached if blocks.per_week <= 7 else _merged(reached, _at_or_above(self.onsets), first)
        learned = recipe.tail_share * _tail(counted, first, recipe) + (1.0 - recipe.tail_share) * counted
        start = np.minimum(_START_RATE * (LEVELS / recipe.start_distance) ** -recipe.tail_exponent, blocks.per_week)
        worth = 0.5 ** (self.weeks / max(4.0, 56.0 / blocks.per_week))
        rates = (worth * start[:, None] + learned) / (worth + self.weeks)
        found: Floats = np.log10(np.clip(rates, _NEVER, blocks.per_week))
        return found


@dataclass
class Pages:
    """How often all statistics together reached each level after ``hold`` blocks below it: what would have been told.

    ``onsets[L + 1, S]`` · ``weeks[S]`` · ``last[hold, S]`` block maxima.
    """

    onsets: Floats
    weeks: Floats
    last: Floats

    @classmethod
    def none(cls, series: int, hold: int) -> Pages:
        return cls(np.zeros((len(LEVELS) + 1, series)), np.zeros(series), np.zeros((hold, series)))

    def learn(self, surprise: Floats, known: Bools, blocks: Blocks, recipe: Recipe) -> None:
        """Takes in the block maxima ``[B, S]`` of the surprise; −inf where nothing was known."""
        kept = _kept(len(surprise), blocks, recipe)
        everything = np.concatenate([self.last, _distance(surprise, recipe)])
        self.onsets = self.onsets * kept + _risen(everything[len(self.last) :], _highest(everything, len(self.last)))
        self.weeks = self.weeks * kept + known.sum(axis=0) / blocks.per_week
        self.last = everything[len(everything) - len(self.last) :]

    def correction(self, blocks: Blocks, recipe: Recipe) -> Floats:
        """The surprise above which one page a week was counted, ``[S]``, within limits: 0 where it is as promised.

        ``recipe.calibration_weight`` weeks in which all came as promised are added, and the limits keep the incidents
        of a series from teaching that they are normal.
        """
        counted = np.maximum.accumulate(np.maximum(_at_or_above(self.onsets), 0.0)[::-1], axis=0)[::-1]
        promised, start = _as_surprise(LEVELS, recipe), recipe.calibration_weight
        quiet = blocks.hold / blocks.per_week
        events = 10.0**-promised
        pages = counted + start * (events * np.exp(-np.minimum(events * quiet, 1.0)))[:, None]
        wanted = np.exp(-recipe.quiet_before * quiet) * (self.weeks + start)
        over = np.log10(np.maximum(pages, 1e-9)) - np.log10(wanted)
        above = np.clip((over >= 0).sum(axis=0), 1, len(LEVELS) - 1)
        column = np.arange(len(self.weeks))
        high, low = over[above - 1, column], over[above, column]
        part = np.divide(high, high - low, out=np.zeros_like(high), where=high > low)
        counted_at = promised[above - 1] + part * (promised[above] - promised[above - 1])
        found: Floats = np.clip(counted_at, -recipe.louder, recipe.quieter)
        return found


def corrected(surprise: Floats, correction: Floats, recipe: Recipe) -> Floats:
    """The surprise ``[..., S]`` after the correction by counted pages ``[S]``: monotone, and exact at one a week.

    A correction that makes louder fades towards ``recipe.louder_until``: no pages were counted at such rates.
    """
    loud, fade = np.maximum(-correction, 0.0), recipe.louder_until
    faded = (surprise + loud) * fade / (fade + loud)
    louder = np.where(surprise <= -loud, surprise + loud, np.maximum(faded, surprise))
    return np.where(correction < 0, louder, surprise - correction)


def uncorrected(wanted: Floats, correction: Floats, recipe: Recipe) -> Floats:
    """The surprise that becomes ``wanted``: the inverse of ``corrected``."""
    loud, fade = np.maximum(-correction, 0.0), recipe.louder_until
    faded = wanted * (fade + loud) / fade - loud
    before = np.where(wanted <= 0, wanted - loud, np.minimum(faded, wanted))
    return np.where(correction < 0, before, wanted + correction)


def surprise(distances: Floats, rates: Floats) -> Floats:
    """−log10 of the rate per week at which such distances come, ``[R, S]``, between the levels by interpolation."""
    place = _place(distances)
    below = np.clip(np.floor(place), 0, len(LEVELS) - 2).astype(np.intp)
    column = np.arange(distances.shape[1])
    low, high = rates[below, column], rates[below + 1, column]
    found: Floats = -(low + (high - low) * (place - below))
    return found


def distance_of(surprise: Floats, rates: Floats) -> Floats:
    """The smallest distance with this surprise, ``[S]``: the inverse of ``surprise``."""
    wanted = -surprise
    above = np.minimum((rates > wanted).sum(axis=0), len(LEVELS) - 1)
    below = np.clip(above - 1, 0, len(LEVELS) - 2)
    column = np.arange(rates.shape[1])
    low, high = rates[below, column], rates[below + 1, column]
    part = np.divide(wanted - low, high - low, out=np.zeros_like(low), where=high < low)
    # 700: beyond that a distance is no number any more.
    found: Floats = LEVELS[0] * np.exp(np.minimum(_STEP * (below + part), 700.0))
    return found


def _place(distances: Floats) -> Floats:
    place: Floats = np.log(np.maximum(distances, 1e-9) / LEVELS[0]) / _STEP
    return place


def _distance(surprise: Floats, recipe: Recipe) -> Floats:
    """The distance that a series without history would have at this surprise: so levels serve for both."""
    exponent = (np.maximum(surprise, -5.0) + np.log10(_START_RATE)) / recipe.tail_exponent
    found: Floats = recipe.start_distance * 10.0**exponent
    return np.where(surprise == -np.inf, 0.0, found)


def _as_surprise(distances: Floats, recipe: Recipe) -> Floats:
    found: Floats = recipe.tail_exponent * np.log10(distances / recipe.start_distance) - np.log10(_START_RATE)
    return found


def _kept(blocks_seen: int, blocks: Blocks, recipe: Recipe) -> float:
    return float(0.5 ** (blocks_seen / (recipe.memory_weeks * blocks.per_week)))


def _levels(distances: Floats) -> NDArray[np.intp]:
    """How many levels each distance reaches."""
    found: NDArray[np.intp] = np.clip(np.floor(_place(distances) + 1e-9) + 1, 0, len(LEVELS)).astype(np.intp)
    return found


def _counted(levels: NDArray[np.intp], which: Bools | None = None) -> Floats:
    """How often each level stands in each column, ``[L + 1, S]``; of those that ``which`` names."""
    series = levels.shape[1]
    flat = levels * series + np.arange(series)
    places = flat.ravel() if which is None else flat[which]
    shape = (len(LEVELS) + 1, series)
    return np.bincount(places, minlength=shape[0] * series).reshape(shape).astype(np.float64)


def _risen(now: Floats, before: Floats) -> Floats:
    rising = now > before
    return _counted(_levels(now), rising) - _counted(_levels(before), rising)


def _at_or_above(histogram: Floats) -> Floats:
    found: Floats = np.cumsum(histogram[::-1], axis=0)[::-1][1:]
    return found


def _highest(rows: Floats, width: int) -> Floats:
    """For each row after the first ``width``: the highest of the ``width`` rows before it."""
    found: Floats = np.lib.stride_tricks.sliding_window_view(rows[:-1], width, axis=0).max(axis=-1)
    return found


def _merged(reached: Floats, onsets: Floats, first: NDArray[np.intp]) -> Floats:
    column = np.arange(reached.shape[1])
    onsets = np.maximum(np.maximum.accumulate(onsets[::-1], axis=0)[::-1], 0.0)
    body = onsets[first, column] + reached - reached[first, column]
    return np.where(np.arange(len(LEVELS))[:, None] < first, body, onsets)


def _tail(counted: Floats, first: NDArray[np.intp], recipe: Recipe) -> Floats:
    column = np.arange(counted.shape[1])
    count = counted[first, column]
    # The integral of a Pareto tail over log levels is count / exponent.
    is_body = np.arange(len(LEVELS))[:, None] < first
    integral = np.where(is_body, 0.0, counted).sum(axis=0) * _STEP
    exponent = (count + recipe.tail_weight) / (integral + recipe.tail_weight / recipe.tail_exponent)
    # A power of a quotient of levels: exp is much faster than **, and the levels are even in their logarithm.
    tail = count * np.exp(-exponent * (_STEP * (np.arange(len(LEVELS))[:, None] - first)))
    return np.where(is_body, counted, tail)
