"""``judge``: one new bucket of 10,000 hourly series from stored state, beside what a rival spends on it.

Ours goes the way of a tick: ``alerting.judging`` hands chunks of series to the detector, with the state that the bucket
before left behind and a panel of the new bucket only; it judges, learns and packs the next state. The rivals have no
state: each is fitted on the same eight weeks of one series and then asked about the new reading. They are timed on a
few series and their time per series is multiplied: a series costs them the same however many there are. Where Anomstack
keeps a fitted model it only asks it again; that is a row of its own, without a goal.
"""

from __future__ import annotations

import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from types import ModuleType

import numpy as np
import pandas as pd

import detectors
from alerting.judging import Inline, judge
from config.model import Detect
from detectors import Panel
from detectors.contract import Floats
from tests.benchmarks.row import Row

SERIES, HOURS, DAY = 10_000, 8 * 7 * 24, 24
NEW_HOURS = 5
FIRST = np.datetime64("2026-01-05T10:00", "us")  # the new hours lie in the middle of a day, so that day is half known
WIDTH = np.timedelta64(1, "h")

OnSeries = Callable[[Floats], object]
"""Eight weeks of one series and one reading more."""


def judge_row() -> list[Row]:
    """Ours once, beside each rival."""
    values = _readings()
    ours = _ours(values)
    return [
        _row("judge", ours, values, "PyOD PCA + KNN, fitted and asked", "pyod", _pyod, timed=10),
        _row("judge (only asked)", ours, values, "PyOD PCA + KNN, asked", "pyod", None, timed=10),
        _row("judge", ours, values, "Prophet", "prophet", _prophet, timed=3),
        _row("judge", ours, values, "ADTK SeasonalAD", "adtk", _adtk, timed=10),
    ]


def _readings() -> Floats:
    """``[T, S]``: a day's wave and noise, eight weeks and then the new hours."""
    hours = np.arange(HOURS + NEW_HOURS)[:, None]
    wave = 30 * np.sin(2 * np.pi * (hours / DAY + np.arange(SERIES) / SERIES))
    return 100 + wave + np.random.default_rng(7).normal(size=(len(hours), SERIES)) * 5


def _ours(values: Floats) -> float:
    """Seconds for one new bucket: the median of five hours in a row, each from the state of the hour before."""
    detect = Detect("seasonal", "seasonal", detectors.load("seasonal"))
    history, *ticks = _panels(values)
    learned = judge(detect, history, since=history.times[-1], state=None, executor=Inline())
    assert learned is not None
    state, taken = learned.verdicts.state, []
    for panel in ticks:
        began = time.perf_counter()
        judged = judge(detect, panel, since=panel.times[0], state=state, executor=Inline())
        taken.append(time.perf_counter() - began)
        assert judged is not None
        assert np.isfinite(judged.verdicts.score).all()
        state = judged.verdicts.state
    return statistics.median(taken)


def _panels(values: Floats) -> Iterator[Panel]:
    labels = tuple({"shop": f"{number:05}"} for number in range(values.shape[1]))
    times = FIRST + (np.arange(len(values)) - HOURS) * WIDTH
    for begin, end in pairwise([0, *range(HOURS, len(values) + 1)]):
        yield Panel(times[begin:end], values[begin:end], labels, "1h", "UTC")


def _row(name: str, ours: float, values: Floats, rival: str, library: str, run: OnSeries | None, timed: int) -> Row:
    size = f"{SERIES:,} series × 1 bucket; "
    if find_spec(library) is None:
        return Row(name, ours, None, rival, f"{size}rival not installed: `.venv/bin/uv sync --group accuracy`")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = _each(values, run, timed)
    return Row(name, ours, each * SERIES, rival, f"{size}rival timed on {timed} series")


def _each(values: Floats, run: OnSeries | None, timed: int) -> float:
    """Seconds for one series; the first is not counted, because it imports and compiles."""
    series = [values[: HOURS + 1, place].copy() for place in range(timed + 1)]
    if run is not None:
        return statistics.median([_taken(run, one) for one in series][1:])
    asking = [(_asked(one), one) for one in series]
    return statistics.median([_taken(ask, one) for ask, one in asking][1:])


def _taken(run: OnSeries, values: Floats) -> float:
    began = time.perf_counter()
    run(values)
    return time.perf_counter() - began


def _pyod(values: Floats) -> object:
    """As Anomstack's default job: differences, smoothed, with five lags; PCA and KNN, their probabilities averaged."""
    return _asked(values)(values)


def _asked(values: Floats) -> OnSeries:
    """The fitted models, which can be asked about the newest reading."""
    kinds = (_module("pyod.models.pca").PCA, _module("pyod.models.knn").KNN)
    models = [kind(contamination=0.01) for kind in kinds]
    taught = _features(values[:-1])
    for model in models:
        model.fit(taught)

    def ask(newest: Floats) -> object:
        features = _features(newest[-16:])[-1:]
        return np.mean([model.predict_proba(features)[:, 1] for model in models], axis=0)

    return ask


def _features(values: Floats) -> Floats:
    steps = pd.Series(values).diff().rolling(3).mean()
    found: Floats = pd.concat([steps.shift(lag) for lag in range(6)], axis=1).dropna().to_numpy(dtype=np.float64)
    return found


def _prophet(values: Floats) -> object:
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).disabled = True  # they speak at every fit
    model = _module("prophet").Prophet(interval_width=0.99)
    moments = _moments(values)
    model.fit(pd.DataFrame({"ds": moments[:-1], "y": values[:-1]}))
    return model.predict(pd.DataFrame({"ds": moments[-1:]}))


def _adtk(values: Floats) -> object:
    """Fitted on all weeks; asked about the last two days, the least that it accepts."""
    readings = pd.Series(values, index=_moments(values))
    model = _module("adtk.detector").SeasonalAD(freq=DAY)
    model.fit(readings.iloc[:-1])
    return model.predict(readings.iloc[-2 * DAY :])


def _moments(values: Floats) -> pd.DatetimeIndex:
    return pd.date_range("2026-01-05", periods=len(values), freq="h")


def _module(name: str) -> ModuleType:
    return import_module(name)
