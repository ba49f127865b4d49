"""``make accuracy [ARGS="--only seasonal,rolling_z --sets nab"]``: a Markdown table and an HTML report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.accuracy.board import board
from tests.accuracy.plan import DEFAULT, UnknownName, planned
from tests.accuracy.report import report
from tests.accuracy.run import run
from tests.accuracy.table import markdown

ARTEFACTS = Path(__file__).parents[1] / "artefacts" / "accuracy"


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        plan = planned(_names(asked.only), _names(asked.sets))
    except UnknownName as exc:
        console.print(str(exc))
        return 2
    results = run(plan.jobs(), asked.out / "outcomes", console, asked.processes)
    found = board(plan, results)
    print(markdown(found))  # noqa: T201  # a command
    page = asked.out / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(report(plan, results, found), encoding="utf-8")
    console.print(f"report: {page}", soft_wrap=True)
    return 1 if any(name.startswith(DEFAULT.name) for name in found.absent) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make accuracy", description=__doc__)
    parser.add_argument("--only", default="", help="names of detectors, with commas (default: all)")
    parser.add_argument("--sets", default="", help="names of sets, with commas (default: all)")
    parser.add_argument("--out", type=Path, default=ARTEFACTS, help="folder of the report and of kept outcomes")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time (default: 2)")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
