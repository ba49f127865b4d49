"""The forecast of each judged bucket, from what was learned before its local day (or week) began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from detectors.buckets import Bucket
from detectors.contract import Bools, Floats, Instants
from detectors.decomposition import Fit, Levels, Turn, learn, levels, nothing_learned, season_at, spread_at
from detectors.memory import Past
from detectors.rhythm import Rhythm, Slots, slots

_REACH = 1.5  # the fast level stays within this many half-bands of the slow one


@dataclass(frozen=True)
class Forecast:
    """For the judged buckets ``times[J]``; all arrays ``[J, S]``, in the metric's unit.

    ``readings`` how many were known before the bucket, of ``needed`` · ``learned`` False: too few yet · levels are NaN
    where too few readings are recent.
    """

    times: Instants
    observed: Floats
    seasons: Mapping[str, Floats]
    levels: Levels
    spread: Floats
    readings: Floats
    needed: int
    learned: Bools

    def level(self, bound: float) -> Levels:
        return self.levels.within(_REACH * bound * self.spread)

    @property
    def season(self) -> Floats:
        return sum(self.seasons.values(), np.zeros_like(self.observed))


@dataclass
class Learner:
    """Learns at the turns of the local day and week, each once, or takes what the past remembers."""

    past: Past
    rhythm: Rhythm
    numbers: Slots
    turns: Slots
    fits: dict[Turn, Fit] = field(default_factory=dict)

    def fit(self, slot: int) -> Fit:
        """What is known from the turn ``slot`` of the day on: settled series were last learned at that of the week."""
        weekly = int(self.rhythm.settled_turns(np.array([slot]))[0])
        settled = self._settled(weekly)
        long_known = self._at(Turn(weekly, True), settled)
        return long_known if settled.all() else long_known.where(settled, self._at(Turn(slot, False), ~settled))

    def needed_later(self) -> Bools:
        """The rows ``[T]`` that a judgement of the next bucket will still look at."""
        return self.numbers >= self._last_turn() - self.rhythm.window

    def fits_needed_later(self) -> dict[Turn, Fit]:
        last = self._last_turn()
        return {turn: fit for turn, fit in self.fits.items() if turn.slot >= last}

    def _last_turn(self) -> int:
        return int(self.rhythm.settled_turns(self.numbers)[-1]) if len(self.numbers) else 0

    def _settled(self, slot: int) -> Bools:
        """The series that reach back far enough at this turn of the week for every season to be learned."""
        same = self._same(Turn(slot, True))
        if same.all() and Turn(slot, True) in self.past.fits:
            return self.past.fits[Turn(slot, True)].learned
        window = self._window(slot)
        known = np.isfinite(window)
        span = np.where(known.any(axis=0), len(window) - np.argmax(known, axis=0), 0)
        settled: Bools = (span >= self.rhythm.seasons[-1].needs) & (known.sum(axis=0) >= self.rhythm.needed)
        return settled

    def _at(self, turn: Turn, wanted: Bools) -> Fit:
        if turn not in self.fits:
            same = self._same(turn)
            remembered = self.past.fits.get(turn, nothing_learned(self.rhythm, len(same)))
            if not same.all():
                first = turn.slot - self.rhythm.window
                fresh = learn(self._window(turn.slot), first, self.rhythm, wanted & ~same)
                remembered = remembered.where(same, fresh)
            self.fits[turn] = remembered
        return self.fits[turn]

    def _same(self, turn: Turn) -> Bools:
        """The series of which every reading is still what the past learned from at this turn; none if it did not."""
        if turn not in self.past.fits:
            return np.zeros(self.past.values.shape[1], dtype=bool)
        rows = self._rows(turn.slot)
        now, then = self.past.training[rows], self.past.learned_from[rows]
        same: Bools = np.all((now == then) | (np.isnan(now) & np.isnan(then)), axis=0)
        return same

    def _rows(self, slot: int) -> slice:
        """The rows, in time, of the window that ends at ``slot``."""
        end = int(np.searchsorted(self.turns, slot))
        return slice(int(np.searchsorted(self.turns[:end], slot - self.rhythm.window)), end)

    def _window(self, slot: int) -> Floats:
        """The slots before ``slot``, one row each: a repeated hour is averaged, a removed one is NaN."""
        rows = self._rows(slot)
        readings = self.past.training[rows]
        places = self.numbers[rows] - (slot - self.rhythm.window)
        inside = (places >= 0) & (places < self.rhythm.window)
        total = np.zeros((self.rhythm.window, readings.shape[1]))
        count = np.zeros_like(total)
        np.add.at(total, places[inside], np.nan_to_num(readings[inside]))
        np.add.at(count, places[inside], np.isfinite(readings[inside]))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def forecast(past: Past, since: np.datetime64, bucket: Bucket, timezone: str) -> tuple[Forecast, Learner]:
    """The forecast of every bucket from ``since`` on, and the learner that made it."""
    rhythm = Rhythm.of(bucket)
    numbers = slots(past.times, bucket, timezone)
    turns = rhythm.turns(numbers)
    learner = Learner(past, rhythm, numbers, turns)
    start = int(np.searchsorted(past.times, since))
    parts = []
    for slot in np.unique(turns[start:]).tolist():
        rows = np.flatnonzero(turns == slot)
        rows = rows[rows >= start]
        parts.append(_part(past, learner.fit(slot), rhythm, numbers, slice(int(rows[0]), int(rows[-1]) + 1), turns))
    return _joined(past, rhythm, start, parts), learner


def _part(past: Past, fit: Fit, rhythm: Rhythm, numbers: Slots, rows: slice, turns: Slots) -> Forecast:
    """The forecast of rows that share one fit."""
    begin = max(0, rows.start - rhythm.slow)
    near = slice(begin, rows.stop)
    seasons = {
        season.name: season_at(learned, numbers[near], rhythm.merge)
        for season, learned in zip(rhythm.seasons, fit.seasons, strict=True)
    }
    deseasonalised = past.training[near] - sum(seasons.values())
    judged = slice(rows.start - begin, None)
    found = levels(deseasonalised, rhythm)
    turn_row = int(np.searchsorted(turns, turns[rows.start]))
    since_turn = np.isfinite(past.training[turn_row : rows.stop])
    readings = fit.readings + np.cumsum(since_turn, axis=0) - since_turn
    return Forecast(
        times=past.times[rows],
        observed=past.values[rows],
        seasons={name: values[judged] for name, values in seasons.items()},
        levels=Levels(found.fast[judged], found.slow[judged]),
        spread=spread_at(fit.spread, numbers[rows], rhythm.merge),
        readings=readings[rows.start - turn_row :],
        needed=rhythm.needed,
        learned=np.broadcast_to(fit.learned, (rows.stop - rows.start, len(fit.learned))),
    )


def _joined(past: Past, rhythm: Rhythm, start: int, parts: list[Forecast]) -> Forecast:
    none = np.zeros((0, past.values.shape[1]))

    def stacked(pieces: Iterable[Floats]) -> Floats:
        return np.concatenate([none, *pieces])

    names = [season.name for season in rhythm.seasons]
    return Forecast(
        times=past.times[start:],
        observed=past.values[start:],
        seasons={name: stacked(part.seasons[name] for part in parts) for name in names},
        levels=Levels(stacked(part.levels.fast for part in parts), stacked(part.levels.slow for part in parts)),
        spread=stacked(part.spread for part in parts),
        readings=stacked(part.readings for part in parts),
        needed=rhythm.needed,
        learned=np.concatenate([none == 1, *(part.learned for part in parts)]),
    )
