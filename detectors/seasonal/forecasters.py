"""Forecasts of the next reading: a profile (seasons) and a level, each with its own usual error. Series last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.seasonal.calendar import Places
from detectors.seasonal.recipe import Recipe
from detectors.seasonal.running import Mean, Scale, filled, ninth, weight

SLOW_WINDOW = 9


@dataclass(frozen=True)
class Pace:
    """What the half-lives are at this bucket width: weights of the newest reading, and what a row later remains."""

    fast: float
    slow: float
    local: float
    keep: float

    @classmethod
    def at(cls, width_s: float, recipe: Recipe) -> Pace:
        scale = max(recipe.scale_s / width_s, recipe.scale_readings)
        return cls(
            fast=weight(recipe.fast_s / width_s),
            slow=weight(max(recipe.slow_s / width_s, recipe.slow_readings)),
            local=weight(recipe.local_readings),
            keep=float(2.0 ** (-1.0 / scale)),
        )


@dataclass(frozen=True)
class Rows:
    """One block: ``values[R, S]`` on the scale of distances, NaN = no reading; ``training`` is what may teach."""

    values: Floats
    training: Bools
    changed: Bools
    """Where the reading differs from the one before: only such steps say how large a step usually is."""


@dataclass(frozen=True)
class Season:
    """What a profile says of a block, ``[R, S]``: its value, whether it was ever seen, and the range of the bins
    beside it (``below`` ≤ 0 ≤ ``above``)."""

    value: Floats
    seen: Bools
    below: Floats
    above: Floats


@dataclass(frozen=True)
class Forecast:
    """One forecaster's word on a block, ``[R, S]``: its level, where its season was ``seen``, and how far readings lie
    outside what it expects. ``spread[S]`` is what that is measured in: the size of its usual error, no less than the
    floor. ``usual[S]`` is that size itself (inf: it has not been seen often enough)."""

    level: Floats
    seen: Bools
    excess: Floats
    spread: Floats
    usual: Floats
    is_slow: bool


@dataclass
class Lags:
    """Autoregression of deviations from a level: ``products[K, K, S]``, ``targets[K, S]``, the ``last[K, S]``."""

    products: Floats
    targets: Floats
    last: Floats
    size: Mean

    @classmethod
    def none(cls, series: int, lags: int) -> Lags:
        return cls(
            np.zeros((lags, lags, series)), np.zeros((lags, series)), np.zeros((lags, series)), Mean.none(series)
        )

    def follow(self, deviations: Floats, training: Bools, keep: float, clip: float) -> Floats:
        """What the readings before each row say of its deviation from the slow level; takes in the rows."""
        lags, rows = len(self.last), len(deviations)
        limit = np.nan_to_num(clip * 1.25 * self.size.value, nan=np.inf)
        line = np.clip(np.concatenate([self.last, np.nan_to_num(deviations)]), -limit, limit)
        earlier = np.stack([line[lags - 1 - k : lags - 1 - k + rows] for k in range(lags)])
        trace = np.einsum("kks->s", self.products)
        ridge = np.eye(lags)[:, :, None] * (1e-3 * trace / lags + np.where(trace > 0, 0.0, 1.0))
        matrices = np.moveaxis(self.products + ridge, 2, 0)
        factors = np.linalg.solve(matrices, np.moveaxis(self.targets, 1, 0)[..., None])[..., 0]
        told: Floats = np.einsum("krs,sk->rs", earlier, factors)
        kept, taught = keep**rows, earlier * training
        self.products = self.products * kept + np.einsum("irs,jrs->ijs", taught, earlier)
        self.targets = self.targets * kept + np.einsum("irs,rs->is", taught, line[lags:])
        self.size.take(np.abs(line[lags:]), training, keep)
        self.last = line[len(line) - lags :]
        return told


@dataclass
class Leveled:
    """One profile with its levels and their usual errors. ``bins`` and ``cycles`` (how often seen) ``[B, S]``.

    ``recent[8, S]`` are the last readings without season, ``step`` their usual change from one to the next.
    """

    bins: Floats
    cycles: Floats
    recent: Floats
    fast: Mean
    slow: Mean
    lags: Lags
    fast_error: Scale
    slow_error: Scale
    lag_error: Scale
    step: Scale

    @classmethod
    def none(cls, series: int, bins: int, lags: int) -> Leveled:
        grid = (bins, series)
        recent = np.full((SLOW_WINDOW - 1, series), np.nan)
        scales = [Scale.none(series) for _ in range(4)]
        return cls(
            np.zeros(grid),
            np.zeros(grid),
            recent,
            Mean.none(series),
            Mean.none(series),
            Lags.none(series, lags),
            *scales,
        )

    def season(self, bins: Places, base: Floats, tolerant: bool) -> Season:
        """The profile over the rows of a block, on top of ``base``."""
        if not len(self.bins):
            return Season(base, np.ones(base.shape, dtype=bool), np.zeros(base.shape), np.zeros(base.shape))
        here, seen = self.bins[bins], self.cycles[bins] > 0
        below = above = np.zeros(here.shape)
        if tolerant:
            sides = (bins - 1) % len(self.bins), (bins + 1) % len(self.bins)
            beside = np.stack([np.where(self.cycles[side] > 0, self.bins[side], here) for side in sides]) - here
            beside = np.where((self.cycles[sides[0]] > 0) & (self.cycles[sides[1]] > 0), beside, 0.0)
            below, above = np.minimum(beside.min(axis=0), 0.0), np.maximum(beside.max(axis=0), 0.0)
        return Season(base + here, seen, below, above)

    def forecasts(
        self, rows: Rows, season: Season, raw_floor: Floats, pace: Pace, recipe: Recipe
    ) -> tuple[list[Forecast], Floats]:
        """What the levels and the lags say of a block, and its smoothed rows; takes in what teaches."""
        bare = rows.values - season.value
        known = rows.training & season.seen
        carried = filled(np.where(known, bare, np.nan), self.recent)
        smooth, last = ninth(carried), carried[len(self.recent) :]
        floor = np.maximum(self._step(carried, rows.changed & known, season, pace, recipe), raw_floor)
        ripe = self.slow_error.errors >= recipe.least_readings
        fast = self.fast.follow(bare, known, pace.fast)
        slow = self.slow.follow(smooth, known & np.isfinite(smooth), pace.slow)
        levels = [(self.fast_error, fast), (self.slow_error, slow)]
        if recipe.lags:
            told = self.lags.follow(last - slow, known, pace.keep, recipe.scale_clip)
            levels.append((self.lag_error, np.where(ripe, slow + told, np.nan)))
        self.recent = carried[len(carried) - len(self.recent) :]
        found = []
        for usual, level in levels:
            excess = _outside(np.where(season.seen, bare - level, np.nan), season)
            # The slow level without season is what is left when nothing else is known yet.
            least = 1 if usual is self.slow_error and not len(self.bins) else recipe.least_readings
            size = np.where(usual.errors >= least, np.nan_to_num(usual.value), np.inf)
            spread = np.maximum(size, floor)
            usual.learn(np.where(rows.training, excess, np.nan), recipe.scale_clip, pace.keep)
            found.append(Forecast(level, season.seen, excess, spread, size, usual is self.slow_error))
        return found, smooth

    def _step(self, carried: Floats, changed: Bools, season: Season, pace: Pace, recipe: Recipe) -> Floats:
        """The floor that the usual step makes, before this block."""
        floor = recipe.floor / 1.25 * np.nan_to_num(self.step.value)
        steps = np.diff(carried[len(self.recent) - 1 :], axis=0)
        self.step.learn(np.where(changed, steps, np.nan), recipe.scale_clip, pace.keep)
        return floor

    def teach(self, residual: Floats, bins: Places, usual: Floats, recipe: Recipe) -> None:
        """Moves the bins of a block towards the mean residual ``[R, S]`` of their readings (NaN: none)."""
        limit = np.where(self.cycles[bins] >= 2, np.nan_to_num(recipe.profile_clip * usual, nan=np.inf), np.inf)
        present = np.isfinite(residual)
        moved = np.where(present, np.clip(np.nan_to_num(residual), -limit, limit), 0.0)
        begins = np.flatnonzero(np.concatenate([[True], np.diff(bins) != 0]))
        count = np.add.reduceat(present.astype(np.float64), begins, axis=0)
        mean = np.add.reduceat(moved, begins, axis=0) / np.maximum(count, 1.0)
        # An hour that the clock repeats visits its bins twice, so a place may stand here more than once.
        for places, rows in _visits(bins[begins]):
            here = count[rows] > 0
            self.cycles[places] += here
            pace = np.maximum(weight(recipe.profile_cycles), 1.0 / np.maximum(self.cycles[places], 1.0))
            self.bins[places] += np.where(here, pace * mean[rows], 0.0)


def _outside(error: Floats, season: Season) -> Floats:
    return np.where(error > 0, np.maximum(error - season.above, 0.0), np.minimum(error - season.below, 0.0))


def _visits(places: Places) -> list[tuple[Places, Places]]:
    """The places with their rows, in rounds that visit no place twice."""
    rows = np.arange(len(places))
    first = np.zeros(len(places), dtype=bool)
    first[np.unique(places, return_index=True)[1]] = True
    rounds = [(places[first], rows[first])]
    return rounds if first.all() else [*rounds, (places[~first], rows[~first])]
