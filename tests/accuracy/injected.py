"""Incidents of known kind and size, put into real series that have no labels.

Each copy of a series gets one incident per slot, far enough apart that none hides the next. Sizes are in standard
deviations of the residual around it, robust, from centred medians that look at the whole series and that no detector
sees. The untouched series is judged too: alerts there are false, and those in the same places are luck.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detectors.contract import Bools, Floats
from tests.accuracy.labelled import Series

SIZES = (3.0, 4.0, 6.0, 8.0, 10.0)
SIZED = ("spike", "dip", "outage", "shift", "drift")
KINDS = (*SIZED, "flatline", "gap", "phase", "no season")
_SMOOTHING_BIAS = 1.25  # a median over few cycles follows what it smooths: the true residual is larger
_TRIES = 40


@dataclass(frozen=True)
class Lengths:
    """Lengths in buckets: ``cycle`` of the season, ``trend`` and ``local`` windows of the decomposition, and how long
    each kind lasts."""

    cycle: int
    trend: int
    local: int
    warmup: int
    slot: int
    recovery: int
    outage: int
    shift: int
    shift_deadline: int
    ramp: int
    phase: int
    flat: tuple[int, ...]
    gap: tuple[int, ...]
    lag: tuple[int, ...]


LENGTHS = {
    3600: Lengths(168, 169, 336, 672, 336, 48, 4, 168, 48, 72, 96, (6, 12, 24), (3, 6, 24), (3, 6, 12)),
    86400: Lengths(7, 29, 45, 84, 42, 10, 2, 28, 14, 14, 28, (4, 6, 10), (1, 2, 4), (1, 2, 3)),
}


@dataclass(frozen=True)
class Incident:
    """``size`` standard deviations (runs and lags: buckets; no season: 0) · found by an alert from ``first`` to
    ``deadline``."""

    kind: str
    size: float
    first: int
    last: int
    deadline: int


@dataclass(frozen=True)
class Copy:
    """A series with incidents, and the same grid without."""

    altered: Series
    untouched: Series
    incidents: tuple[Incident, ...]


@dataclass(frozen=True)
class _Ground:
    """What the incidents are made of: readings, smooth course without season, residual, its local deviation."""

    values: Floats
    course: Floats
    residual: Floats
    deviation: Floats


def injected(series: Series, seed: int) -> Copy:
    """One copy with its own choice of incidents; the same for the same seed."""
    whole = on_full_grid(series)
    lengths = LENGTHS[series.step_s]
    ground = _ground(whole.values, lengths)
    random = np.random.default_rng([seed, *map(ord, series.key)])
    wanted = _in_turn(series, seed, lengths)
    values, incidents = whole.values.copy(), []
    for slot, (kind, size) in zip(_slots(len(whole), lengths), wanted, strict=False):
        first = _place(ground, slot, _duration(kind, size, lengths), lengths, random)
        if first is not None:
            incident = _planned(kind, size, first, lengths)
            _change(values, ground, incident, lengths, random.choice([-1.0, 1.0]))
            incidents.append(incident)
    values = _as_before(values, whole.values)
    windows = tuple((one.first, one.last) for one in incidents)
    altered = replace(whole, name=f"{series.name}~{seed}", values=values, windows=windows)
    return Copy(altered, whole, tuple(incidents))


def on_full_grid(series: Series) -> Series:
    """Every bucket of the span, NaN where the source has none; without labels, warm for the injection's warm-up."""
    places = np.round((series.times_s - series.times_s[0]) / series.step_s).astype(np.int64)
    values = np.full(int(places[-1]) + 1, np.nan)
    values[places] = series.values
    times_s = series.times_s[0] + series.step_s * np.arange(len(values), dtype=np.int64)
    warmup = LENGTHS[series.step_s].warmup
    return replace(series, times_s=times_s, values=values, windows=(), onsets=(), warmup=warmup)


def found(incident: Incident, alert: Bools) -> bool:
    """Whether an alert comes in time."""
    return bool(alert[incident.first : incident.deadline + 1].any())


def _ground(values: Floats, lengths: Lengths) -> _Ground:
    readings = pd.Series(values)
    course = readings.rolling(lengths.trend, center=True, min_periods=lengths.trend // 3).median()
    detrended = readings - course
    phase = np.arange(len(values)) % lengths.cycle
    season = detrended.groupby(phase).transform(lambda one: one.rolling(7, center=True, min_periods=2).median())
    residual = detrended - season
    around = (
        residual.abs().rolling(2 * lengths.local + 1, center=True, min_periods=lengths.local // 2).median() * 1.4826
    )
    floor = max(0.3 * 1.4826 * float(residual.abs().median()), 1e-12)
    deviation = _SMOOTHING_BIAS * np.maximum(around.fillna(floor).to_numpy(dtype=np.float64), floor)
    return _Ground(values, course.to_numpy(), residual.to_numpy(), deviation)


def _in_turn(series: Series, seed: int, lengths: Lengths) -> list[tuple[str, float]]:
    """All kinds and sizes in one fixed mixed order; each copy begins elsewhere in it, so all come equally often."""
    each = [(kind, size) for kind in SIZED for size in SIZES] + [("no season", 0.0)] * 3
    runs: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("flatline", lengths.flat),
        ("gap", lengths.gap),
        ("phase", lengths.lag),
    )
    each += [(kind, float(length)) for kind, several in runs for length in several]
    order = np.random.default_rng(20).permutation(len(each))
    begin = (sum(map(ord, series.name)) + 31 * seed) % len(each)
    return [each[order[(begin + turn) % len(each)]] for turn in range(200)]


def _slots(length: int, lengths: Lengths) -> range:
    return range(lengths.warmup, length - lengths.slot + 1, lengths.slot)


def _place(ground: _Ground, slot: int, duration: int, lengths: Lengths, random: np.random.Generator) -> int | None:
    """A first bucket in the slot where nothing unusual is going on (None: there is none)."""
    room = max(1, lengths.slot - lengths.recovery - duration)
    for _ in range(_TRIES):
        first = slot + int(random.integers(0, room))
        around = slice(max(0, first - 6), first + min(duration, 24) + 6)
        unusual = ~(np.abs(ground.residual[around]) <= 5 * ground.deviation[around])
        if first + duration < len(ground.values) and not unusual.any():
            return first
    return None


def _duration(kind: str, size: float, lengths: Lengths) -> int:
    fixed = {"spike": 1, "dip": 1, "outage": lengths.outage, "shift": lengths.shift, "drift": lengths.shift}
    fixed |= {"phase": lengths.phase, "no season": lengths.phase}
    return fixed.get(kind, int(size))


def _planned(kind: str, size: float, first: int, lengths: Lengths) -> Incident:
    last = first + _duration(kind, size, lengths) - 1
    deadlines = {"shift": first + lengths.shift_deadline, "drift": first + lengths.ramp + lengths.shift_deadline // 2}
    deadlines |= {"phase": last, "no season": last}
    return Incident(kind, size, first, last, deadlines.get(kind, last + 2))


def _change(values: Floats, ground: _Ground, incident: Incident, lengths: Lengths, sign: float) -> None:
    """Writes the incident into ``values``."""
    span = slice(incident.first, incident.last + 1)
    by = incident.size * float(np.median(ground.deviation[span]))
    since = np.arange(1, incident.last - incident.first + 2)
    changes: dict[str, Callable[[], Floats | float]] = {
        "spike": lambda: values[span] + by,
        "dip": lambda: values[span] - by,
        "outage": lambda: values[span] - by,
        "shift": lambda: values[span] + sign * by,
        "drift": lambda: values[span] + sign * by * np.minimum(1.0, since / lengths.ramp),
        "flatline": lambda: float(ground.values[incident.first - 1]),
        "gap": lambda: np.nan,
        "phase": lambda: ground.values[span.start - int(incident.size) : span.stop - int(incident.size)],
        "no season": lambda: ground.course[span] + ground.residual[span],
    }
    values[span] = changes[incident.kind]()


def _as_before(values: Floats, before: Floats) -> Floats:
    """Not below zero where the source never was; whole where the source was whole."""
    known = before[np.isfinite(before)]
    if known.min() >= 0:
        values = np.maximum(values, 0.0)
    if np.all(np.isclose(known % 1, 0)):
        values = np.round(values)
    return values
