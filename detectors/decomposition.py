"""What a window of readings teaches: seasons by STL or MSTL, and how far readings usually stray from the forecast.

Everything is learned from the window alone and carried forward, so a judged reading is never inside its own fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from detectors.contract import Bools, Floats
from detectors.rhythm import Rhythm, Slots

_SMOOTHER = 13  # a seasonal smoother below 9 lets an isolated spike become part of the season
_DECIDES = 0.9  # a longer season is used when it makes the usual error at least this much smaller
_STEP_SHARE = 0.6
_MOVING_SHARE = 0.25
_RANGE_SHARE = 0.01
_QUIETEST_SHARE = 0.5
_HOURLY_SHARE = 0.9
_UNSEEN_SHARE = 0.5  # wider while the longest season is not seen: the first weekend must not page
_SIGMAS_AT_Q50, _SIGMAS_AT_Q90 = 0.6745, 1.6449  # where |error| of a normal distribution has these quantiles


class Turn(NamedTuple):
    """When something was learned: before slot ``slot``, for the series that were ``settled`` then, or the others."""

    slot: int
    settled: bool


@dataclass(frozen=True)
class Fit:
    """What was learned at one moment, for S series.

    ``seasons[k][P, S]`` the k-th season by (merged) slot modulo its period, zero where a series has none ·
    ``spread[B, S]`` robust standard deviation of the forecast's error, by part of the first season; zero: never
    varied · ``readings[S]`` how many it was learned from · ``learned[S]`` False: too few.
    """

    seasons: tuple[Floats, ...]
    spread: Floats
    readings: Floats
    learned: Bools

    def where(self, chosen: Bools, other: Fit) -> Fit:
        """This fit for the chosen series ``[S]``, ``other`` for the rest."""
        seasons = tuple(np.where(chosen, mine, its) for mine, its in zip(self.seasons, other.seasons, strict=True))
        return Fit(
            seasons,
            np.where(chosen, self.spread, other.spread),
            np.where(chosen, self.readings, other.readings),
            np.where(chosen, self.learned, other.learned),
        )

    def only(self, series: int) -> Fit:
        column = slice(series, series + 1)
        seasons = tuple(season[:, column] for season in self.seasons)
        return Fit(seasons, self.spread[:, column], self.readings[column], self.learned[column])


@dataclass(frozen=True)
class Levels:
    """Where a deseasonalised series stood before each row: [T, S], NaN where too few readings are near.

    Both count as normal, and so does what lies between them.
    """

    fast: Floats
    slow: Floats

    @property
    def middle(self) -> Floats:
        return (self.fast + self.slow) / 2

    @property
    def slack(self) -> Floats:
        return np.abs(self.fast - self.slow) / 2

    def within(self, reach: Floats) -> Levels:
        """The same with the fast level at most ``reach`` from the slow one."""
        return Levels(np.clip(self.fast, self.slow - reach, self.slow + reach), self.slow)


def nothing_learned(rhythm: Rhythm, series: int) -> Fit:
    seasons = tuple(np.zeros((season.period // rhythm.merge, series)) for season in rhythm.seasons)
    return Fit(seasons, np.zeros((rhythm.parts, series)), np.zeros(series), np.zeros(series, dtype=bool))


def learn(window: Floats, first: int, rhythm: Rhythm, wanted: Bools) -> Fit:
    """Learns the wanted series of ``window[W, S]``, whose row 0 is slot ``first``; NaN = no reading, or masked."""
    blank = nothing_learned(rhythm, window.shape[1])
    readings = np.sum(np.isfinite(window), axis=0).astype(np.float64)
    learned = (readings >= rhythm.needed) & wanted
    chosen = np.flatnonzero(learned)
    if not len(chosen):
        return Fit(blank.seasons, blank.spread, readings, learned)
    centre, size = _magnitude(window[:, chosen])
    seasons, spread = _forecast((window[:, chosen] - centre) / size, first, rhythm)
    for whole, part in zip((*blank.seasons, blank.spread), (*seasons, spread), strict=True):
        whole[:, chosen] = part * size
    return Fit(blank.seasons, blank.spread, readings, learned)


def levels(deseasonalised: Floats, rhythm: Rhythm) -> Levels:
    """The medians of the last ``fast`` and ``slow`` rows before each row."""
    import pandas as pd  # here, because commands that judge nothing must start fast

    frame = pd.DataFrame(deseasonalised)
    enough = max(2, rhythm.fast // 4)
    fast = frame.rolling(rhythm.fast, min_periods=enough).median().shift(1).to_numpy()
    slow = frame.rolling(rhythm.slow, min_periods=enough).median().shift(1).to_numpy()
    fast = np.where(np.isnan(fast), slow, fast)
    return Levels(fast, slow)


def season_at(season: Floats, numbers: Slots, merge: int) -> Floats:
    """A season ``[P, S]`` at these slots, with straight lines between the middles of merged ones: ``[J, S]``."""
    if merge == 1:
        picked: Floats = season[numbers % len(season)]
        return picked
    place = (numbers + 0.5) / merge - 0.5
    left = np.floor(place).astype(np.int64)
    share = (place - left)[:, None]
    joined: Floats = (1 - share) * season[left % len(season)] + share * season[(left + 1) % len(season)]
    return joined


def spread_at(spread: Floats, numbers: Slots, merge: int) -> Floats:
    """The spread ``[B, S]`` at these slots: ``[J, S]``."""
    picked: Floats = spread[(numbers // merge) % len(spread)]
    return picked


def _magnitude(window: Floats) -> tuple[Floats, Floats]:
    """Centre and size of each series, so that 1e15 and 1e-15 are decomposed alike."""
    low, high = np.nanmin(window, axis=0), np.nanmax(window, axis=0)
    return (low + high) / 2, np.where(high > low, high - low, 1.0)


def _forecast(window: Floats, first: int, rhythm: Rhythm) -> tuple[tuple[Floats, ...], Floats]:
    """The seasons that help each series and the spread of the error they leave; no season is always an option."""
    seasons = nothing_learned(rhythm, window.shape[1]).seasons
    spread, usual = _errors(window, seasons, first, rhythm, np.ones(window.shape[1]))
    reach = np.argmax(np.isfinite(window), axis=0)
    coarse = _merged(window, rhythm.merge)
    for count, season in enumerate(rhythm.seasons, start=1):
        span = len(window) - reach
        able = np.flatnonzero(span >= season.needs)
        if not len(able):
            break
        found = _decomposed(coarse[:, able], first // rhythm.merge, reach[able] // rhythm.merge, rhythm, count)
        cycles = span[able] / season.period
        # The fit has seen the readings whose errors are counted here: the forecast errs more by this factor.
        honest = np.sqrt((1 + 1 / cycles) / (1 - 1 / cycles))
        its_spread, its_usual = _errors(window[:, able], found, first, rhythm, honest)
        better = its_usual < _DECIDES * usual[able]
        for whole, part in zip((*seasons, spread), (*found, its_spread), strict=True):
            whole[:, able] = np.where(better, part, whole[:, able])
        usual[able] = np.where(better, its_usual, usual[able])
    longest = rhythm.seasons[-1].needs
    unseen = np.clip(1 - (len(window) - reach) / longest, 0, 1)
    return seasons, (spread + _floor(window)) * (1 + _UNSEEN_SHARE * unseen)


def _decomposed(window: Floats, first: int, reach: Slots, rhythm: Rhythm, count: int) -> tuple[Floats, ...]:
    """The first ``count`` seasons of each series, carried forward from the last cycle; the others are zero."""
    periods = [season.period // rhythm.merge for season in rhythm.seasons]
    found = tuple(np.zeros((period, window.shape[1])) for period in periods)
    filled = _filled(window, periods[0])
    for series in range(window.shape[1]):
        parts = _stl(filled[reach[series] :, series], periods[:count])
        for season, period, part in zip(found, periods, parts, strict=False):
            places = (first + np.arange(len(window) - period, len(window))) % period
            season[places, series] = part[-period:]
    return found


def _stl(values: Floats, periods: list[int]) -> list[Floats]:
    """Robust and nearly periodic (degree 0); jumps keep long periods affordable."""
    from statsmodels.tsa.seasonal import MSTL, STL  # here: it brings all of scipy, about two seconds

    jump = max(1, periods[-1] // 8)
    options = {"seasonal_deg": 0, "robust": True, "trend_jump": jump, "low_pass_jump": jump}
    if len(periods) == 1:
        fit = STL(values, period=periods[0], seasonal=_SMOOTHER, **options).fit(inner_iter=1, outer_iter=2)
        return [fit.seasonal]
    options |= {"inner_iter": 1, "outer_iter": 2}
    fit = MSTL(values, periods=periods, windows=[_SMOOTHER] * len(periods), stl_kwargs=options).fit()
    return list(np.asarray(fit.seasonal).T)


def _merged(window: Floats, merge: int) -> Floats:
    """Means of ``merge`` rows; NaN where none of them has a reading."""
    if merge == 1:
        return window
    blocks = window.reshape(-1, merge, window.shape[1])
    count = np.sum(np.isfinite(blocks), axis=1)
    total = np.nansum(blocks, axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _filled(window: Floats, period: int) -> Floats:
    """Missing readings replaced by that cycle's median + the usual deviation at that place of the cycle."""
    cycles = window[len(window) % period :].reshape(-1, period, window.shape[1])
    import pandas as pd

    middle = pd.DataFrame(_median(cycles, 1)).ffill().bfill().to_numpy()
    usual = np.nan_to_num(_median(cycles - middle[:, None], 0))
    filled = np.where(np.isnan(cycles), middle[:, None] + usual, cycles).reshape(-1, window.shape[1])
    return np.concatenate([np.nan_to_num(window[: len(window) % period]), filled])


def _errors(
    window: Floats, seasons: tuple[Floats, ...], first: int, rhythm: Rhythm, honest: Floats
) -> tuple[Floats, Floats]:
    """Spread of the forecast's error by part of the first season ``[B, S]``, and over all of them ``[S]``."""
    numbers = first + np.arange(len(window))
    deseasonalised = window - sum(season_at(season, numbers, rhythm.merge) for season in seasons)
    error = np.abs(deseasonalised - levels(deseasonalised, rhythm).middle) * honest
    usual = _sigma(error)
    if rhythm.parts == 1:
        return usual[None], usual
    heavier = np.divide(_sigma_of_hours(error, rhythm), usual, out=np.ones_like(usual), where=usual > 0)
    days = error.reshape(-1, rhythm.parts, rhythm.merge, error.shape[1]).swapaxes(1, 2)
    apart = _sigma(days.reshape(-1, rhythm.parts, error.shape[1]))
    near = (np.roll(apart, 1, axis=0) + 2 * apart + np.roll(apart, -1, axis=0)) / 4
    return np.maximum(near, _QUIETEST_SHARE * usual) * np.maximum(heavier, 1), usual


def _floor(window: Floats) -> Floats:
    """Never below a share of the usual step between readings that differ, and of the usual range.

    The step counts in full for a series that mostly stands still, where the errors alone would be nearly zero.
    """
    step = np.abs(np.diff(window, axis=0))
    usual_step = np.nan_to_num(_median(np.where(step > 0, step, np.nan), 0))
    still = np.sum(step == 0, axis=0) / np.maximum(1, np.sum(np.isfinite(step), axis=0))
    wide = np.nan_to_num(_quantile(window, 0.95) - _quantile(window, 0.05))
    floor: Floats = _STEP_SHARE * usual_step * np.minimum(1, _MOVING_SHARE + still) + _RANGE_SHARE * wide
    return floor


def _sigma(error: Floats) -> Floats:
    """A standard deviation from the larger of two quantiles of |error| along axis 0: heavy tails widen it."""
    half, most = _quantile(error, 0.5) / _SIGMAS_AT_Q50, _quantile(error, 0.9) / _SIGMAS_AT_Q90
    return np.nan_to_num(np.maximum(half, most))


def _sigma_of_hours(error: Floats, rhythm: Rhythm) -> Floats:
    """A standard deviation from the worst errors of each hour: minutes would page every hour by a rule per reading."""
    size = max(1, rhythm.fast // 24)
    hours = np.fmax.reduce(error[len(error) % size :].reshape(-1, size, error.shape[1]), axis=1)
    one_of_many = _HOURLY_SHARE ** (1 / size)
    return np.nan_to_num(_quantile(hours, _HOURLY_SHARE) / NormalDist().inv_cdf((1 + one_of_many) / 2))


def _median(values: Floats, axis: int) -> Floats:
    return _quantile(np.moveaxis(values, axis, 0), 0.5)


def _quantile(values: Floats, share: float) -> Floats:
    """Along axis 0, NaN ignored; NaN where there is nothing. (np.nanquantile is slow, and warns of empty columns.)"""
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.sum(np.isfinite(values), axis=0)
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below = np.take_along_axis(ordered, low[None], axis=0)[0]
    above = np.take_along_axis(ordered, high[None], axis=0)[0]
    found: Floats = below + (place - low) * (above - below)
    return found
