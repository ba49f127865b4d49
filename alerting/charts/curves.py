"""What a chart shows, checked and reduced to one series with the others behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from detectors.buckets import Bucket, as_datetime
from detectors.contract import Bools, Event, Floats, Instants
from notifiers.contract import Spark

MOST_OTHERS = 30
_TOO_LARGE = 1e300


class ChartError(Exception):
    """The chart cannot be drawn; the message says why. A message goes out without it."""


@dataclass(frozen=True)
class Curves:
    """``times[T]`` (UTC), all else ``[T]`` with NaN for gaps; ``others[T, K]`` are drawn faintly behind."""

    times: Instants
    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    anomalies: Bools
    others: Floats
    events: tuple[Event, ...] = ()

    @property
    def unusual(self) -> Bools:
        """Where there is an anomaly and a reading to mark."""
        return self.anomalies & np.isfinite(self.observed)

    @property
    def bucket(self) -> np.timedelta64:
        """The usual distance of two points."""
        steps = np.diff(self.times.astype("int64"))
        return np.timedelta64(int(np.median(steps)) if len(steps) else 3_600_000_000, "us")


def curves(
    times: Instants,
    observed: Floats,
    expected: Floats,
    lower: Floats,
    upper: Floats,
    anomalies: Bools,
    events: Sequence[Event] = (),
) -> Curves:
    """Of ``[T, S]`` arrays the worst series. Raises ChartError where shapes differ or nothing can be drawn."""
    shapes = {part.shape for part in (observed, expected, lower, upper, anomalies)}
    if (
        len(shapes) > 1
        or observed.ndim not in (1, 2)
        or {len(observed), *(len(one.active) for one in events)} != {len(times)}
    ):
        raise ChartError(f"{len(times)} times for arrays of shapes {sorted(shapes)}")
    if observed.size == 0:
        raise ChartError("there is no point to draw")
    if observed.ndim == 1:
        observed, expected, lower, upper = (part[:, None] for part in (observed, expected, lower, upper))
        anomalies = anomalies[:, None]
    chosen = worst(observed, expected, lower, upper, anomalies)
    rest = [place for place in range(observed.shape[1]) if place != chosen][:MOST_OTHERS]
    shown, usual, low, high = (_finite(part[:, chosen]) for part in (observed, expected, lower, upper))
    if not np.isfinite(shown).any():
        raise ChartError("there is no reading to draw")
    if np.nanmin(shown) >= 0:
        # A bound that nothing of the metric can reach only takes room from what it can.
        low = np.maximum(low, 0.0)
    flags = anomalies[:, chosen].astype(bool)
    return Curves(
        times.astype("datetime64[us]"), shown, usual, low, high, flags, _finite(observed[:, rest]), tuple(events)
    )


def worst(observed: Floats, expected: Floats, lower: Floats, upper: Floats, anomalies: Bools) -> int:
    """Which of ``[T, S]`` series to show: the unusual one that went furthest beyond its band, in half-widths of it."""
    if observed.shape[1] == 1:
        return 0
    half = np.where(np.isfinite(upper) & np.isfinite(lower), (upper - lower) / 2, np.abs(expected))
    half = np.where(half > 0, half, np.nan)
    beyond = np.fmax(np.fmax(observed - upper, lower - observed), 0) / half
    furthest = np.nan_to_num(np.where(anomalies, beyond, 0)).max(axis=0)
    return int(np.argmax(furthest + anomalies.any(axis=0)))


def spark(observed: Floats, lower: Floats, upper: Floats, anomalies: Bools, count: int = 60) -> Spark:
    """The last ``count`` buckets (at most 120) of one series, ``[T]`` each, to travel in a notification."""
    return Spark(
        observed=tuple(observed[-count:].tolist()),
        lower=tuple(lower[-count:].tolist()),
        upper=tuple(upper[-count:].tolist()),
        anomalies=tuple(bool(flag) for flag in anomalies[-count:]),
    )


def runs(flags: Bools) -> list[tuple[int, int]]:
    """First and last index of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(int(start), int(stop) - 1) for start, stop in edges.reshape(-1, 2)]


def named_days(shown: Curves) -> list[tuple[int, int, str]]:
    """First and last index and the names of each stretch of buckets that are part of the same events."""
    parts: dict[tuple[int, int], dict[str, None]] = {}
    for event in shown.events:
        for stretch in runs(event.active):
            parts.setdefault(stretch, {})[event.name] = None
    return [(start, stop, ", ".join(names)) for (start, stop), names in sorted(parts.items())]


def zone_of(name: str) -> ZoneInfo:
    """Raises ChartError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ChartError(f"there is no time zone {name!r}") from error


def ticks(times: Instants, zone: ZoneInfo) -> list[tuple[datetime, str]]:
    """Where the time axis is marked and how: hours, days, Mondays or months of the reader's zone, at most 16."""
    first, last = as_datetime(times[0]), as_datetime(times[-1])
    days = (last - first) / timedelta(days=1)
    if days <= 2.5:
        hours = 3 if days <= 1 else 6
        starts = [start for start in _starts("1h", first, last, zone) if start.astimezone(zone).hour % hours == 0]
        return [(start, f"{start.astimezone(zone):%a %H:%M}") for start in starts]
    text = "1d" if days <= 9 else "1w" if days <= 70 else "1mo"
    marked = _starts(text, first, last, zone)
    form = "%b %Y" if text == "1mo" else "%a %d %b"
    every = max(-(-len(marked) // (6 if text == "1w" else 9)), 1)
    return [(start, f"{start.astimezone(zone):{form}}".replace(" 0", " ")) for start in marked[::every]]


def _starts(bucket: str, first: datetime, last: datetime, zone: ZoneInfo) -> list[datetime]:
    found = Bucket.parse(bucket).starts(first, last + timedelta(microseconds=1), zone.key)
    return [as_datetime(start) for start in found]


def _finite(values: Floats) -> Floats:
    """Infinities, and what an axis cannot span, are gaps like NaN."""
    floats = values.astype(np.float64)
    return np.where(np.abs(floats) < _TOO_LARGE, floats, np.nan)
