"""What is known of the series of a panel: how they behave, on which scale, and what days of calendars do to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from detectors.contract import Bools, Event, Floats
from detectors.seasonal.calendar import Places
from detectors.seasonal.domain import Domain, is_small_count, stretched, unstretched
from detectors.seasonal.hold import Hold
from detectors.seasonal.learner import Learner, Method, Outlook
from detectors.seasonal.running import Mean, quotient
from detectors.seasonal.textbook import Window


@dataclass
class Effect:
    """What a day of a calendar does to each series: sums of readings and of what was expected, ``[S]``."""

    observed: Mean
    expected: Mean

    @classmethod
    def none(cls, series: int) -> Effect:
        return cls(Mean.none(series), Mean.none(series))


@dataclass
class Knowledge:
    """``small[S]``: 1 where the readings are small counts, 2 where one of them proved that they are none ·
    ``begun[S]``: 1 once a reading was seen ·
    ``lowest[S]``: the smallest reading · ``effects`` by the name of the day."""

    learner: Learner
    small: Floats
    begun: Floats
    lowest: Floats
    effects: dict[str, Effect]
    window: Window
    hold: Hold

    @classmethod
    def none(cls, series: int, method: Method, names: Sequence[str] = ()) -> Knowledge:
        zeros = np.zeros(series), np.zeros(series), np.full(series, np.inf)
        effects = {name: Effect.none(series) for name in names}
        return cls(Learner.none(series, method), *zeros, effects, Window.none(series, method.cycles), Hold.none(series))

    def arrays(self) -> dict[str, Floats]:
        """Every array by its path; the last axis of each is the series."""
        return {path: getattr(owner, name) for path, owner, name in _leaves(self, "")}

    def replace(self, arrays: dict[str, Floats]) -> None:
        """Puts arrays in their places. Raises KeyError, ValueError where they are not those of this method."""
        for path, owner, name in _leaves(self, ""):
            if arrays[path].shape != getattr(owner, name).shape:
                raise ValueError(f"{path} has another shape")
            setattr(owner, name, arrays[path])

    def of(self, places: Places, method: Method) -> Knowledge:
        """The same for other columns: ``places[S]`` in this one, −1 for series that are new."""
        found = Knowledge.none(len(places), method, list(self.effects))
        known = places >= 0
        mine, fresh = self.arrays(), found.arrays()
        for path, array in fresh.items():
            array[..., known] = mine[path][..., places[known]]
        found.replace(fresh)
        return found

    def look(
        self,
        values: Floats,
        masked: Bools,
        day: int,
        bins: list[Places],
        hours: Places,
        events: Sequence[Event],
        method: Method,
        domain: Domain,
    ) -> Look:
        """Judges the rows ``[R, S]`` of one block, then learns them. ``events`` are active on rows of the block, which
        lies in the local ``day`` since 1970."""
        self._settle(values, method, domain)
        counts, shares = self.small > 0, domain == "share"
        training = np.isfinite(values) & ~masked
        for event in events:
            if event.effect != "annotate":
                training &= ~event.active[:, None]
        factor, width = self._expected_of(events, values.shape, method)
        ordinary = np.divide(values, factor, out=np.full(values.shape, np.nan), where=factor > 0)
        ordinary = stretched(ordinary, counts, shares)
        if method.cycles.count:
            self._learn_window(day, method)
            self.window.take(ordinary, training, bins[0], method.cycles)
        outlook = self.learner.block(ordinary, training, bins, hours, width, method)
        look = Look(outlook, counts, shares, factor, ordinary)
        self._learn_effects(events, values, look)
        self.begun = np.maximum(self.begun, np.isfinite(values).any(axis=0))
        self.lowest = np.minimum(self.lowest, np.where(np.isfinite(values), values, np.inf).min(axis=0, initial=np.inf))
        if domain == "auto":
            present = np.where(np.isfinite(values), values, 0.0)
            is_no_count = ((present < 0) | (present != np.floor(present))).any(axis=0)
            self.small = np.where((self.small > 0) & is_no_count, 2.0, self.small)
        return look

    def _settle(self, values: Floats, method: Method, domain: Domain) -> None:
        """Decides by the first block with readings whether they are small counts; what was proved wrong starts anew.

        Nothing of a first block is judged, and proof counts from the next block on: no verdict knows what comes after.
        """
        starting = (self.begun == 0) & np.isfinite(values).any(axis=0)
        wanted = is_small_count(values) if domain == "auto" else np.full(len(self.small), domain == "count")
        self.small = np.where(starting, wanted, self.small)
        if domain != "auto":
            return
        broken = self.small > 1
        if broken.any():
            places = np.where(broken, -1, np.arange(len(broken)))
            fresh = self.of(places, method)
            self.learner, self.effects, self.window, self.hold = fresh.learner, fresh.effects, fresh.window, fresh.hold
            self.small = np.where(broken, 0.0, self.small)

    def _expected_of(self, events: Sequence[Event], shape: tuple[int, ...], method: Method) -> tuple[Floats, Floats]:
        """The share of an ordinary reading that is expected under the events, and how much wider the bound is."""
        factor, width = np.ones(shape), np.ones(shape)
        for event in events:
            rows = event.active
            if event.effect == "widen":
                width[rows] = np.maximum(width[rows], method.recipe.event_width)
            if event.effect == "model":
                ratio = self._ratio(event.name)
                factor[rows] *= np.where(np.isfinite(ratio), ratio, 1.0)
                width[rows] = np.maximum(width[rows], np.where(np.isfinite(ratio), 1.0, method.recipe.event_width))
        return factor, width

    def _ratio(self, name: str) -> Floats:
        """Readings on earlier days of this name ÷ what was expected; NaN: not known, or not a matter of shares."""
        effect = self.effects.get(name)
        if effect is None:
            return np.full(len(self.small), np.nan)
        ratio = quotient(effect.observed.total, effect.expected.total)
        return np.where((self.lowest >= 0) & (ratio > 0), np.clip(ratio, 0.02, 50.0), np.nan)

    def _learn_window(self, day: int, method: Method) -> None:
        """Learns the seasons of the first profile again by STL or MSTL where a new cycle begins."""
        if self.window.advance(day, method.cycles):
            level = self.learner.levels[1]
            level.bins, enough = self.window.seasons(day, level.bins, method.cycles)
            level.cycles = np.where(enough, 1.0, level.cycles)

    def _learn_effects(self, events: Sequence[Event], values: Floats, look: Look) -> None:
        expected = look.plain(look.outlook.expected)
        for event in events:
            known = event.active[:, None] & np.isfinite(values) & np.isfinite(expected)
            if event.effect == "model" and known.any():
                effect = self.effects.setdefault(event.name, Effect.none(len(self.small)))
                effect.observed.take(values, known, 1.0)
                effect.expected.take(expected, known, 1.0)


@dataclass(frozen=True)
class Look:
    """An outlook with the way back to the metric's unit: ``factor[R, S]`` is what calendars make of it.

    ``ordinary[R, S]`` are the readings on the scale of distances, as they would be on an ordinary day.
    """

    outlook: Outlook
    counts: Bools
    shares: bool
    factor: Floats
    ordinary: Floats

    def plain(self, stretched_values: Floats) -> Floats:
        """In the metric's unit, on an ordinary day."""
        return unstretched(stretched_values, self.counts, self.shares)

    def actual(self, stretched_values: Floats) -> Floats:
        """In the metric's unit, on this day."""
        return self.plain(stretched_values) * self.factor


def _leaves(owner: object, path: str) -> Iterator[tuple[str, object, str]]:
    """Every array below ``owner``: its path, and where it hangs."""
    if isinstance(owner, dict):
        for key, entry in owner.items():
            yield from _leaves(entry, f"{path}/{key}")
    elif isinstance(owner, list):
        for place, entry in enumerate(owner):
            yield from _leaves(entry, f"{path}/{place}")
    elif is_dataclass(owner):
        for field in fields(owner):
            entry = getattr(owner, field.name)
            if isinstance(entry, np.ndarray):
                yield f"{path}/{field.name}", owner, field.name
            else:
                yield from _leaves(entry, f"{path}/{field.name}")
