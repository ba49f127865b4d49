"""Verdicts of a symmetric band, for detectors that expect one value and allow the same distance on both sides."""

from __future__ import annotations

import numpy as np

from detectors.contract import ANOMALY, OK, UNKNOWN, Explanation, Floats, Instants, Verdicts


def banded(
    times: Instants, observed: Floats, expected: Floats, half: Floats, *, anomaly: str, unknown: str
) -> Verdicts:
    """Score = distance from ``expected`` ÷ ``half``; unknown where one of the three is NaN, or ``half`` is 0.

    Arrays are ``[J, S]``; ``anomaly`` and ``unknown`` are the reasons that people read.
    """
    residual = observed - expected
    score = np.divide(np.abs(residual), half, out=np.full(residual.shape, np.nan), where=half > 0)
    known = np.where(np.isnan(score), np.nan, 0.0)
    status = np.where(np.isnan(score), UNKNOWN, np.where(score > 1, ANOMALY, OK)).astype(object)
    return Verdicts(
        times=times,
        observed=observed,
        expected=expected + known,
        lower=expected - half + known,
        upper=expected + half + known,
        score=score,
        status=status,
        direction=np.where(score > 1, np.sign(residual), 0).astype(np.int8),
        reason=np.where(status == UNKNOWN, unknown, np.where(status == ANOMALY, anomaly, "")).astype(object),
    )


def explained(verdicts: Verdicts, series: int, time: np.datetime64) -> Explanation:
    """The verdict of a detector without seasons: its level is what it expected. Raises ValueError for another time."""
    if len(verdicts.times) == 0 or verdicts.times[0] != time:
        raise ValueError(f"no bucket starts at {time}")
    expected = float(verdicts.expected[0, series])
    return Explanation(
        level=expected,
        seasons={},
        calendar=0.0,
        residual=float(verdicts.observed[0, series]) - expected,
        expected=expected,
        lower=float(verdicts.lower[0, series]),
        upper=float(verdicts.upper[0, series]),
        score=float(verdicts.score[0, series]),
        expected_per_month=np.nan,
        status=verdicts.status[0, series],
        reason=str(verdicts.reason[0, series]),
    )
