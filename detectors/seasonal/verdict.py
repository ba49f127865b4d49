"""From an outlook to verdicts: score 1 at the budget's rate, the values where it lies, and the words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import ANOMALY, OK, UNKNOWN, Bools, Floats, Texts
from detectors.rates import per_month
from detectors.seasonal.hold import Held
from detectors.seasonal.knowledge import Look
from detectors.seasonal.learner import Outlook
from detectors.seasonal.rarity import distance_of, uncorrected
from detectors.seasonal.recipe import Recipe


@dataclass(frozen=True)
class Part:
    """Verdicts of the rows of one block, ``[R, S]`` each; names as in ``Verdicts``."""

    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    status: Texts
    direction: Floats
    reason: Texts


def judged(values: Floats, look: Look, held: Held, budget: float, recipe: Recipe) -> Part:
    """``budget`` in events per week of one series."""
    outlook = look.outlook
    run = 1.0 + recipe.run_rarity  # by rule, not by rate: a shared budget must not silence it
    score = np.maximum(held.score, held.drift)
    score = np.where((outlook.flat > 0) & np.isfinite(score), np.maximum(score, run), score)
    score = np.where((outlook.gap > 0) & np.isfinite(outlook.expected), run, score)
    lower, upper = _bounds(look, held, budget, recipe)
    expected = look.actual(_center(outlook, held))
    whole = np.isfinite(score) & np.isfinite(expected) & np.isfinite(lower) & np.isfinite(upper)
    blank = np.where(whole, 0.0, np.nan)
    anomalous = whole & (score > 1.0)
    side = np.where(np.nan_to_num(values - expected) > 0, 1, -1)
    return Part(
        observed=values,
        expected=expected + blank,
        lower=lower + blank,
        upper=upper + blank,
        score=score + blank,
        status=np.where(whole, np.where(anomalous, ANOMALY, OK), UNKNOWN).astype(object),
        direction=np.where(anomalous, side, 0).astype(np.int8),
        reason=_reasons(values, look, held, whole, anomalous, score, budget, recipe),
    )


def rate_per_month(score: float, budget: float) -> float:
    """How often in 30 days a bucket with at least this score is expected."""
    return float(per_month(10.0 ** (1.0 + np.log10(budget) - score)))


def _center(outlook: Outlook, held: Held) -> Floats:
    return np.where(np.isfinite(held.level), held.level + outlook.season, outlook.expected)


def _bounds(look: Look, held: Held, budget: float, recipe: Recipe) -> tuple[Floats, Floats]:
    """The values at which a single reading has score 1, by the usual error and by the short memory."""
    outlook = look.outlook
    wanted = uncorrected(np.full(len(outlook.correction), -np.log10(budget)), outlook.correction, recipe)
    far = distance_of(wanted, outlook.rates) * outlook.spread
    center = _center(outlook, held)
    lower, upper = center + outlook.below - far, center + outlook.above + far
    if recipe.local:
        near = distance_of(wanted + recipe.local_penalty, outlook.local_rates) * outlook.local_spread
        tighter = np.fmax(lower, outlook.local - near), np.fmin(upper, outlook.local + near)
        is_range = (tighter[0] <= tighter[1]) & ~np.isfinite(held.level)
        lower, upper = np.where(is_range, tighter[0], lower), np.where(is_range, tighter[1], upper)
    return look.actual(lower), look.actual(upper)


def _reasons(
    values: Floats, look: Look, held: Held, whole: Bools, anomalous: Bools, score: Floats, budget: float, recipe: Recipe
) -> Texts:
    outlook = look.outlook
    reasons = np.full(values.shape, "", dtype=object)
    reasons[~whole] = "nothing says yet how far is far: it never varied, or has only begun"
    young = ~whole & (outlook.count <= recipe.least_readings)
    for row, series in zip(*np.nonzero(young), strict=True):
        reasons[row, series] = f"{int(outlook.count[row, series])} of {recipe.least_readings} buckets"
    reasons[~whole & ~np.isfinite(values)] = "no reading"
    for row, series in zip(*np.nonzero(anomalous), strict=True):
        reasons[row, series] = _words(outlook, held, int(row), int(series), float(score[row, series]), budget)
    return reasons


def _words(outlook: Outlook, held: Held, row: int, series: int, score: float, budget: float) -> str:
    if outlook.gap[row, series] > 0:
        return f"gap: no reading for {int(outlook.gap[row, series])} buckets, longer than ever"
    if outlook.flat[row, series] > 0:
        return f"flatline: the same value for {int(outlook.flat[row, series])} buckets, longer than ever"
    if held.drift[row, series] >= score:
        return _drifting(outlook, row, series, budget, score)
    if np.isfinite(held.level[row, series]):
        return "it lasts: still far from the level before"
    often = _often(score, budget)
    if outlook.nearby[row, series]:
        return f"far from the last readings, expected {often} times a month"
    return f"{outlook.distance[row, series]:.1f} times the usual error, expected {often} times a month"


def _drifting(outlook: Outlook, row: int, series: int, budget: float, score: float) -> str:
    far = outlook.drifted[row, series]
    return f"drifts: {far:.1f} times as far from the last week as usual, expected {_often(score, budget)} times a month"


def _often(score: float, budget: float) -> str:
    rate = rate_per_month(score, budget)
    return f"{rate:.1g}" if rate >= 0.01 else "less than 0.01"
