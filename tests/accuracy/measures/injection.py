"""How many injected incidents are found, beside false alerts on the untouched series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from tests.accuracy.injected import SIZED, Copy, found
from tests.accuracy.measures.episodes import Reach, Tally, tally
from tests.accuracy.outcome import Outcome

FALSE_A_WEEK = 0.2
_PEAKS_PER_SERIES, _THRESHOLDS = 200, 400

Judged = tuple[Copy, Outcome, Outcome]
"""A copy with the outcome of the altered series and of the untouched one."""


@dataclass(frozen=True)
class Finding:
    """One incident: found, and found in the untouched series too (luck)."""

    kind: str
    size: float
    hit: bool
    luck: bool


@dataclass(frozen=True)
class Found:
    findings: tuple[Finding, ...]
    false_a_week: float

    def recall(self, kinds: Sequence[str], least: float = 0.0, most: float = np.inf) -> float:
        """Share found of these kinds within these sizes; NaN when there are none."""
        hits = [one.hit for one in self.findings if one.kind in kinds and least <= one.size <= most]
        return float(np.mean(hits)) if hits else np.nan

    @property
    def luck(self) -> float:
        return float(np.mean([one.luck for one in self.findings])) if self.findings else np.nan

    @property
    def sharp(self) -> float:
        """Recall of spikes, dips, outages and shifts of six deviations and more."""
        return self.recall([kind for kind in SIZED if kind != "drift"], least=6.0)


def at_default(judged: Sequence[Judged]) -> Found:
    return _found(judged, lambda outcome: outcome.alert)


def at_rate(judged: Sequence[Judged], false_a_week: float = FALSE_A_WEEK) -> Found:
    """At the lowest of 400 thresholds whose false alerts stay within this rate."""
    untouched = _each_once(judged)
    peaks = [np.sort(outcome.score[copy.untouched.live])[-_PEAKS_PER_SERIES:] for copy, outcome in untouched]
    known = np.concatenate([*peaks, np.empty(0)])
    known = known[np.isfinite(known)]
    levels = np.unique(np.quantile(known, np.linspace(0, 1, _THRESHOLDS))) if known.size else np.array([np.inf])
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if _false(untouched, _above(float(levels[middle]))).false_a_week > false_a_week:
            low = middle + 1
        else:
            high = middle
    return _found(judged, _above(float(levels[low])))


def _above(threshold: float) -> Callable[[Outcome], Bools]:
    def heard(outcome: Outcome) -> Bools:
        score: Floats = outcome.score
        return score >= threshold

    return heard


def _found(judged: Sequence[Judged], heard: Callable[[Outcome], Bools]) -> Found:
    findings = [
        Finding(incident.kind, incident.size, found(incident, heard(altered)), found(incident, heard(untouched)))
        for copy, altered, untouched in judged
        for incident in copy.incidents
    ]
    return Found(tuple(findings), _false(_each_once(judged), heard).false_a_week)


def _false(untouched: Sequence[tuple[Copy, Outcome]], heard: Callable[[Outcome], Bools]) -> Tally:
    return sum((tally(copy.untouched, heard(outcome), Reach(0, 0)) for copy, outcome in untouched), Tally())


def _each_once(judged: Sequence[Judged]) -> list[tuple[Copy, Outcome]]:
    return list({copy.untouched.key: (copy, outcome) for copy, _, outcome in judged}.values())
