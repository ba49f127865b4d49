"""The report: one HTML file with the tables and a picture of every labelled series."""

from __future__ import annotations

from tests.accuracy.board import Board
from tests.accuracy.plan import Plan
from tests.accuracy.run import Results


def report(plan: Plan, results: Results, board: Board) -> str:
    return ""
