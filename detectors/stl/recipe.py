"""What a decomposition is asked to do: parameters, their defaults and their limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True)
class Recipe:
    """Everything that fixes an STL but the values: two equal recipes share one plan.

    Windows, jumps and iterations are counts of values; the meaning of each is that of ``statsmodels.tsa.seasonal.STL``.
    """

    length: int
    period: int
    seasonal: int
    trend: int
    low_pass: int
    seasonal_deg: int
    trend_deg: int
    low_pass_deg: int
    seasonal_jump: int
    trend_jump: int
    low_pass_jump: int
    inner_iter: int
    outer_iter: int

    def __post_init__(self) -> None:
        if self.period < 2:
            raise ValueError(f"period must be at least 2, not {self.period}")
        if self.length < 2 * self.period:
            raise ValueError(f"period {self.period} needs at least {2 * self.period} values, there are {self.length}")
        _check_window("seasonal", self.seasonal, 3)
        _check_window("trend", self.trend, self.period + 1)
        _check_window("low_pass", self.low_pass, self.period + 1)
        for name in ("seasonal_deg", "trend_deg", "low_pass_deg"):
            if getattr(self, name) not in (0, 1):
                raise ValueError(f"{name} must be 0 or 1, not {getattr(self, name)}")
        for name in ("seasonal_jump", "trend_jump", "low_pass_jump", "inner_iter"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.outer_iter < 0:
            raise ValueError(f"outer_iter must not be negative, it is {self.outer_iter}")


class Options(TypedDict, total=False):
    """What callers may choose besides period and seasonal window: names, meaning and defaults of statsmodels.

    ``trend``, ``low_pass``: odd windows in values, longer than the period · ``…_deg``: degree of the local fit, 0 or 1
    · ``…_jump``: LOESS at every so many values, straight lines between · ``robust``: outliers lose their weight; it
    only decides the default number of iterations (2 inner and 15 outer, else 5 and 0).
    """

    trend: int | None
    low_pass: int | None
    seasonal_deg: int
    trend_deg: int
    low_pass_deg: int
    robust: bool
    seasonal_jump: int
    trend_jump: int
    low_pass_jump: int
    inner_iter: int | None
    outer_iter: int | None


@dataclass(frozen=True)
class Choices:
    """``Options`` with their defaults; None: derived from period and seasonal window."""

    trend: int | None = None
    low_pass: int | None = None
    seasonal_deg: int = 1
    trend_deg: int = 1
    low_pass_deg: int = 1
    robust: bool = False
    seasonal_jump: int = 1
    trend_jump: int = 1
    low_pass_jump: int = 1
    inner_iter: int | None = None
    outer_iter: int | None = None

    def recipe(self, length: int, period: int, seasonal: int) -> Recipe:
        """Raises ValueError naming what is needed where a window or the length does not fit the period."""
        _check_window("seasonal", seasonal, 3)
        low_pass = _odd(period + 1) if self.low_pass is None else self.low_pass
        trend = _odd(math.ceil(1.5 * period / (1 - 1.5 / seasonal))) if self.trend is None else self.trend
        return Recipe(
            length=length,
            period=period,
            seasonal=seasonal,
            trend=trend,
            low_pass=low_pass,
            seasonal_deg=self.seasonal_deg,
            trend_deg=self.trend_deg,
            low_pass_deg=self.low_pass_deg,
            seasonal_jump=self.seasonal_jump,
            trend_jump=self.trend_jump,
            low_pass_jump=self.low_pass_jump,
            inner_iter=(2 if self.robust else 5) if self.inner_iter is None else self.inner_iter,
            outer_iter=(15 if self.robust else 0) if self.outer_iter is None else self.outer_iter,
        )


def _odd(number: int) -> int:
    return number + (number % 2 == 0)


def _check_window(name: str, window: int, least: int) -> None:
    if window < least or window % 2 == 0:
        raise ValueError(f"{name} must be odd and at least {_odd(least)}, not {window}")
