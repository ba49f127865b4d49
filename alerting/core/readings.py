"""What all detect entries of one subscription together say of one metric: the loudest that the guard lets through.

Arrays until a scalar is needed: ``[J, S]`` over judged buckets and the series of the panel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alerting.core import calendars
from alerting.core.figures import amount, percent
from alerting.core.incidents import SEVERITIES, Reading
from config.model import Detect, Guard, Require
from detectors.contract import ANOMALY, OK, Bools, Event, Floats, Instants, Panel, Verdicts

Codes = NDArray[np.int8]
Better = Literal["higher", "lower"]
STATUSES: tuple[Literal["ok", "anomaly", "unknown", "no_data"], ...] = ("ok", "anomaly", "unknown", "no_data")
IS_OK, IS_ANOMALY, IS_UNKNOWN, IS_NO_DATA = range(4)
MET, BY_DIRECTION, BY_CHANGE, BY_DIFFERENCE, BY_VOTE, BY_CALENDAR = range(6)

# How loud a voice is: nothing said, unknown, ok, then anomalies by severity.
_SILENT, _UNSURE, _CONTENT, _ALARMED = range(4)


@dataclass(frozen=True)
class Judged:
    """One detect entry's verdicts; ``columns[k]`` is the series of the panel that verdict column ``k`` judges."""

    detect: Detect
    verdicts: Verdicts
    columns: Sequence[int]


@dataclass(frozen=True)
class Combined:
    """Combined readings of one (subscription, metric). ``times[J]``, ``labels[S]``, all else ``[J, S]``.

    ``status`` indexes STATUSES, ``severity`` SEVERITIES, ``entry`` the judged entries (−1: none speaks); ``guard`` says
    which guard turned an anomaly into ok (0: none), or that a calendar mutes it; ``votes`` how many entries call the
    point anomalous, after the guards, and ``needed[S]`` how many must. ``events`` are those of the panel, whose bucket
    ``offset`` is bucket 0 here.
    """

    times: Instants
    labels: tuple[Mapping[str, str], ...]
    judged: tuple[Judged, ...]
    rules: Guard
    status: Codes
    severity: Codes
    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    direction: Codes
    entry: NDArray[np.int16]
    guard: Codes
    votes: Codes
    needed: Codes
    events: tuple[Event, ...] = ()
    offset: int = 0
    whole: Combined | None = field(default=None, repr=False, compare=False)
    """What this is a part of: it has the same series, and has looked up their places."""

    @cached_property
    def places(self) -> Mapping[frozenset[tuple[str, str]], int]:
        """The column of each series by its labels."""
        if self.whole is not None:
            return self.whole.places
        return {frozenset(labels.items()): s for s, labels in enumerate(self.labels)}

    @cached_property
    def buckets(self) -> list[datetime]:
        """``times`` as aware UTC datetimes."""
        return [moment.replace(tzinfo=UTC) for moment in self.times.astype("datetime64[us]").tolist()]

    @property
    def quiet(self) -> Bools:
        """``[J]``, True where a calendar mutes."""
        return calendars.muted(self.events, self.offset, self.offset + len(self.times))

    def part(self, begin: int, end: int) -> Combined:
        """Buckets ``begin`` ≤ j < ``end`` alone: a replay combines once and then goes on bucket by bucket."""
        grids = (
            "status", "severity", "observed", "expected", "lower", "upper", "score", "direction", "entry", "guard",
            "votes",
        )  # fmt: skip
        parts = {name: getattr(self, name)[begin:end] for name in grids}
        # A replay takes each bucket apart: the events stay whole, because cutting dozens of them would cost more.
        whole = self.whole or self
        return replace(self, times=self.times[begin:end], offset=self.offset + begin, whole=whole, **parts)

    def reading(self, j: int, s: int) -> Reading:
        """Bucket ``j`` of series ``s`` as one value."""
        entry = int(self.entry[j, s])
        return Reading(
            bucket=self.buckets[j],
            status=STATUSES[self.status[j, s]],
            severity=SEVERITIES[self.severity[j, s]],
            observed=float(self.observed[j, s]),
            expected=float(self.expected[j, s]),
            lower=float(self.lower[j, s]),
            upper=float(self.upper[j, s]),
            score=float(self.score[j, s]),
            direction=int(self.direction[j, s]),
            detector=self.judged[entry].detect.key if entry >= 0 else "",
            reason=self._reason(j, s, entry),
            calendar=calendars.names_at(self.events, self.offset + j),
        )

    def _reason(self, j: int, s: int, entry: int) -> str:
        if entry < 0:
            return "no detect entry judges this series"
        if self.guard[j, s] == BY_VOTE:
            return f"require: {self.votes[j, s]} of {self.needed[s]} detectors needed"
        if self.guard[j, s] != MET:
            return self._guard_reason(j, s)
        if self.status[j, s] == IS_NO_DATA:
            return "no reading"
        judged = self.judged[entry]
        row = int(np.searchsorted(judged.verdicts.times, self.times[j]))
        return str(judged.verdicts.reason[row, self._verdict_columns[entry][s]])

    @cached_property
    def _verdict_columns(self) -> tuple[Mapping[int, int], ...]:
        if self.whole is not None:
            return self.whole._verdict_columns
        return tuple({int(s): k for k, s in enumerate(judged.columns)} for judged in self.judged)

    def _guard_reason(self, j: int, s: int) -> str:
        observed, expected = float(self.observed[j, s]), float(self.expected[j, s])
        if self.guard[j, s] == BY_CALENDAR:
            return calendars.muting(self.events, self.offset + j)
        if self.guard[j, s] == BY_DIRECTION:
            return f"guard: {'up' if self.direction[j, s] > 0 else 'down'} is not {self.rules.direction}"
        if self.guard[j, s] == BY_CHANGE:
            change = abs(observed - expected) / abs(expected)
            return f"guard: {percent(change)} < {percent(self.rules.min_change or 0)}"
        return f"guard: {amount(abs(observed - expected))} < {amount(self.rules.min_difference or 0)}"


def combine(
    judged: Sequence[Judged | tuple[Detect, Verdicts, Sequence[int]]],
    *,
    panel: Panel,
    since: np.datetime64,
    guard: Guard,
    better: Better | None,
    require: Require = "any",
) -> Combined:
    """Combines the entries over buckets ≥ ``since``: the most severe wins, then the highest score, then the first.

    An anomaly that a guard stops is ok and says so; a point is unknown only where no entry knows; a NaN that nobody
    calls anomalous is no_data, and only in series that some entry judges. Where fewer entries than ``require`` call a
    point anomalous it is ok and says so, and unknown while those that do not know could still make it enough; ``all``
    means all entries that judge the series. Where a calendar mutes, anomalies and no_data are unknown.
    """
    first = int(np.searchsorted(panel.times, since))
    entries = tuple(item if isinstance(item, Judged) else Judged(*item) for item in judged)
    voice = _Voice.silent(panel.times[first:], panel.values[first:])
    for index, entry in enumerate(entries):
        voice.hear(index, entry, guard, better)
    combined = voice.combined(panel.labels, entries, guard, needed_votes(entries, len(panel.labels), require))
    return _muted(replace(combined, events=panel.events, offset=first))


def needed_votes(judged: Sequence[Judged], series: int, require: Require) -> Codes:
    """How many entries must agree, ``[S]``; a number is meant as it is, where fewer entries judge a series too."""
    if require != "all":
        return np.full(series, 1 if require == "any" else require, np.int8)
    judging = np.zeros(series, np.int8)
    for entry in judged:
        judging[list(entry.columns)] += 1
    return np.maximum(judging, 1)


def _muted(combined: Combined) -> Combined:
    """What would open something holds instead: an incident from before is still open when the day is over."""
    held = combined.quiet[:, None] & ((combined.status == IS_ANOMALY) | (combined.status == IS_NO_DATA))
    if not held.any():
        return combined
    status = np.where(held, np.int8(IS_UNKNOWN), combined.status)
    return replace(combined, status=status, guard=np.where(held, np.int8(BY_CALENDAR), combined.guard))


@dataclass
class _Voice:
    """The loudest entry so far, per point. Mutable: it lives only inside ``combine``."""

    times: Instants
    observed: Floats
    loudness: Codes
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    direction: Codes
    entry: NDArray[np.int16]
    guard: Codes
    votes: Codes
    unsure: Codes

    @classmethod
    def silent(cls, times: Instants, observed: Floats) -> _Voice:
        shape = observed.shape
        return cls(
            times=times,
            observed=observed,
            loudness=np.zeros(shape, np.int8),
            expected=np.full(shape, np.nan),
            lower=np.full(shape, np.nan),
            upper=np.full(shape, np.nan),
            score=np.full(shape, np.nan),
            direction=np.zeros(shape, np.int8),
            entry=np.full(shape, -1, np.int16),
            guard=np.zeros(shape, np.int8),
            votes=np.zeros(shape, np.int8),
            unsure=np.zeros(shape, np.int8),
        )

    def hear(self, index: int, judged: Judged, guard: Guard, better: Better | None) -> None:
        verdicts = judged.verdicts
        rows, kept = _rows(self.times, verdicts.times)
        here = _index(rows, np.asarray(judged.columns, dtype=np.intp), self.observed.shape)
        score, expected = verdicts.score[kept], verdicts.expected[kept]
        direction = verdicts.direction[kept]
        anomalous = np.asarray(verdicts.status[kept] == ANOMALY, dtype=bool)
        stopped = _stopped(anomalous, self.observed[here], expected, direction, guard, better)
        fine = np.asarray(verdicts.status[kept] == OK, dtype=bool) | (stopped != MET)
        loudness = np.where(
            anomalous & (stopped == MET),
            _ALARMED + _severity(judged.detect, score),
            np.where(fine, _CONTENT, _UNSURE),
        ).astype(np.int8)
        self.votes[here] += loudness >= _ALARMED
        self.unsure[here] += loudness == _UNSURE
        louder = _is_louder(loudness, score, self.loudness[here], self.score[here])
        for ours, theirs in (
            (self.loudness, loudness),
            (self.expected, expected),
            (self.lower, verdicts.lower[kept]),
            (self.upper, verdicts.upper[kept]),
            (self.score, score),
            (self.direction, direction),
            (self.guard, stopped),
            (self.entry, np.int16(index)),
        ):
            ours[here] = np.where(louder, theirs, ours[here])

    def combined(
        self, labels: tuple[Mapping[str, str], ...], judged: tuple[Judged, ...], guard: Guard, needed: Codes
    ) -> Combined:
        alarmed = (self.loudness >= _ALARMED) & (self.votes >= needed)
        outvoted = (self.loudness >= _ALARMED) & ~alarmed
        fine = (self.loudness == _CONTENT) | (outvoted & (self.votes + self.unsure < needed))
        status = np.where(alarmed, IS_ANOMALY, np.where(fine, IS_OK, IS_UNKNOWN))
        empty = np.isnan(self.observed) & ~alarmed & (self.loudness > _SILENT)
        warning = SEVERITIES.index("warning")
        return Combined(
            times=self.times,
            labels=labels,
            judged=judged,
            rules=guard,
            status=np.where(empty, IS_NO_DATA, status).astype(np.int8),
            severity=np.where(alarmed, self.loudness - _ALARMED, warning).astype(np.int8),
            observed=self.observed,
            expected=self.expected,
            lower=self.lower,
            upper=self.upper,
            score=self.score,
            direction=self.direction,
            entry=self.entry,
            guard=np.where(outvoted & ~empty, np.int8(BY_VOTE), self.guard),
            votes=self.votes,
            needed=needed,
        )


def _rows(times: Instants, judged: Instants) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of ours that were judged, and the verdict rows they correspond to."""
    if not len(times):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    places = np.minimum(np.searchsorted(times, judged), len(times) - 1)
    kept = np.flatnonzero(times[places] == judged)
    return places[kept], kept


Index = tuple[slice, slice] | tuple[NDArray[np.intp], ...]


def _index(rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]) -> Index:
    # Slices are views: the usual case (all series, adjacent buckets) then copies nothing.
    adjacent = len(rows) > 0 and rows[-1] - rows[0] + 1 == len(rows)
    if adjacent and len(columns) == shape[1] and bool((columns == np.arange(shape[1])).all()):
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(None)
    return np.ix_(rows, columns)


def _severity(detect: Detect, score: Floats) -> Codes:
    if detect.severity is not None:
        return np.full(score.shape, SEVERITIES.index(detect.severity), np.int8)
    critical = np.inf if detect.critical is None else detect.critical
    return np.where(score >= critical, SEVERITIES.index("critical"), SEVERITIES.index("warning")).astype(np.int8)


def _is_louder(loudness: Codes, score: Floats, before: Codes, score_before: Floats) -> Bools:
    ours = np.where(np.isnan(score), -np.inf, score)
    theirs = np.where(np.isnan(score_before), -np.inf, score_before)
    louder: Bools = (loudness > before) | ((loudness == before) & (ours > theirs))
    return louder


def _stopped(
    anomalous: Bools, observed: Floats, expected: Floats, direction: Codes, guard: Guard, better: Better | None
) -> Codes:
    """Which guard stops each anomaly. What cannot be measured (no expectation, no direction) stops nothing."""
    stopped = np.zeros(anomalous.shape, np.int8)
    if not anomalous.any():
        return stopped
    distance = np.abs(observed - expected)
    if guard.min_difference is not None:
        stopped[anomalous & (distance < guard.min_difference)] = BY_DIFFERENCE
    if guard.min_change is not None:
        stopped[anomalous & (distance < guard.min_change * np.abs(expected))] = BY_CHANGE
    wanted = _wanted(guard, better)
    if wanted:
        stopped[anomalous & (direction == -wanted)] = BY_DIRECTION
    return stopped


def _wanted(guard: Guard, better: Better | None) -> int:
    """The only direction that counts, 0 = both; ``worse`` needs ``better`` to mean anything."""
    if guard.direction == "worse":
        return {"higher": -1, "lower": 1, None: 0}[better]
    return {"up": 1, "down": -1, "both": 0}[guard.direction]
