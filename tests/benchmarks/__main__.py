"""``make bench [ROWS=pull,store-read]``: our speed beside a named rival, as a Markdown table of ratios."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from tests.benchmarks.row import Row

# Row → function that measures it. A module that is not there yet is not offered.
ROWS = {
    "pull": "tests.benchmarks.pull:pull",
    "store-append": "tests.benchmarks.store:store_append",
    "store-read": "tests.benchmarks.store:store_read",
    "start": "tests.benchmarks.start:start",
    "decompose": "tests.benchmarks.decompose:decompose",
    "decompose-mstl": "tests.benchmarks.decompose:decompose_mstl",
    "decompose-5min": "tests.benchmarks.decompose:decompose_5min",
    "judge": "tests.benchmarks.judge:judge_row",
    "page": "tests.benchmarks.page:page",
    "score": "tests.benchmarks.score:score",
    "backtest": "tests.benchmarks.backtest:backtest",
}


def main(arguments: Sequence[str]) -> int:
    offered = {name: place for name, place in ROWS.items() if find_spec(place.partition(":")[0])}
    wanted = [name for argument in arguments for name in argument.split(",") if name] or list(offered)
    unknown = [name for name in wanted if name not in offered]
    if unknown:
        print(f"no row {unknown[0]}; there are {', '.join(offered)}", file=sys.stderr)  # noqa: T201  # a command
        return 2
    print(header())  # noqa: T201  # a command
    for name in wanted:
        for row in _measured(offered[name])():
            print(line(row), flush=True)  # noqa: T201  # a command
    return 0


def header() -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"machine: {machine}\n\n| row | ours | rival | ratio | size |\n|---|---|---|---|---|"


def line(row: Row) -> str:
    """One line of the table.

    >>> line(Row("pull", 0.25, 1.5, "pandas.read_sql", "10 series"))
    '| pull | 250 ms | 1.50 s (pandas.read_sql) | 6.0 × | 10 series |'
    """
    theirs = "–" if row.rival_s is None else _duration(row.rival_s)
    ratio = "–" if row.ratio is None else f"{row.ratio:.1f} ×"
    return f"| {row.name} | {_duration(row.ours_s)} | {theirs} ({row.rival_name}) | {ratio} | {row.size} |"


def _measured(place: str) -> Callable[[], list[Row]]:
    module, _, name = place.partition(":")
    measure: Callable[[], list[Row]] = getattr(importlib.import_module(module), name)
    return measure


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
