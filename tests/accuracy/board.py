"""All figures of a run, computed once for the table and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.accuracy.labelled import Series
from tests.accuracy.measures.calibration import Calibration, calibration
from tests.accuracy.measures.contest import contest_f1
from tests.accuracy.measures.episodes import Tally, best_f1, curve, recall_at, total
from tests.accuracy.measures.injection import Found, at_default, at_rate
from tests.accuracy.measures.nab import PROFILES, nab
from tests.accuracy.ours import bucket_of
from tests.accuracy.outcome import Pairs, paged_score
from tests.accuracy.plan import CONTROL, DEFAULT, Plan
from tests.accuracy.run import Results

TWICE_A_MONTH = 2 * 7 / 30
ONCE_A_WEEK = 1.0


@dataclass(frozen=True)
class Line:
    """One contender on one labelled collection. ``recall_at`` by false alerts a week · ``best_f1`` of events ·
    ``contest_f1`` the AIOps contest's · ``nab`` by profile, on pages."""

    collection: str
    contender: str
    judged: int
    series: int
    tally: Tally
    recall_at: dict[float, float]
    best_f1: float
    contest_f1: float
    nab: dict[str, float]
    us_a_reading: float

    @property
    def is_control(self) -> bool:
        """Whether it shows what a measure gives to noise, and is compared with nobody."""
        return self.contender == CONTROL.name

    @property
    def is_whole(self) -> bool:
        """Whether it judged all series, so that its figures may be compared."""
        return self.judged == self.series


@dataclass(frozen=True)
class Injection:
    collection: str
    contender: str
    default: Found
    at_rate: Found


@dataclass(frozen=True)
class Kept:
    """Pages beside budget of our detector over one group of series."""

    group: str
    budget: str
    calibration: Calibration


@dataclass(frozen=True)
class Board:
    lines: tuple[Line, ...]
    kept: tuple[Kept, ...]
    injections: tuple[Injection, ...]
    absent: dict[str, str]
    about: dict[str, str]

    def best_rival(self, collection: str) -> str | None:
        """The rival with the highest recall at half a false alert a week, of those that judged the whole collection."""
        rivals = [
            line
            for line in self.lines
            if line.collection == collection
            and line.is_whole
            and not line.is_control
            and not line.contender.startswith(DEFAULT.name)
        ]
        return max(rivals, key=lambda line: (line.recall_at[0.5], line.best_f1)).contender if rivals else None


def board(plan: Plan, results: Results) -> Board:
    present = [one for one in plan.contenders if one.name not in results.absent]
    lines = [
        _line(name, one.name, results.pairs(one.name, several), len(several))
        for name, several in plan.labelled.items()
        for one in present
    ]
    return Board(
        lines=tuple(lines),
        kept=tuple(_kept(plan, results)),
        injections=tuple(_injections(plan, results)),
        absent=dict(results.absent),
        about={one.name: one.about for one in plan.contenders},
    )


def _line(name: str, contender: str, pairs: Pairs, series: int) -> Line:
    scores = [(one, outcome.score) for one, outcome in pairs]
    heard = curve(scores)
    paged = [(one, paged_score(one, outcome)) for one, outcome in pairs if name == "nab"]
    return Line(
        collection=name,
        contender=contender,
        judged=len(pairs),
        series=series,
        tally=total([(one, outcome.alert) for one, outcome in pairs]),
        recall_at=recall_at(heard),
        best_f1=best_f1(heard),
        contest_f1=contest_f1(scores).f1,
        nab={profile.name: nab(paged, profile) for profile in PROFILES},
        us_a_reading=1e6 * sum(outcome.took_s for _, outcome in pairs) / max(1, sum(len(one) for one, _ in pairs)),
    )


def _injections(plan: Plan, results: Results) -> list[Injection]:
    found = []
    for name, copies in plan.plain.items():
        for contender in (one.name for one in plan.contenders):
            judged = [
                (copy, results.outcomes[contender, copy.altered.key], results.outcomes[contender, copy.untouched.key])
                for copy in copies
                if (contender, copy.altered.key) in results.outcomes
            ]
            if judged:
                found.append(Injection(name, contender, at_default(judged), at_rate(judged)))
    return found


def _kept(plan: Plan, results: Results) -> list[Kept]:
    groups: dict[str, Sequence[Series]] = dict(plan.labelled)
    for name, copies in plan.plain.items():
        groups[name] = list({copy.untouched.key: copy.untouched for copy in copies}.values())
    for one in plan.synthetic:
        law, step, _ = one.name.split("-")
        groups[f"{law}, {bucket_of(one.step_s).text}"] = [
            other for other in plan.synthetic if other.name.startswith(f"{law}-{step}-")
        ]
    found = []
    if plan.weekly is not None and plan.weekly.name not in results.absent:
        found += [
            _pages(group, "1/week", ONCE_A_WEEK, results, plan.weekly.name, each) for group, each in groups.items()
        ]
    if any(one.name == DEFAULT.name for one in plan.contenders) and DEFAULT.name not in results.absent:
        real = {group: each for group, each in groups.items() if each and each[0].collection != "synthetic"}
        found += [_pages(group, "2/month", TWICE_A_MONTH, results, DEFAULT.name, each) for group, each in real.items()]
    return found


def _pages(group: str, budget: str, a_week: float, results: Results, contender: str, each: Sequence[Series]) -> Kept:
    pairs = [(one, np.asarray(outcome.alert)) for one, outcome in results.pairs(contender, each)]
    return Kept(group, budget, calibration(pairs, a_week))
