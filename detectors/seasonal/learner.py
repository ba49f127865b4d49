"""Everything that is known of a panel's series, and how one block of buckets is judged by it and then learned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.contract import Bools, Floats
from detectors.seasonal.calendar import Places, Profile
from detectors.seasonal.field import Field
from detectors.seasonal.forecasters import Forecast, Leveled, Pace, Rows, Season
from detectors.seasonal.hourly import Hourly
from detectors.seasonal.rarity import Blocks, Pages, Rarity, corrected, surprise
from detectors.seasonal.recipe import Recipe
from detectors.seasonal.running import Mean, Scale, apart, filled, weight, without_nan
from detectors.seasonal.runs import FLAT, GAP, LEAST_CHANGES, Runs
from detectors.seasonal.textbook import Cycles, Model
from detectors.seasonal.trend import Trend

POINT, LOCAL, TREND = "point", "local", "trend"
STATISTICS = (POINT, LOCAL, TREND)
UNKNOWN_SURPRISE = -9.0
WEEK_S = 604_800.0


@dataclass(frozen=True)
class Method:
    """What does not change while a panel is learned: the recipe at one bucket width."""

    width_s: float
    profiles: tuple[Profile, ...]
    recipe: Recipe
    model: Model = "profile"

    @property
    def cycles(self) -> Cycles:
        return Cycles.of(self.model, self.profiles)

    @property
    def pace(self) -> Pace:
        return Pace.at(self.width_s, self.recipe)

    @property
    def blocks(self) -> Blocks:
        rows = max(1, math.ceil(3600.0 / self.width_s))
        block_s = rows * self.width_s
        return Blocks(rows, WEEK_S / block_s, max(3, int(86_400 // block_s)))


@dataclass(frozen=True)
class Outlook:
    """What was thought of a block before each of its readings, ``[R, S]`` on the scale of distances.

    ``expected`` holds the season. Readings between ``expected + below`` and ``expected + above`` are at no distance;
    beyond that it is measured in ``spread``. ``local`` and its spread: the same by a short memory. ``count``: the
    readings up to each row. ``surprise`` is −log10 of the rate per week at which such a reading comes; ``nearby``: it
    came from the short memory. ``drift`` is that of the way of the last hours, whose distance is ``drifted``. ``flat``
    and ``gap``: buckets in a run that is longer than ever (0: none).
    ``rates[L, S]`` of the two statistics that a single reading makes and ``correction[S]``, which ``surprise`` holds;
    ``choice[S]`` the place of the profile chosen (0: none).
    """

    expected: Floats
    season: Floats
    below: Floats
    above: Floats
    spread: Floats
    local: Floats
    local_spread: Floats
    distance: Floats
    count: Floats
    surprise: Floats
    nearby: Bools
    drifted: Floats
    drift: Floats
    flat: Floats
    gap: Floats
    rates: Floats
    local_rates: Floats
    correction: Floats
    choice: Places


@dataclass
class Learner:
    """The state of all series: arrays whose last axis is the series. ``levels[0]`` has no season."""

    levels: list[Leveled]
    raw_step: Scale
    last: Floats
    hole: Floats
    readings: Floats
    calm: Mean
    hourly: Hourly
    local: Mean
    local_error: Scale
    trend: Trend
    rarity: dict[str, Rarity]
    pages: Pages
    flat: Runs
    gap: Runs

    @classmethod
    def none(cls, series: int, method: Method) -> Learner:
        lags = max(method.recipe.lags, 1)
        return cls(
            levels=[Leveled.none(series, bins, lags) for bins in (0, *(one.bins for one in method.profiles))],
            raw_step=Scale.none(series),
            last=np.full(series, np.nan),
            hole=np.zeros(series),
            readings=np.zeros(series),
            calm=Mean.none(series),
            hourly=Hourly.none(series),
            local=Mean.none(series),
            local_error=Scale.none(series),
            trend=Trend.none(series),
            rarity={name: Rarity.none(series) for name in STATISTICS},
            pages=Pages.none(series, method.blocks.hold),
            flat=Runs.none(series),
            gap=Runs.none(series),
        )

    def block(
        self, values: Floats, training: Bools, bins: list[Places], hours: Places, widths: Floats, method: Method
    ) -> Outlook:
        """Judges the rows of a block by what was known before it (and by the rows above each), then learns from them.

        ``values[R, S]`` · ``training[R, S]`` what may teach · ``bins`` of each profile · ``hours`` of the
        day · ``widths[R, S]`` how much wider the bound is.
        """
        recipe, present = method.recipe, np.isfinite(values)
        rows, raw_floor, wider = self._arrived(values, training, widths, method)
        seasons = self._seasons(bins, values.shape, method)
        told: list[list[Forecast]] = []
        smooth = np.zeros(0)
        for level, season in zip(reversed(self.levels), reversed(seasons), strict=True):
            forecasts, smooth = level.forecasts(rows, season, raw_floor, method.pace, recipe)
            told.insert(0, forecasts)
        field = Field.of(told, recipe)
        choice = field.best()
        season = field.season(choice, seasons)
        signed = field.distances(choice)
        local, local_spread = self._nearby(values, smooth, training, raw_floor, wider, method)
        wider = wider * self._calm(signed, training, recipe) * self._hourly(signed, training, hours, method)
        slow = field.best_slow()
        bare = values - field.season(slow, seasons).value
        distances = {
            POINT: np.abs(signed) / wider,
            LOCAL: np.abs(apart(values, local, values)) / local_spread,
            TREND: self._trend(bare, field.spread(choice), training, method),
        }
        count = self.readings + np.cumsum(present, axis=0)
        known = present & (count > recipe.least_readings) & np.isfinite(signed)
        rates = {name: one.rates(method.blocks, recipe) for name, one in self.rarity.items()}
        surprises = _surprises(distances, rates, known, recipe)
        total, correction = np.max(list(surprises.values()), axis=0), self.pages.correction(method.blocks, recipe)
        flat, gap = self._runs(present, rows, method)
        if not method.cycles.count:
            self._teach(values, seasons, told, rows, bins, recipe)
        self._count(distances, total, known & training, method)
        self.readings = count[-1]
        sudden = np.maximum(surprises[POINT], surprises[LOCAL])
        return Outlook(
            expected=field.level(choice) + season.value,
            season=season.value,
            below=season.below,
            above=season.above,
            spread=field.spread(choice) * wider,
            local=local,
            local_spread=local_spread,
            distance=np.where(known, distances[POINT], np.nan),
            count=count,
            surprise=np.where(known, corrected(sudden, correction, recipe), np.nan),
            nearby=known & (surprises[LOCAL] > surprises[POINT]),
            drifted=distances[TREND],
            drift=np.where(known, corrected(surprises[TREND], correction, recipe), np.nan),
            flat=flat,
            gap=gap,
            rates=rates[POINT],
            local_rates=rates[LOCAL],
            correction=correction,
            choice=field.profile[choice],
        )

    def _arrived(self, values: Floats, training: Bools, widths: Floats, method: Method) -> tuple[Rows, Floats, Floats]:
        """The rows with what changed, the floor that raw steps make, and how much wider the bound is after holes."""
        recipe = method.recipe
        carried = filled(np.where(training, values, np.nan), self.last[None])
        steps = np.diff(carried, axis=0)
        changed = training & np.isfinite(steps) & (steps != 0)
        floor = recipe.floor * recipe.raw_floor / 1.25 * without_nan(self.raw_step.value)
        self.raw_step.learn(np.where(changed, steps, np.nan), recipe.scale_clip, method.pace.keep)
        row = np.arange(1, len(values) + 1)[:, None]
        seen = np.maximum.accumulate(np.where(np.isfinite(values), row, -self.hole), axis=0)
        before = np.concatenate([-self.hole[None], seen[:-1]])
        self.last, self.hole = carried[-1], len(values) - seen[-1]
        return Rows(values, training, changed), floor, np.sqrt(row - before) * widths

    def _seasons(self, bins: list[Places], shape: tuple[int, ...], method: Method) -> list[Season]:
        found = [self.levels[0].season(np.zeros(0, dtype=np.intp), np.zeros(shape), tolerant=False)]
        names = [profile.season for profile in method.profiles]
        for profile, level, places in zip(method.profiles, self.levels[1:], bins, strict=True):
            base = found[1 + names.index(profile.on)] if profile.on in names else found[0]
            own = level.season(places, base.value, tolerant=profile.a_day >= method.recipe.tolerance_bins)
            found.append(Season(own.value, own.seen & base.seen, own.below, own.above))
        return found

    def _calm(self, signed: Floats, training: Bools, recipe: Recipe) -> Floats:
        """How much wider the bound is because errors have been large for a while; takes in the rows."""
        sizes = np.minimum(np.abs(without_nan(signed)), 20.0)
        before = self.calm.follow(sizes, training & np.isfinite(signed), weight(recipe.calm_readings))
        found: Floats = np.maximum(1.0, recipe.calm * without_nan(before))
        return found

    def _hourly(self, signed: Floats, training: Bools, hours: Places, method: Method) -> Floats:
        """How much larger errors usually are at the hour of each row; takes in the rows."""
        if not method.recipe.hourly_days or method.width_s >= 86_400:
            return np.ones(signed.shape)
        present = training & np.isfinite(signed)
        return self.hourly.follow(np.abs(signed), present, hours, method.width_s, method.recipe)

    def _trend(self, bare: Floats, spread: Floats, training: Bools, method: Method) -> Floats:
        """The distance that the last hours are from the last week; days have none."""
        if not method.recipe.trend or method.width_s >= 86_400:
            return np.full(bare.shape, np.nan)
        return self.trend.follow(bare, spread, training, method.width_s, method.recipe)

    def _nearby(
        self, values: Floats, smooth: Floats, training: Bools, raw_floor: Floats, wider: Floats, method: Method
    ) -> tuple[Floats, Floats]:
        """The level and the spread of the last readings, before each row; takes in the rows."""
        recipe, pace = method.recipe, method.pace
        level = self.local.follow(smooth, training & np.isfinite(smooth), pace.local)
        errors = np.where(training, apart(values, level, values), np.nan)
        usual = self.local_error.follow(errors, recipe.scale_clip, pace.local)
        floor = raw_floor / max(recipe.raw_floor, 1e-9) * recipe.local_floor
        return level, np.maximum(without_nan(usual), floor) * wider

    def _runs(self, present: Bools, rows: Rows, method: Method) -> tuple[Floats, Floats]:
        """Lengths of runs of equal readings and of none where they are longer than ever; else 0."""
        recipe = method.recipe
        kept = 0.5 ** (len(present) * method.width_s / (recipe.run_memory_weeks * WEEK_S))
        changes = self.flat.ended[None] + np.cumsum(rows.changed, axis=0)
        flat, flat_before = self.flat.follow(~rows.changed, rows.training, kept)
        begun = self.readings + np.cumsum(present, axis=0) > 0
        gap, gap_before = self.gap.follow(~present, begun, kept)
        is_flat = present & (changes >= LEAST_CHANGES) & (flat >= FLAT[0]) & (flat >= FLAT[1] * flat_before)
        known = self.readings + np.cumsum(present, axis=0) > recipe.least_readings
        is_gap = ~present & known & (gap >= GAP[0]) & (gap >= GAP[1] * gap_before)
        lasts = max(WEEK_S / 7 / method.width_s, 24.0)
        fresh = (
            flat < np.maximum(FLAT[0], FLAT[1] * flat_before) + lasts,
            gap < np.maximum(GAP[0], GAP[1] * gap_before) + lasts,
        )
        if not recipe.flat:
            return np.zeros(present.shape), np.zeros(present.shape)
        return np.where(is_flat & fresh[0], flat, 0.0), np.where(is_gap & fresh[1], gap, 0.0)

    def _teach(
        self,
        values: Floats,
        seasons: list[Season],
        told: list[list[Forecast]],
        rows: Rows,
        bins: list[Places],
        recipe: Recipe,
    ) -> None:
        plain = next(one.level for one in told[0] if one.is_slow)
        for level, season, forecasts, places in zip(self.levels[1:], seasons[1:], told[1:], bins, strict=True):
            slow = next(one.level for one in forecasts if one.is_slow)
            residual = values - np.where(season.seen & np.isfinite(slow), slow, plain) - season.value
            level.teach(np.where(rows.training, residual, np.nan), places, level.slow_error.value, recipe)

    def _count(self, distances: dict[str, Floats], surprise: Floats, known: Bools, method: Method) -> None:
        begins = np.arange(0, len(known), method.blocks.rows)
        seen = np.logical_or.reduceat(known, begins, axis=0)
        for name, distance in distances.items():
            maxima = np.maximum.reduceat(np.where(known, np.nan_to_num(distance), 0.0), begins, axis=0)
            self.rarity[name].learn(maxima, seen, method.blocks, method.recipe)
        highest = np.maximum.reduceat(np.where(known, surprise, -np.inf), begins, axis=0)
        self.pages.learn(highest, seen, method.blocks, method.recipe)


def _surprises(
    distances: dict[str, Floats], rates: dict[str, Floats], known: Bools, recipe: Recipe
) -> dict[str, Floats]:
    """−log10 of the rate per week of each statistic, less what it must be rarer by; −9 where nothing is known."""
    penalties, found = {POINT: 0.0, LOCAL: recipe.local_penalty, TREND: recipe.trend_penalty}, {}
    for name, distance in distances.items():
        is_known = known & np.isfinite(distance) & (recipe.local or name != LOCAL)
        rare = surprise(np.where(is_known, distance, 0.0), rates[name])
        found[name] = np.where(is_known, rare - penalties[name], UNKNOWN_SURPRISE)
    return found
