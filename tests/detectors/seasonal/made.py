"""Panels for the tests of ``seasonal``: laws of chance that are known, and ways to walk through a panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from detectors import ANOMALY, Event, Panel, Verdicts
from detectors.contract import Bools, Floats
from detectors.seasonal import Seasonal

MONDAY = np.datetime64("2026-01-05", "us")
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
WIDTH_S = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "6h": 21_600, "12h": 43_200, "1d": 86_400}


def panel_of(
    values: Floats,
    bucket: str = "1h",
    timezone: str = "UTC",
    since: np.datetime64 = MONDAY,
    masked: Bools | None = None,
    events: tuple[Event, ...] = (),
) -> Panel:
    """``values[T]`` or ``[T, S]`` on a grid of fixed buckets; series are named by their place."""
    columns = values if values.ndim == 2 else values[:, None]
    times = since + np.arange(len(columns)) * np.timedelta64(WIDTH_S[bucket], "s")
    labels = tuple({"n": str(place)} for place in range(columns.shape[1]))
    return Panel(times, columns, labels, bucket, timezone, masked, events)


def waves(hours: Floats, day: float = 0.3, week: float = 0.1) -> Floats:
    """One plus a sine of the day and a sine of the week."""
    found: Floats = 1 + day * np.sin(2 * np.pi * hours / 24) + week * np.sin(2 * np.pi * hours / 168)
    return found


def shop(days: int, series: int = 1, seed: int = 0, noise: float = 50.0) -> Floats:
    """Hourly readings around 1,000 with a day, a week and white noise: ``[T, S]``."""
    white = np.random.default_rng(seed).normal(0, noise, (days * 24, series))
    return 1000 * waves(np.arange(days * 24.0))[:, None] + white


def judged(panel: Panel, detector: Seasonal | None = None) -> Verdicts:
    """Every bucket of the panel."""
    return (detector or Seasonal()).judge(panel, since=panel.times[0])


def anomalous(panel: Panel, detector: Seasonal | None = None) -> Bools:
    found: Bools = judged(panel, detector).status == ANOMALY
    return found


def rows_of(panel: Panel, begin: int, end: int) -> Panel:
    """A stretch of the panel with its masks and events."""
    rows = slice(begin, end)
    return replace(
        panel,
        times=panel.times[rows],
        values=panel.values[rows],
        masked=None if panel.masked is None else panel.masked[rows],
        events=tuple(replace(event, active=event.active[rows]) for event in panel.events),
    )


def in_pieces(panel: Panel, cuts: Sequence[int], detector: Seasonal | None = None) -> Iterator[tuple[int, Verdicts]]:
    """Judges piece by piece, each from the state that the one before left; yields where each begins."""
    state: bytes | None = None
    for begin, end in zip([0, *cuts], [*cuts, len(panel.times)], strict=True):
        piece = rows_of(panel, begin, end)
        found = (detector or Seasonal()).judge(piece, since=piece.times[0], state=state)
        state = found.state
        yield begin, found


def assert_pieces_equal_one_run(panel: Panel, cuts: Sequence[int], detector: Seasonal | None = None) -> None:
    whole = judged(panel, detector)
    for begin, found in in_pieces(panel, cuts, detector):
        rows = slice(begin, begin + len(found.times))
        where = f"the piece of {len(found.times)} rows from {panel.times[begin]} on"
        for name in ("status", "reason", "direction"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name)[rows], where)
        for name in ("expected", "lower", "upper", "score"):
            given, wanted = getattr(found, name), getattr(whole, name)[rows]
            np.testing.assert_allclose(given, wanted, rtol=1e-9, atol=1e-9, err_msg=where)


def pages(flags: Bools, width_s: float) -> Floats:
    """How often each series would be told, ``[S]``: the first anomaly after max(24 h, 3 buckets) without one."""
    quiet = max(int(86_400 // width_s), 3)
    found = np.zeros(flags.shape[1])
    for series in range(flags.shape[1]):
        places = np.flatnonzero(flags[:, series])
        found[series] = np.sum(np.diff(places, prepend=-quiet - 1) > quiet)
    return found
