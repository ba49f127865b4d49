"""``python -m tests.accuracy.ablation [--only NAME,NAME] [--sets nab,mscloud]``: what each part of `seasonal` earns."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
from rich.console import Console

from detectors.seasonal import Seasonal
from detectors.seasonal.recipe import RECIPE, Recipe
from tests.accuracy.board import ONCE_A_WEEK
from tests.accuracy.injected import Copy, injected
from tests.accuracy.labelled import LABELLED_COLLECTIONS, Series, collection
from tests.accuracy.measures.calibration import Paged, paged
from tests.accuracy.measures.episodes import Tally, best_f1, curve, recall_at, total
from tests.accuracy.measures.injection import Found, at_default, at_rate
from tests.accuracy.measures.nab import PROFILES, nab
from tests.accuracy.outcome import Outcome, Pairs, paged_score
from tests.accuracy.plan import COPIES
from tests.accuracy.together import judged_together

HOURLY = "plain_hourly"
SETS = (*LABELLED_COLLECTIONS, HOURLY)


@dataclass(frozen=True)
class Variant:
    """`seasonal` with some numbers of its recipe, or some parameters, changed."""

    name: str
    recipe: Mapping[str, float | bool] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)

    def detector(self) -> Seasonal:
        changed = replace(RECIPE, **self.recipe)  # type: ignore[arg-type]  # each name has its own type

        class Changed(Seasonal):
            recipe: ClassVar[Recipe] = changed

        return Changed.model_validate(self.parameters)


VARIANTS = (
    Variant("all"),
    Variant("no floor", {"floor": 0.0}),
    Variant("no floor by raw steps", {"raw_floor": 0.0}),
    Variant("no tolerance", {"tolerance_bins": 100_000}),
    Variant("no lags", {"lags": 0}),
    Variant("no calm", {"calm": 0.0}),
    Variant("no short memory", {"local": False}),
    Variant("one usual error for all hours", {"hourly_days": 0.0}),
    Variant("no trend", {"trend": False}),
    Variant("rates counted only", {"tail_share": 0.0}),
    Variant("rates by the tail only", {"tail_share": 1.0}),
    Variant("no correction by pages", {"quieter": 0.0, "louder": 0.0}),
    Variant("correction at all rates", {"louder_until": 1e9}),
    Variant("start expects little", {"start_distance": 1.0}),
    Variant("no penalty for seasons", {"season_penalty": 1.0}),
    Variant("no penalty for the slow level", {"slow_penalty": 1.0}),
    Variant("no flat runs and gaps", {"flat": False}),
    Variant("no seasons", parameters={"seasons": []}),
    Variant("day only", parameters={"seasons": ["day"]}),
    Variant("week only", parameters={"seasons": ["week"]}),
    Variant("counts as real", parameters={"domain": "real"}),
    Variant("profiles learn unclipped", {"profile_clip": 1e9}),
    Variant("errors count unclipped", {"scale_clip": 1e9}),
    Variant("no fast level", {"fast_s": RECIPE.slow_s}),
    Variant("tail exponent as it comes", {"tail_weight": 1.0}),
    Variant("memory of eight weeks", {"memory_weeks": 8.0}),
)


@dataclass(frozen=True)
class Figures:
    """One variant on one labelled collection; ``standard`` NaN where NAB's score is not taken."""

    recall_at: Mapping[float, float]
    default: Tally
    f1: float
    standard: float

    @property
    def mean(self) -> float:
        """One number to sort by: the mean of the recalls, of the best F1 and, where there is one, of NAB's score."""
        several = [*self.recall_at.values(), self.default.recall, self.f1, self.standard / 100]
        return float(np.nanmean(several))


@dataclass(frozen=True)
class Earned:
    """All that was measured of a variant. ``told`` are the series that promise enough pages to judge a budget by."""

    variant: str
    labelled: Mapping[str, Figures]
    hourly: tuple[Found, Found] | None
    told: tuple[Paged, ...]

    @property
    def mean(self) -> float:
        each = [figures.mean for figures in self.labelled.values()]
        return float(np.mean([*each, self.hourly[1].sharp] if self.hourly else each))

    @property
    def kept(self) -> float:
        return float(np.mean([one.is_kept for one in self.told])) if self.told else np.nan


def measured(variant: Variant, sets: Sequence[str], most: int) -> Earned:
    detector = variant.detector()
    labelled, told = {}, []
    for name in sets:
        if name == HOURLY:
            continue
        pairs = _judged(detector, [begun(series, most) for series in collection(name)])
        labelled[name] = _figures(name, pairs)
        told += _paged(pairs, detector.rate)
    hourly = None
    if HOURLY in sets:
        copies = _copies()
        untouched = list({copy.untouched.key: copy.untouched for copy in copies}.values())
        outcomes = {one.key: said for one, said in _judged(detector, [*untouched, *(copy.altered for copy in copies)])}
        each = [(copy, outcomes[copy.altered.key], outcomes[copy.untouched.key]) for copy in copies]
        hourly = at_default(each), at_rate(each)
        told += _paged([(one, outcomes[one.key]) for one in untouched], detector.rate)
    return Earned(variant.name, labelled, hourly, tuple(told))


def begun(series: Series, most: int) -> Series:
    """Its first ``most`` readings, with a warm-up as much shorter; windows that reach beyond are left out."""
    if len(series) <= most:
        return series
    kept = [place for place, (_, last) in enumerate(series.windows) if last < most]
    return replace(
        series,
        times_s=series.times_s[:most],
        values=series.values[:most],
        windows=tuple(series.windows[place] for place in kept),
        onsets=tuple(series.onsets[place] for place in kept) if series.onsets else (),
        warmup=series.warmup * most // len(series),
    )


@lru_cache(maxsize=1)
def _copies() -> tuple[Copy, ...]:
    return tuple(injected(series, seed) for series in collection(HOURLY) for seed in COPIES)


def _judged(detector: Seasonal, several: Sequence[Series]) -> Pairs:
    by_step: dict[int, list[Series]] = defaultdict(list)
    for one in several:
        by_step[one.step_s].append(one)
    return [pair for each in by_step.values() for pair in zip(each, judged_together(detector, each), strict=True)]


def _figures(name: str, pairs: Pairs) -> Figures:
    heard = curve([(one, outcome.score) for one, outcome in pairs])
    is_nab = name == "nab"
    return Figures(
        recall_at=recall_at(heard),
        default=total([(one, outcome.alert) for one, outcome in pairs]),
        f1=best_f1(heard),
        standard=nab([(one, paged_score(one, said)) for one, said in pairs], PROFILES[0]) if is_nab else np.nan,
    )


def _paged(pairs: Pairs, rate: float) -> list[Paged]:
    """Pages at a budget of one a week: a budget moves all scores by its power of ten."""
    found = [paged(one, _weekly(outcome, rate), ONCE_A_WEEK) for one, outcome in pairs]
    return [one for one in found if one.is_told]


def _weekly(outcome: Outcome, rate: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = outcome.score + np.log10(ONCE_A_WEEK / rate) > 1.0
    return found


def markdown(rows: Sequence[Earned]) -> str:
    """One row for each variant: what it reaches, collection by collection."""
    sets = list(rows[0].labelled)
    header = ["variant", "mean"]
    for name in sets:
        header += [f"{name}: recall at .1 / .5 / 1", "default: recall, false a week", "F1"]
        header += ["NAB"] if name == "nab" else []
    header += ["hourly ≥ 6 σ: default, false a week", "at 0.2"] if rows[0].hourly else []
    header += ["budgets kept"]
    lines = [header, ["---"] * len(header), *(_row(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _row(row: Earned) -> list[str]:
    cells = [row.variant, _share(row.mean)]
    for figures in row.labelled.values():
        cells += [
            " / ".join(map(_share, figures.recall_at.values())),
            f"{_share(figures.default.recall)}, {figures.default.false_a_week:.2f}",
            _share(figures.f1),
        ]
        cells += [] if np.isnan(figures.standard) else [f"{figures.standard:.1f}"]
    if row.hourly:
        default, rated = row.hourly
        cells += [f"{_share(default.sharp)}, {default.false_a_week:.2f}", _share(rated.sharp)]
    kept = sum(one.is_kept for one in row.told)
    return [*cells, f"{kept} of {len(row.told)}"]


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy.ablation", description=__doc__)
    parser.add_argument("--only", default="", help="names of variants, with commas (default: all)")
    parser.add_argument("--sets", default=",".join(SETS), help="names of sets, with commas (default: all)")
    parser.add_argument("--most", type=int, default=10**9, help="readings of each labelled series (default: all)")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time (default: 2)")
    asked = parser.parse_args(arguments)
    wanted, console = asked.only.split(",") if asked.only else [], Console(stderr=True)
    variants = [one for one in VARIANTS if not wanted or one.name in wanted]
    rows = {}
    for row in _each(variants, asked.sets.split(","), asked.most, asked.processes):
        rows[row.variant] = row
        console.print(_row(row), soft_wrap=True)
    print(markdown([rows[one.name] for one in variants]))  # noqa: T201  # a command
    return 0


def _each(variants: Sequence[Variant], sets: Sequence[str], most: int, processes: int) -> Iterable[Earned]:
    if processes < 2:
        yield from (measured(one, sets, most) for one in variants)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for found in as_completed([pool.submit(measured, one, sets, most) for one in variants]):
            yield found.result()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
