"""Runs contenders over series, two processes at a time, and keeps every outcome by the content it came from."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.accuracy.contender import Contender, NotAvailable
from tests.accuracy.labelled import Series
from tests.accuracy.outcome import Outcome, Pairs

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    contender: Contender
    series: Series

    def place(self, folder: Path, digest: str) -> Path:
        """Where its outcome is kept; another place when code, setting, library or readings change."""
        content = hashlib.sha256(f"{digest} {self.series.digest()}".encode()).hexdigest()[:20]
        return folder / self.contender.name / f"{content}.npz"


@dataclass(frozen=True)
class Results:
    """Outcomes by contender and series, and why some contenders have none."""

    outcomes: dict[tuple[str, str], Outcome]
    absent: dict[str, str]

    def pairs(self, contender: str, series: Sequence[Series]) -> Pairs:
        """Those of these series that the contender has judged."""
        return [(one, self.outcomes[contender, one.key]) for one in series if (contender, one.key) in self.outcomes]


def run(jobs: Sequence[Job], folder: Path, console: Console, processes: int = 2) -> Results:
    """The outcome of every job, from ``folder`` where it is known; of contenders that fail none, but the reason."""
    digests = {job.contender.name: job.contender.digest() for job in jobs}
    places = [(job, job.place(folder, digests[job.contender.name])) for job in jobs]
    missing = [(job, place) for job, place in places if not place.exists()]
    absent = dict(_judged(missing, console, processes)) if missing else {}
    outcomes = {
        (job.contender.name, job.series.key): Outcome.read(place)
        for job, place in places
        if job.contender.name not in absent
    }
    return Results(outcomes, absent)


def _judged(jobs: Sequence[tuple[Job, Path]], console: Console, processes: int) -> Iterator[tuple[str, str]]:
    """Writes the outcomes; yields contenders that are not available and why."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("judging", total=len(jobs))
        for job, reason in _answers(jobs, processes):
            progress.update(bar, advance=1, description=f"{job.contender.name:18.18s}")
            if reason:
                yield job.contender.name, reason


def _answers(jobs: Sequence[tuple[Job, Path]], processes: int) -> Iterator[tuple[Job, str]]:
    if processes < 2:
        yield from ((job, _judge(job, place)) for job, place in jobs)
        return
    for name in _THREADS:
        os.environ.setdefault(name, "1")  # two processes of many threads each are slower than two of one
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawned) as pool:
        # The longest first: the last job does not run alone.
        ordered = sorted(jobs, key=lambda one: -len(one[0].series))
        asked: dict[Future[str], Job] = {pool.submit(_judge, job, place): job for job, place in ordered}
        try:
            for answer in as_completed(asked):
                yield asked[answer], answer.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _judge(job: Job, place: Path) -> str:
    """Empty, or why the contender cannot take part: one that breaks is told in the table, it stops no other."""
    try:
        outcome = job.contender.judge(job.series)
    except NotAvailable as exc:
        return str(exc)
    except (ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError, LookupError) as exc:
        return f"fails on {job.series.key}: {exc!r}"
    outcome.write(place)
    return ""
