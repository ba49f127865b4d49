"""Detect entries meet panels: which series an entry judges, and where the arithmetic runs."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import numpy as np

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
    entry: Detect, panel: Panel, *, since: np.datetime64, state: bytes | None, executor: Executor
) -> EntryVerdicts | None:
    """What the entry says of every bucket ≥ ``since`` of its series; None where it judges none of them.

    The series go to the executor in chunks; the states of the chunks come back joined into one.
    """
    columns = columns_of(entry, panel)
    if not columns:
        return None
    chunks = [columns[start : start + SERIES_PER_JOB] for start in range(0, len(columns), SERIES_PER_JOB)]
    states = _split(state, len(chunks))
    jobs = [
        executor.submit(_judge, entry.detector, part(panel, chunk), since, before)
        for chunk, before in zip(chunks, states, strict=True)
    ]
    return EntryVerdicts(entry, _joined([job.result() for job in jobs]), columns)


def part(panel: Panel, columns: Sequence[int]) -> Panel:
    """The panel with these series only."""
    if len(columns) == len(panel.labels):
        return panel
    picked = list(columns)
    masked = None if panel.masked is None else panel.masked[:, picked]
    labels = tuple(panel.labels[s] for s in picked)
    return Panel(panel.times, panel.values[:, picked], labels, panel.bucket, panel.timezone, masked, panel.events)


def _judge(detector: Detector, panel: Panel, since: np.datetime64, state: bytes | None) -> Verdicts:
    return detector.judge(panel, since=since, state=state)


def _joined(parts: Sequence[Verdicts]) -> Verdicts:
    if len(parts) == 1:
        return parts[0]
    names = ("observed", "expected", "lower", "upper", "score", "status", "direction", "reason")
    grids = {name: np.concatenate([getattr(one, name) for one in parts], axis=1) for name in names}
    state = json.dumps([b64encode(one.state).decode() for one in parts]).encode()
    return Verdicts(times=parts[0].times, state=state, **grids)


def _split(state: bytes | None, chunks: int) -> Sequence[bytes | None]:
    """The states of the chunks; none where their number changed (they are rebuilt from the points)."""
    if chunks == 1 or not state:
        return [state or None] * chunks
    try:
        found = [b64decode(text) for text in json.loads(state)]
    except ValueError:
        return [None] * chunks
    return found if len(found) == chunks else [None] * chunks
