"""``start``: how long people wait for the help, beside ``alembic --help``, and for ``check`` on 100 files."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.row import Row

FILES = 100
CHECK_GOAL_S = 2.0
FILE = """\
version: 1
queries:
  orders_{n}:
    source: shop
    bucket: 1h
    sql: SELECT time, country, orders FROM orders_{n} WHERE time >= :start AND time < :end
metrics:
  shop.orders_{n}: {{query: orders_{n}, value: orders, dimensions: [country], rollup: sum, total: true, fill: zero}}
subscriptions:
  health-{n}:
    metrics: [shop.orders_{n}]
    owner: {{team: shop}}
    detect: [{{seasonal: {{}}}}, {{threshold: {{where: total, below: 1, severity: critical}}}}]
    guard: {{min_change: 10%}}
    notify: {{warning: [screen]}}
"""


def start() -> list[Row]:
    """The help beside Alembic's; ``check`` beside its goal, which is a number and no rival."""
    bin_folder = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder))
        help_s, rival_s, check_s = _medians(
            [str(bin_folder / "metricwatch"), "--help"],
            [str(bin_folder / "alembic"), "--help"],
            [str(bin_folder / "metricwatch"), "check", "--config", folder],
        )
    return [
        Row("start (help)", help_s, rival_s, "alembic --help", "1 process"),
        Row("start (check)", check_s, CHECK_GOAL_S, "goal", f"{FILES} files"),
    ]


def write_folder(folder: Path) -> None:
    """A valid configuration of 100 files: each has a query, a metric and a subscription."""
    head = 'version: 1\nsources: {shop: {url: "sqlite:///shop.db"}}\nreceivers: {screen: {console: {}}}\n'
    (folder / "shared.yaml").write_text(head, encoding="utf-8")
    for number in range(FILES - 1):
        (folder / f"team-{number:02}.yaml").write_text(FILE.format(n=number), encoding="utf-8")


def _medians(*commands: Sequence[str], rounds: int = 5) -> list[float]:
    """Measured in turns, so that a busy machine is unfair to none; the first turn warms the file cache."""
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds + 1):
        for command, times in zip(commands, taken, strict=True):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            times.append(time.perf_counter() - began)
    return [statistics.median(times[1:]) for times in taken]
