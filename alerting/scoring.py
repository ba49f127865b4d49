"""Scores one series from a CSV file, as if each line had just arrived: what ``metricwatch score`` runs.

A line is judged at its bucket, with its own value, against what the lines before it taught. Of several lines in one
bucket the last reading teaches; a line that comes after a later bucket has begun is judged, but teaches nothing. So
line t depends on the lines up to t only, duplicates and disorder included.
"""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from detectors import UNKNOWN, Detector, Panel, Verdicts
from detectors.buckets import Bucket, as_datetime, as_instant
from detectors.contract import Floats, Instants

COLUMNS = ("time", "value", "expected", "lower", "upper", "score", "status")
_ROWS_TO_GUESS_FROM = 40
_MOST_BUCKETS = 20_000_000
_STRETCH = 20_000
_LATEST_EPOCH_S = 32_503_680_000  # the year 3000
_EMPTY = {"", "nan", "na", "n/a", "null", "none"}
_MINUTES = [minutes for minutes in range(1, 12 * 60 + 1) if 24 * 60 % minutes == 0]
_WIDTHS = [*(f"{m}m" if m % 60 else f"{m // 60}h" for m in _MINUTES), "1d", "1w", "1mo"]

Progress = Callable[[int, int], None]
"""Called with the number of buckets judged and their total."""


class UnreadableSeries(ValueError):
    """The file is not a series; the message names file, line and what is wrong there."""


@dataclass(frozen=True)
class Line:
    """One line of the file: ``time`` and ``value`` as written, and what they mean (NaN = no reading)."""

    time: str
    value: str
    instant: datetime
    reading: float


@dataclass(frozen=True)
class Judged:
    """What a detector says of one line; numbers are NaN where ``status`` is ``unknown``."""

    expected: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    score: float = math.nan
    status: str = UNKNOWN


def read(lines: Iterable[str], name: str, timezone: str) -> list[Line]:
    """The series in a CSV text with the columns ``time`` (or ``timestamp``) and ``value``. Raises UnreadableSeries."""
    reader = csv.reader(lines)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        clock, value = _columns(header, name)
        zone = ZoneInfo(timezone)
        return [_line(row, clock, value, zone, f"{name}:{reader.line_num}") for row in reader if row]
    except UnicodeDecodeError as exc:
        raise UnreadableSeries(f"{name}: is not UTF-8 text") from exc
    except csv.Error as exc:
        raise UnreadableSeries(f"{name}:{reader.line_num}: {exc}") from exc


def score(
    lines: Sequence[Line], detector: Detector, *, bucket: str | None, timezone: str, progress: Progress | None = None
) -> list[Judged]:
    """One verdict for each line. Raises ValueError for a bucket that is none, or times too far apart for it."""
    blind = 0 if bucket else min(_ROWS_TO_GUESS_FROM, len(lines))
    if blind == len(lines):
        return [Judged()] * len(lines)
    width = Bucket.parse(bucket) if bucket else commonest_spacing([line.instant for line in lines[:blind]])
    grid = _grid(lines, width, timezone)
    judged = _Replay(grid, detector, width, timezone).verdicts(lines, progress or _silent)
    return [Judged()] * blind + judged[blind:]


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def write(lines: Sequence[Line], judged: Sequence[Judged]) -> Iterator[str]:
    """The answer as lines of CSV, the header first."""
    yield ",".join(COLUMNS)
    for line, verdict in zip(lines, judged, strict=True):
        numbers = (verdict.expected, verdict.lower, verdict.upper, verdict.score)
        yield ",".join((_quoted(line.time), _quoted(line.value), *map(_number, numbers), verdict.status))


def commonest_spacing(instants: Sequence[datetime]) -> Bucket:
    """The widest bucket that is not wider than the commonest step between these instants (of several the smallest)."""
    steps = Counter(after - before for before, after in pairwise(instants) if after > before)
    step = min(steps, key=lambda one: (-steps[one], one)) if steps else timedelta(0)
    widths = [Bucket.parse(text) for text in _WIDTHS]
    # Months are 28 to 31 days, and days and weeks an hour shorter where the clock is set forward.
    fitting = [one for one in widths if one.nominal - _slack(one) <= step]
    return max(fitting, key=lambda one: one.nominal, default=widths[0])


def _slack(bucket: Bucket) -> timedelta:
    if bucket.text == "1mo":
        return timedelta(days=2)
    return timedelta(hours=1) if bucket.is_calendar else timedelta(0)


@dataclass(frozen=True)
class _Grid:
    """``times[T]``, ``values[T]`` what each bucket teaches · ``places[L]`` the bucket of each line (−1: before all)
    · ``late[L]`` lines that came after a later bucket had begun."""

    times: Instants
    values: Floats
    places: list[int]
    late: list[bool]


def _grid(lines: Sequence[Line], bucket: Bucket, timezone: str) -> _Grid:
    starts = bucket.floor(np.array([as_instant(line.instant) for line in lines]), timezone)
    latest = np.maximum.accumulate(starts)
    span = as_datetime(latest[-1]) - as_datetime(starts[0])
    if span / bucket.nominal > _MOST_BUCKETS:
        raise UnreadableSeries(
            f"times from {lines[0].time} on span {span.days} days: too many buckets of {bucket.text}"
        )
    times = bucket.starts(as_datetime(starts[0]), as_datetime(latest[-1]) + timedelta(microseconds=1), timezone)
    places = np.where(starts < starts[0], -1, np.searchsorted(times, starts)).tolist()
    late = (starts < latest).tolist()
    values = np.full(len(times), np.nan)
    for line, place, is_late in zip(lines, places, late, strict=True):
        if not is_late and not math.isnan(line.reading):
            values[place] = line.reading
    return _Grid(times, values, places, late)


@dataclass(frozen=True)
class _Replay:
    """Judges the grid in stretches, and at the start of each the lines that disagree with what its bucket teaches."""

    grid: _Grid
    detector: Detector
    bucket: Bucket
    timezone: str

    def verdicts(self, lines: Sequence[Line], progress: Progress) -> list[Judged]:
        judged = [Judged()] * len(lines)
        agreeing, differing = self._sorted(lines)
        total = len(self.grid.times)
        state: bytes | None = None
        for first, end in _stretches(total, differing):
            for index in differing.get(first, ()):
                known = None if self.grid.late[index] else state
                judged[index] = _judged(self._judge(first, first + 1, lines[index].reading, known), 0)
            found = self._judge(first, end, None, state)
            state = found.state or None
            for place in range(first, end):
                for index in agreeing.get(place, ()):
                    judged[index] = _judged(found, place - first)
            progress(end, total)
        return judged

    def _sorted(self, lines: Sequence[Line]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """The lines of each bucket that say what it teaches, and those that say something else."""
        agreeing: dict[int, list[int]] = defaultdict(list)
        differing: dict[int, list[int]] = defaultdict(list)
        for index, (line, place) in enumerate(zip(lines, self.grid.places, strict=True)):
            if place >= 0 and not math.isnan(line.reading):
                same = line.reading == self.grid.values[place]
                (agreeing if same else differing)[place].append(index)
        return agreeing, differing

    def _judge(self, first: int, end: int, instead: float | None, state: bytes | None) -> Verdicts:
        """Judges the buckets from ``first`` up to ``end``, the last with another reading if one is given."""
        # What the state knows need not be read again, and a detector that reads it again would learn it anew.
        lookback = self.detector.history(self.bucket.text)
        begin = first if state else int(np.searchsorted(self.grid.times, self.grid.times[first] - lookback))
        values = self.grid.values[begin:end, None].copy()
        if instead is not None:
            values[-1] = instead
        panel = Panel(self.grid.times[begin:end], values, ({},), self.bucket.text, self.timezone)
        return self.detector.judge(panel, since=self.grid.times[first], state=state)


def _stretches(total: int, cuts: Iterable[int]) -> list[tuple[int, int]]:
    edges = sorted({0, total, *cuts, *range(0, total, _STRETCH)})
    return list(pairwise(edges))


def _judged(verdicts: Verdicts, row: int) -> Judged:
    return Judged(
        expected=float(verdicts.expected[row, 0]),
        lower=float(verdicts.lower[row, 0]),
        upper=float(verdicts.upper[row, 0]),
        score=float(verdicts.score[row, 0]),
        status=str(verdicts.status[row, 0]),
    )


def _columns(header: Sequence[str], name: str) -> tuple[int, int]:
    clock = next((header.index(column) for column in ("time", "timestamp") if column in header), None)
    if clock is None or "value" not in header:
        missing = "time (or timestamp)" if clock is None else "value"
        raise UnreadableSeries(f"{name}:1: no column {missing}; there are: {', '.join(header) or 'none'}")
    return clock, header.index("value")


def _line(row: Sequence[str], clock: int, value: int, zone: ZoneInfo, where: str) -> Line:
    if len(row) <= max(clock, value):
        raise UnreadableSeries(f"{where}: {len(row)} fields where the header has more")
    try:
        return Line(row[clock], row[value], _instant(row[clock].strip(), zone), _reading(row[value].strip()))
    except (ValueError, OverflowError) as exc:
        raise UnreadableSeries(f"{where}: {exc}") from exc


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        if not abs(seconds) < _LATEST_EPOCH_S:
            raise ValueError(f"time {text!r} is not in epoch seconds (are these milliseconds?)")
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"time {text!r} is neither ISO 8601 nor epoch seconds") from exc
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)


def _reading(text: str) -> float:
    if text.lower() in _EMPTY:
        return math.nan
    try:
        value = float(text)
    except ValueError as exc:
        raise ValueError(f"value {text!r} is not a number") from exc
    return value if math.isfinite(value) else math.nan


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.12g}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n\r') else text
