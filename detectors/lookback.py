"""The same local time some days, or a year, before: which bucket of a panel that was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import Bucket
from detectors.contract import Floats, Instants, Panel

if TYPE_CHECKING:
    import pandas as pd

Rows = NDArray[np.intp]
Against = Literal["1d", "1w", "1y"]
DAYS: dict[Against, int] = {"1d": 1, "1w": 7, "1y": 364}
"""A year is 52 weeks, so that weekdays meet; buckets of ``1mo`` meet the same month of the year before."""


def rows_before(panel: Panel, days: int) -> tuple[Rows, Rows]:
    """The rows ``[T]`` of the buckets that hold the same wall-clock time ``days`` earlier; −1 where there is none.

    Two answers, because a clock that is set back repeats an hour: the first and the second such bucket, mostly the
    same. A time that the clock change skipped has no bucket, except that buckets longer than an hour hold it anyway.
    """
    import pandas as pd  # here, because commands that judge nothing must start fast

    bucket = Bucket.parse(panel.bucket)
    local = pd.DatetimeIndex(panel.times).tz_localize("UTC").tz_convert(panel.timezone).tz_localize(None)
    wanted = _a_year_before(local) if bucket.text == "1mo" and days == DAYS["1y"] else local - pd.Timedelta(days, "D")
    skipped: Literal["NaT", "shift_forward"] = "shift_forward" if bucket.nominal > timedelta(hours=1) else "NaT"
    found = []
    for first in (True, False):
        chosen = np.full(len(wanted), first)
        aware = wanted.tz_localize(panel.timezone, ambiguous=chosen, nonexistent=skipped)
        instants = aware.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
        with np.errstate(invalid="ignore"):  # NaT, a skipped time, stays NaT
            found.append(_rows(panel.times, bucket.floor(instants, panel.timezone)))
    return found[0], found[1]


def readings_before(values: Floats, rows: tuple[Rows, Rows]) -> Floats:
    """``values[T, S]`` at those rows, the mean of both where the clock repeated the time; NaN where there is none."""
    first, second = (np.where((row >= 0)[:, None], values[row], np.nan) for row in rows)
    if np.array_equal(*rows):
        return first
    both = first / 2 + second / 2
    return np.where(np.isnan(first), second, np.where(np.isnan(second) | (first == second), first, both))


def _a_year_before(local: pd.DatetimeIndex) -> pd.DatetimeIndex:
    import pandas as pd

    return local - pd.DateOffset(years=1)


def _rows(times: Instants, wanted: Instants) -> Rows:
    if not len(times):
        return np.zeros(0, dtype=np.intp)
    places = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    return np.where(times[places] == wanted, places, -1)
