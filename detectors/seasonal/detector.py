"""The detector: parameters, the walk over the blocks of a panel, and the explanation of one point."""

from __future__ import annotations

import itertools
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from detectors.buckets import Bucket
from detectors.contract import UNKNOWN, Detector, Event, Explanation, Floats, Panel, Verdicts
from detectors.rates import Rate
from detectors.seasonal.calendar import SEASONS, Calendar, Season, profiles
from detectors.seasonal.domain import Domain
from detectors.seasonal.hold import Held, accepted_s
from detectors.seasonal.knowledge import Knowledge, Look
from detectors.seasonal.learner import Method
from detectors.seasonal.memory import Past, is_usable, packed, recalled
from detectors.seasonal.recipe import RECIPE, Recipe
from detectors.seasonal.textbook import Model
from detectors.seasonal.verdict import Part, judged, rate_per_month

_SENSITIVITY = {"low": 1.0, "normal": 2.0, "high": 4.0}
_WEEKS_PER_MONTH = 30.0 / 7.0


class Seasonal(Detector):
    """Says how rare a reading is for its own series, and calls it anomalous where it is rarer than the budget.

    value = level + seasons + calendar + residual. Profiles of the day and the week (``1d``: week, month, year; ``1w``,
    ``1mo``: year), in the panel's local time, and levels with a short and a long memory forecast each bucket; the
    forecaster with the smallest usual error is believed. How often distances like this one come is learned from the
    series' own history and checked against the pages it would have raised: score 1 is the budget's rate, 2 ten times
    rarer. Masked readings and those under an event (other than ``annotate``) never train; an anomaly trains clipped.
    What lasts stays anomalous until a new level is accepted, after two days (at least 6 buckets, at most 48). Nothing
    is judged before 40 readings.

    >>> import numpy as np
    >>> hours = np.arange(24 * 30)
    >>> values = 100 + 40 * np.sin(hours * 2 * np.pi / 24) + hours % 5
    >>> values[-1] = 400
    >>> times = np.datetime64("2026-01-05", "us") + hours * np.timedelta64(1, "h")
    >>> panel = Panel(times, values[:, None], ({},), "1h", "UTC")
    >>> Seasonal().judge(panel, since=times[-2]).status.tolist()
    [['ok'], ['anomaly']]
    """

    recipe: ClassVar[Recipe] = RECIPE

    budget: Rate = 2.0 / _WEEKS_PER_MONTH
    """How often people want to hear of a subscription, all its series together: 2/month, 1/week."""
    sensitivity: Literal["low", "normal", "high"] | None = None
    """Instead of a budget: low, normal or high are 1, 2 or 4 a month."""
    seasons: Literal["auto"] | tuple[Season, ...] = "auto"
    """Seasons that may be learned: auto, or a list of day, week, month, year (empty: none)."""
    model: Model = "profile"
    """How seasons are learned: profile (running means), or the textbook's stl (one season) and mstl (day and week)."""
    domain: Domain = "auto"
    """How noise grows: real (it does not), count (with the root), share (less near 0 and 1); auto: small counts."""

    @model_validator(mode="after")
    def _spends_once(self) -> Self:
        if self.sensitivity is not None and "budget" in self.model_fields_set:
            raise ValueError("write budget or sensitivity, not both: sensitivity is a budget of 1, 2 or 4 a month")
        return self

    @property
    def rate(self) -> float:
        """The budget in events per week."""
        if self.sensitivity is not None and "budget" not in self.model_fields_set:
            return _SENSITIVITY[self.sensitivity] / _WEEKS_PER_MONTH
        return self.budget

    def shared_by(self, series: int) -> Detector:
        return self.model_copy(update={"budget": self.rate / max(series, 1), "sensitivity": None})

    def spends(self) -> float:
        return self.rate

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        bucket, method = Bucket.parse(panel.bucket), self._method(panel)
        past = recalled(state, panel, self._key(), method)
        knowledge, begun, parts = self._walk(past, panel, since, bucket, method)
        kept = packed(knowledge, begun, past, panel, self._key())
        rows = past.times >= since
        return Verdicts(times=past.times[rows], state=kept, **_stacked(parts, len(panel.labels)))

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """Raises ValueError when no bucket of the panel starts at ``time``."""
        method = self._method(panel)
        past = _until(recalled(state, panel, self._key(), method), series, time, method)
        if not len(past.times) or past.times[-1] != time:
            raise ValueError(f"no bucket starts at {time}")
        bucket = Bucket.parse(panel.bucket)
        calendar = Calendar.of(past.times, bucket, panel.timezone)
        edges = calendar.edges()
        for begin, end in itertools.pairwise(edges[:-1]):
            self._held(past.knowledge, self._look(past, calendar, int(begin), int(end), method), method)
        profiled = deepcopy(past.knowledge)
        look = self._look(past, calendar, int(edges[-2]), int(edges[-1]), method)
        held = self._held(past.knowledge, look, method)
        part = judged(past.values[edges[-2] :], look, held, self.rate, method.recipe)
        return self._told(part, look, held, profiled, calendar, method)

    def history(self, panel_bucket: str) -> np.timedelta64:
        """Rates are learned for half a year; minutes know enough after weeks, days need years."""
        days = {"1d": 1100, "1w": 2200, "1mo": 3700}
        width = Bucket.parse(panel_bucket).nominal.total_seconds()
        fixed = 28 if width < 300 else 56 if width < 1800 else 182
        return np.timedelta64(days.get(panel_bucket, fixed), "D")

    def remembers(self, state: bytes, panel: Panel) -> bool:
        return is_usable(state, panel, self._key(), self._method(panel))

    def _key(self) -> str:
        return f"{self.model} {self.domain} {self.seasons}"

    def _method(self, panel: Panel) -> Method:
        bucket = Bucket.parse(panel.bucket)
        wanted = SEASONS if self.seasons == "auto" else self.seasons
        if self.model == "stl" and bucket.nominal < timedelta(days=1):
            wanted = tuple(one for one in wanted if one == "day")
        possible = profiles(bucket, wanted)
        if self.model != "profile":
            possible = possible[-1:] if bucket.nominal < timedelta(days=1) else possible[:1]
        return Method(bucket.nominal.total_seconds(), possible, self.recipe, self.model)

    def _walk(
        self, past: Past, panel: Panel, since: np.datetime64, bucket: Bucket, method: Method
    ) -> tuple[Knowledge, np.datetime64, list[Part]]:
        """Judges and learns block by block: what was known as the last block began, when that was, and the verdicts."""
        calendar = Calendar.of(past.times, bucket, panel.timezone)
        edges, parts = calendar.edges(), []
        known, begun = past.knowledge, since
        for begin, end in itertools.pairwise(edges):
            if end == edges[-1]:
                known, begun = deepcopy(past.knowledge), past.times[begin]
            look = self._look(past, calendar, int(begin), int(end), method)
            held = self._held(past.knowledge, look, method)
            first = max(int(begin), int(np.searchsorted(past.times, since)))
            if first < end:
                found = judged(past.values[begin:end], look, held, self.rate, method.recipe)
                parts.append(_cut(found, first - int(begin)))
        return known, begun, parts

    def _held(self, knowledge: Knowledge, look: Look, method: Method) -> Held:
        held = knowledge.hold.follow(look.ordinary, look.outlook, self.rate, method.width_s, method.recipe)
        drifting = np.nan_to_num(held.drift).max(axis=0, initial=0.0) > 1.0
        knowledge.learner.trend.lasted(drifting, len(held.drift) * method.width_s, accepted_s(method.width_s))
        return held

    def _look(self, past: Past, calendar: Calendar, begin: int, end: int, method: Method) -> Look:
        rows = slice(begin, end)
        here = Calendar(calendar.day[rows], calendar.second[rows], calendar.block[rows])
        bins = [here.bins(profile) for profile in method.profiles]
        events = [event for event in (_part(one, rows) for one in past.events) if event.active.any()]
        with np.errstate(all="ignore"):
            return past.knowledge.look(
                past.values[rows],
                past.masked[rows],
                int(calendar.day[begin]),
                bins,
                here.second // 3600,
                events,
                method,
                self.domain,
            )

    def _told(
        self, part: Part, look: Look, held: Held, profiled: Knowledge, calendar: Calendar, method: Method
    ) -> Explanation:
        """The last row of a block of one series, taken apart."""
        status, expected = part.status[-1, 0], float(part.expected[-1, 0])
        known = status != UNKNOWN
        followed = look.outlook.expected[-1:, :] - look.outlook.season[-1:, :]
        stretched_level = np.where(np.isfinite(held.level[-1:, :]), held.level[-1:, :], followed)
        level = float(look.plain(stretched_level)[0, 0])
        seasons, total = {}, stretched_level
        for name, share in _seasons(profiled, calendar, look, method).items():
            seasons[name] = float((look.plain(total + share) - look.plain(total))[0, 0])
            total = total + share
        return Explanation(
            level=level if known else np.nan,
            seasons=seasons if known else {},
            calendar=expected - level - sum(seasons.values()) if known else np.nan,
            residual=float(part.observed[-1, 0]) - expected,
            expected=expected,
            lower=float(part.lower[-1, 0]),
            upper=float(part.upper[-1, 0]),
            score=float(part.score[-1, 0]),
            expected_per_month=rate_per_month(float(part.score[-1, 0]), self.rate) if known else np.nan,
            status=status,
            reason=str(part.reason[-1, 0]),
        )


def _seasons(profiled: Knowledge, calendar: Calendar, look: Look, method: Method) -> dict[str, Floats]:
    """The season of the last row by name: a week with hours is what all days share, and what this one adds."""
    place = int(look.outlook.choice[0])
    if place == 0:
        return {}
    profile, whole = method.profiles[place - 1], look.outlook.season[-1:, :]
    names = [one.season for one in method.profiles]
    if profile.season == "week" and profile.a_day:
        of_day = profiled.learner.levels[place].bins.reshape(7, profile.a_day, -1).mean(axis=0)
        bin_of_day = int(calendar.bins(profile)[-1]) % profile.a_day
        daily = of_day[bin_of_day : bin_of_day + 1]
        return {"day": daily, "week": whole - daily}
    if profile.on in names:
        own = profiled.learner.levels[place].bins[calendar.bins(profile)[-1:]]
        return {str(profile.on): whole - own, profile.season: own}
    return {profile.season: whole}


def _part(event: Event, rows: slice) -> Event:
    return replace(event, active=event.active[rows])


def _until(past: Past, series: int, time: np.datetime64, method: Method) -> Past:
    """One series, up to and including the bucket at ``time``."""
    rows, column = past.times <= time, slice(series, series + 1)
    knowledge = past.knowledge.of(np.array([series]), method)
    events = tuple(replace(event, active=event.active[rows]) for event in past.events)
    return Past(knowledge, past.times[rows], past.values[rows][:, column], past.masked[rows][:, column], events)


def _cut(part: Part, begin: int) -> Part:
    return Part(*(getattr(part, name)[begin:] for name in _NAMES))


_NAMES = ("observed", "expected", "lower", "upper", "score", "status", "direction", "reason")


def _stacked(parts: list[Part], series: int) -> dict[str, np.ndarray]:
    if not parts:
        empty = np.empty((0, series))
        kinds = {"status": object, "direction": np.int8, "reason": object}
        return {name: empty.astype(kinds.get(name, np.float64)) for name in _NAMES}
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES}
