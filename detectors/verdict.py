"""From a forecast to verdicts: how far each reading lies from the middle, in half-bands."""

from __future__ import annotations

import numpy as np

from detectors.contract import ANOMALY, OK, UNKNOWN, Bools, Floats, Texts, Verdicts
from detectors.forecast import Forecast


def verdicts(forecast: Forecast, bound: float, state: bytes) -> Verdicts:
    """Score 1 where the reading is ``bound`` robust standard deviations outside the levels that count as normal."""
    level = forecast.level(bound)
    expected = level.middle + forecast.season
    half = bound * forecast.spread + level.slack
    residual = forecast.observed - expected
    score = np.divide(np.abs(residual), half, out=np.zeros_like(half), where=half > 0)
    stuck = (forecast.spread == 0) & (residual != 0)  # it never varied, so nothing says how far is far
    unknown = ~np.isfinite(expected) | np.isnan(forecast.observed) | ~forecast.learned | stuck
    anomalous = (score > 1) & ~unknown
    blank = np.where(unknown, np.nan, 0.0)
    return Verdicts(
        times=forecast.times,
        observed=forecast.observed,
        expected=expected + blank,
        lower=expected - half + blank,
        upper=expected + half + blank,
        score=score + blank,
        status=np.where(unknown, UNKNOWN, np.where(anomalous, ANOMALY, OK)).astype(object),
        direction=np.where(anomalous, np.sign(residual), 0).astype(np.int8),
        reason=_reasons(forecast, unknown, anomalous, residual),
        state=state,
    )


def _reasons(forecast: Forecast, unknown: Bools, anomalous: Bools, residual: Floats) -> Texts:
    reasons = np.full(residual.shape, "", dtype=object)
    for row, series in np.argwhere(anomalous).tolist():
        sigmas = residual[row, series] / forecast.spread[row, series]
        side = "above" if sigmas > 0 else "below"
        reasons[row, series] = f"{abs(sigmas):.1f} times the usual error {side} the forecast"
    for row, series in np.argwhere(unknown).tolist():
        reasons[row, series] = _why_unknown(forecast, row, series)
    return reasons


def _why_unknown(forecast: Forecast, row: int, series: int) -> str:
    if np.isnan(forecast.observed[row, series]):
        return "no reading"
    if not forecast.learned[row, series]:
        readings = int(forecast.readings[row, series])
        waits = ", learned at the next turn of the day or week" if readings >= forecast.needed else ""
        return f"{readings} of {forecast.needed} buckets{waits}"
    if forecast.spread[row, series] == 0:
        return f"the first change in {int(forecast.readings[row, series])} buckets"
    return "too few recent readings for a level"
