"""What callers use: ``stl``, ``mstl``, ``tail`` and ``strengths``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Unpack

import numpy as np

from detectors.contract import Floats
from detectors.stl.engine import Parts, Sequel, decomposed, last_rows
from detectors.stl.recipe import Choices, Options

_ROUNDING = 1e-12  # of the largest value: what varies less is the arithmetic, not the series


@dataclass(frozen=True)
class Decomposition:
    """Values = trend + seasons + residual, for T values of S series.

    ``trend[T, S]`` · ``seasons[period][T, S]`` · ``residual[T, S]``, NaN where there was no reading · ``weights[T, S]``
    of the last fit: 1 fully used, 0 not at all (a missing reading, or one that a robust fit takes for an outlier).
    A series without any reading is NaN throughout; else trend and seasons are finite also where readings are missing.
    """

    trend: Floats
    seasons: Mapping[int, Floats]
    residual: Floats
    weights: Floats

    @property
    def fitted(self) -> Floats:
        """Trend and all seasons."""
        return self.trend + sum(self.seasons.values())


def stl(
    values: Floats,
    period: int,
    *,
    seasonal: int = 7,
    **options: Unpack[Options],
) -> Decomposition:
    """Each column of ``values[T, S]`` decomposed as by ``statsmodels.tsa.seasonal.STL(…).fit(…)``.

    NaN is no reading: it weighs nothing. A stretch without any reading in reach of its smoother falls back to the
    straight line between its neighbours. ``seasonal`` is the window of the seasonal smoother; ``Options`` has the rest.

    Raises ValueError naming what is needed: fewer than two periods of values, a window that does not fit.

    Source: Cleveland, Cleveland, McRae, Terpenning (1990), Journal of Official Statistics 6, 3–73.

    >>> hours = np.arange(24 * 7)
    >>> orders = 100 + hours / 24 + 10 * np.sin(2 * np.pi * hours / 24)
    >>> parts = stl(orders[:, None], 24, seasonal=13)
    >>> bool(np.abs(parts.residual).max() < 1e-6), float(parts.trend[84, 0].round(3))
    (True, 103.5)
    """
    panel = _panel(values)
    sequel = Sequel((Choices(**options).recipe(len(panel), period, seasonal),), rounds=1)
    return _decomposition(panel, sequel, decomposed(panel, sequel))


def mstl(
    values: Floats,
    periods: Sequence[int],
    windows: Sequence[int] | None = None,
    *,
    iterate: int = 2,
    **options: Unpack[Options],
) -> Decomposition:
    """Each column of ``values[T, S]`` decomposed as by ``statsmodels.tsa.seasonal.MSTL(…).fit()``, lambda None.

    ``windows`` are the seasonal windows of the periods, by default 11 for the shortest, 15 for the next, and so on.
    ``options`` hold for every period. A period that is not shorter than half the series raises ValueError (statsmodels
    warns and drops it).

    Source: Bandara, Hyndman, Bergmeir (2021), arXiv 2107.13462.
    """
    panel = _panel(values)
    sequel = _sequel(len(panel), periods, windows, iterate, Choices(**options))
    return _decomposition(panel, sequel, decomposed(panel, sequel))


def tail(
    values: Floats,
    period: int | Sequence[int],
    *,
    last: int,
    seasonal: int | Sequence[int] | None = None,
    iterate: int = 2,
    **options: Unpack[Options],
) -> Decomposition:
    """The ``last`` rows of ``stl`` (one period) or ``mstl`` (several; ``seasonal`` are their windows).

    Without robustness and missing readings only those rows are computed, by one small matrix that is kept.
    """
    panel = _panel(values)
    if not 1 <= last <= len(panel):
        raise ValueError(f"last must be between 1 and the {len(panel)} values, not {last}")
    if isinstance(period, int):
        window = 7 if seasonal is None else seasonal
        if not isinstance(window, int):
            raise ValueError(f"one period takes one seasonal window, not {list(window)}")
        sequel = Sequel((Choices(**options).recipe(len(panel), period, window),), rounds=1)
    else:
        windows = (seasonal,) if isinstance(seasonal, int) else seasonal
        sequel = _sequel(len(panel), period, windows, iterate, Choices(**options))
    return _decomposition(panel[-last:], sequel, last_rows(panel, sequel, last))


def strengths(decomposition: Decomposition) -> dict[int, Floats]:
    """How much of what is left without the trend each season explains: period → ``[S]`` from 0 (nothing) to 1 (all).

    Only buckets with a reading count. 0 for a series that never varies, NaN for one without any reading.

    Source: Wang, Smith, Hyndman (2006), Data Mining and Knowledge Discovery 13, 335–364:
    max(0, 1 − var(residual) ÷ var(season + residual)).
    """
    is_read = np.isfinite(decomposition.residual)
    noise = _variance(decomposition.residual, is_read)
    seen = np.where(is_read, decomposition.fitted + decomposition.residual, 0.0)
    rounding = (_ROUNDING * np.max(np.abs(seen), axis=0, initial=0.0)) ** 2
    found: dict[int, Floats] = {}
    for period, season in decomposition.seasons.items():
        whole = _variance(season + decomposition.residual, is_read)
        varies = whole > rounding
        share = np.where(varies, np.clip(1 - noise / np.where(varies, whole, 1.0), 0.0, 1.0), 0.0)
        found[period] = np.where(is_read.any(axis=0), share, np.nan)
    return found


def _panel(values: Floats) -> Floats:
    if values.ndim != 2:
        raise ValueError(f"values must have shape [T, S], not {values.shape}")
    return np.asarray(values, dtype=np.float64)


def _sequel(
    length: int, periods: Sequence[int], windows: Sequence[int] | None, iterate: int, choices: Choices
) -> Sequel:
    if not periods or len(set(periods)) != len(periods):
        raise ValueError(f"periods must be given and differ, not {list(periods)}")
    if windows is None:
        windows, periods = tuple(11 + 4 * place for place in range(len(periods))), sorted(periods)
    if len(windows) != len(periods):
        raise ValueError(f"{len(periods)} periods need as many windows, not {len(windows)}")
    if iterate < 1:
        raise ValueError(f"iterate must be at least 1, not {iterate}")
    if length <= 2 * max(periods):
        raise ValueError(f"period {max(periods)} needs more than {2 * max(periods)} values, there are {length}")
    pairs = sorted(zip(periods, windows, strict=True))
    recipes = tuple(choices.recipe(length, period, window) for period, window in pairs)
    return Sequel(recipes, rounds=iterate if len(recipes) > 1 else 1)


def _decomposition(values: Floats, sequel: Sequel, parts: Parts) -> Decomposition:
    seasons = {recipe.period: parts.stack[number] for number, recipe in enumerate(sequel.recipes, start=1)}
    residual = np.where(np.isfinite(values), values, np.nan) - parts.stack[0]
    for season in seasons.values():
        residual -= season
    return Decomposition(parts.stack[0], MappingProxyType(seasons), residual, parts.weights)


def _variance(values: Floats, is_read: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Along the buckets with a reading; zero where there is none."""
    count = np.maximum(np.count_nonzero(is_read, axis=0), 1)
    present = np.where(is_read, values, 0.0)
    away = np.where(is_read, present - present.sum(axis=0) / count, 0.0)
    return np.asarray((away * away).sum(axis=0) / count)
