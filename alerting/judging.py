"""Detect entries meet panels: which series an entry judges, and where the arithmetic runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import numpy as np
import zstandard

from alerting.core.chunks import Chunk, Labels, Share, named, packed, shared_out, unpacked
from config.model import Detect, Subscription
from detectors import Detector, Panel, Verdicts

P = ParamSpec("P")
T = TypeVar("T")
SERIES_PER_JOB = 500


class Inline(Executor):
    """Runs each job at once, in the thread that submits it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as exc:
            future.set_exception(exc)
            if not isinstance(exc, Exception):
                raise
        return future


class UnknownExecutor(ValueError):
    """The setting EXECUTOR names no executor that there is."""


def open_executor(name: str) -> Executor:
    """``inline`` or ``processes``. Raises UnknownExecutor."""
    if name == "inline":
        return Inline()
    if name == "processes":
        return ProcessPoolExecutor(mp_context=get_context("spawn"))
    raise UnknownExecutor(f"executor {name!r} is not available: write inline or processes")


@dataclass(frozen=True)
class EntryVerdicts:
    """``columns[k]`` is the series of the panel that column ``k`` of ``verdicts`` judges."""

    entry: Detect
    verdicts: Verdicts
    columns: tuple[int, ...]


def columns_of(entry: Detect, panel: Panel) -> tuple[int, ...]:
    """The series that the entry judges: all of them, the total, or those whose dimensions match."""
    if entry.where is None:
        return tuple(range(len(panel.labels)))
    if isinstance(entry.where, str):
        return tuple(s for s, labels in enumerate(panel.labels) if not labels)
    wanted = entry.where.items()
    return tuple(s for s, labels in enumerate(panel.labels) if wanted <= labels.items())


def spread(entry: Detect, subscription: Subscription, series_of: Callable[[str], int]) -> Detect:
    """The entry with its budget spread over all series that it judges in the subscription.

    ``series_of`` says of how many series of a metric (by name) that is; it is asked only where there is a budget.
    """
    if entry.detector.shared_by(2) == entry.detector:
        return entry
    series = sum(series_of(name) for name in subscription.metrics if entry.metric in (None, name))
    return replace(entry, detector=entry.detector.shared_by(max(series, 1)))


def judge(
    entry: Detect,
    panel: Panel,
    *,
    since: np.datetime64,
    state: bytes | None,
    executor: Executor,
    most: int = SERIES_PER_JOB,
) -> EntryVerdicts | None:
    """What the entry says of every bucket ≥ ``since`` of its series; None where it judges none of them.

    The series go to the executor in chunks of at most ``most``; their states come back compressed and joined.
    """
    columns = columns_of(entry, panel)
    if not columns:
        return None
    labels = [panel.labels[s] for s in columns]
    shares = shared_out(labels, unpacked(state), most)
    jobs = [
        executor.submit(_judge, entry.detector, part(panel, [columns[k] for k in share.places]), since, share.state)
        for share in shares
    ]
    return EntryVerdicts(entry, _joined([job.result() for job in jobs], shares, labels), columns)


def remembers(entry: Detect, panel: Panel, since: np.datetime64, state: bytes) -> bool:
    """True where the detector can go on from ``state`` at ``since`` without what came before.

    A series that the state does not know is no obstacle where the panel shows that it had no reading before.
    """
    chunks = unpacked(state)
    known = {series for chunk in chunks for series in chunk.series}
    strangers = [s for s in columns_of(entry, panel) if named(panel.labels[s]) not in known]
    before = panel.values[panel.times < since][:, strangers]
    if not chunks or (strangers and not (len(before) and np.isnan(before).all())):
        return False
    recent = since_only(panel, since)
    return all(entry.detector.remembers(_plain(chunk.state) or b"", recent) for chunk in chunks)


def since_only(panel: Panel, since: np.datetime64) -> Panel:
    """The panel from ``since`` on."""
    first = int(np.searchsorted(panel.times, since))
    if not first:
        return panel
    masked = None if panel.masked is None else panel.masked[first:]
    events = tuple(replace(event, active=event.active[first:]) for event in panel.events)
    return replace(panel, times=panel.times[first:], values=panel.values[first:], masked=masked, events=events)


def part(panel: Panel, columns: Sequence[int]) -> Panel:
    """The panel with these series only."""
    if len(columns) == len(panel.labels):
        return panel
    picked = list(columns)
    masked = None if panel.masked is None else panel.masked[:, picked]
    labels = tuple(panel.labels[s] for s in picked)
    return Panel(panel.times, panel.values[:, picked], labels, panel.bucket, panel.timezone, masked, panel.events)


def _judge(detector: Detector, panel: Panel, since: np.datetime64, state: bytes) -> Verdicts:
    found = detector.judge(panel, since=since, state=_plain(state))
    # What seasonal keeps shrinks to a quarter at the lowest level, and hardly further at higher ones.
    return replace(found, state=zstandard.compress(found.state, 1) if found.state else b"")


def _plain(state: bytes) -> bytes | None:
    try:
        return zstandard.decompress(state) or None if state else None
    except zstandard.ZstdError:
        return None  # damaged: learned again from the points


def _joined(parts: Sequence[Verdicts], shares: Sequence[Share], labels: Sequence[Labels]) -> Verdicts:
    chunks = [
        Chunk(tuple(named(labels[k]) for k in share.places), one.state)
        for one, share in zip(parts, shares, strict=True)
    ]
    if len(parts) == 1:
        return replace(parts[0], state=packed(chunks))
    order = np.argsort([place for share in shares for place in share.places])
    names = ("observed", "expected", "lower", "upper", "score", "status", "direction", "reason")
    grids = {name: np.concatenate([getattr(one, name) for one in parts], axis=1)[:, order] for name in names}
    return Verdicts(times=parts[0].times, state=packed(chunks), **grids)
