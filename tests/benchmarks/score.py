"""``score``: one series of 150,000 minutes, the whole command, beside its goal and beside a script with a rolling z."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.row import Row

POINTS, DAY, ROUNDS = 150_000, 1_440, 5
GOAL_S = 10.0
# An installed program is compiled once, not at each start; so are the libraries of both sides.
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
RIVAL = """
import sys
import pandas as pd
frame = pd.read_csv(sys.argv[1], parse_dates=["time"])
before = frame["value"].shift(1).rolling(7 * 1440, min_periods=20)
frame["score"] = ((frame["value"] - before.mean()) / before.std()).abs() / 3
frame["status"] = (frame["score"] > 1).map({True: "anomaly", False: "ok"})
frame.to_csv(sys.argv[2], index=False)
"""


def score() -> list[Row]:
    """The median of five runs, measured in turns; each run is a new process that reads and writes a file."""
    with tempfile.TemporaryDirectory() as folder:
        series, answer = Path(folder) / "series.csv", Path(folder) / "answer.csv"
        write_series(series, POINTS)
        command = str(Path(sys.executable).parent / "metricwatch")
        ours: list[float] = []
        rival: list[float] = []
        for _ in range(ROUNDS):
            ours.append(_taken(command, "score", str(series), "-o", str(answer)))
            assert len(answer.read_text(encoding="utf-8").splitlines()) == POINTS + 1
            rival.append(_taken(sys.executable, "-c", RIVAL, str(series), str(answer)))
    ours_s, rival_s = statistics.median(ours), statistics.median(rival)
    size = f"1 series × {POINTS:,} minutes"
    return [
        Row("score", ours_s, GOAL_S, "goal", f"{size}; slowest of {ROUNDS} {max(ours):.1f} s"),
        Row("score", ours_s, rival_s, "rolling z in pandas", size),
    ]


def write_series(path: Path, points: int) -> None:
    """A day's wave with noise and a spike every ten days, one line a minute."""
    minutes = np.arange(points)
    values = 100 + 30 * np.sin(2 * np.pi * minutes / DAY) + np.random.default_rng(11).normal(size=points) * 5
    values[10 * DAY :: 10 * DAY] += 100
    times = np.datetime_as_string(np.datetime64("2026-01-05T00:00", "s") + minutes * np.timedelta64(1, "m"))
    lines = [f"{moment}Z,{value:.3f}" for moment, value in zip(times.tolist(), values.tolist(), strict=True)]
    path.write_text("\n".join(["time,value", *lines]) + "\n", encoding="utf-8")


def _taken(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=COMPILED, check=True, capture_output=True, timeout=300)
    return time.perf_counter() - began
