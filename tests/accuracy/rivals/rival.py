"""What all rivals share: missing readings, warnings, and how a score becomes an alert."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import ClassVar

import numpy as np
import pandas as pd

from detectors.contract import Floats
from tests.accuracy.contender import NotAvailable
from tests.accuracy.labelled import Seconds, Series
from tests.accuracy.outcome import Outcome

FIRST_SCORED = 30


class Rival(ABC):
    """A method at its usual setting: alert where ``score ≥ threshold``.

    None of these methods treats missing readings: each is given the last value instead, and says nothing there. The
    first 30 readings are not scored.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    threshold: ClassVar[float]
    library: ClassVar[str] = ""
    most: ClassVar[Mapping[str, int]] = {}

    @abstractmethod
    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        """The score of each reading, from the readings up to it."""

    def judge(self, series: Series) -> Outcome:
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = self.scores(series.times_s, carried_forward(series.values), series.step_s)
        score = np.nan_to_num(np.asarray(score, dtype=np.float64), nan=0.0, posinf=1e9, neginf=0.0)
        score[:FIRST_SCORED] = 0.0
        score[~np.isfinite(series.values)] = 0.0
        return replace(Outcome.of(score, score >= self.threshold), took_s=time.perf_counter() - began)

    def digest(self) -> str:
        code = "".join(inspect.getsource(inspect.getmodule(kind) or kind) for kind in type(self).__mro__[:-2])
        return hashlib.sha256(f"{code} {_version(self.library)} {version('numpy')}".encode()).hexdigest()

    def module(self, name: str) -> ModuleType:
        """A module of the rival's library. Raises NotAvailable."""
        try:
            return importlib.import_module(name)
        except ImportError as exc:
            raise NotAvailable(f"{self.library} cannot be imported ({exc}): run `uv sync --group accuracy`") from exc


def carried_forward(values: Floats) -> Floats:
    """Missing readings as the last value before; leading ones as the first value (0 if there is none)."""
    filled = pd.Series(values).ffill().bfill().fillna(0.0)
    return np.array(filled.to_numpy(), dtype=np.float64)


def week_of(step_s: int, most: int = 2016, least: int = 28) -> int:
    """Readings in a week, within limits."""
    return int(np.clip(7 * 86400 // step_s, least, most))


def season_of(step_s: int) -> int:
    """Readings in a day; in a week for daily data."""
    return max(2, round(86400 / step_s)) if step_s < 43200 else 7


def _version(library: str) -> str:
    try:
        return version(library) if library else ""
    except PackageNotFoundError:
        return "not installed"
