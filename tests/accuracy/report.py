"""The report: one HTML file with the tables, recall against false alerts, and a picture of every labelled series."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.accuracy import table
from tests.accuracy.board import Board, Line
from tests.accuracy.measures.episodes import BUDGETS
from tests.accuracy.picture import HEIGHT, LANE, WIDTH, Picture, picture
from tests.accuracy.plan import DEFAULT, Plan
from tests.accuracy.run import Results

CURVE_WIDTH, CURVE_HEIGHT = 300, 200


@dataclass(frozen=True)
class Curve:
    """Recall of one contender at each rate of false alerts, as an SVG path. ``rank``: ours, best rival or other."""

    name: str
    rank: str
    path: str
    end: float
    told: str


@dataclass(frozen=True)
class Chapter:
    """One labelled collection."""

    name: str
    rival: str | None
    curves: tuple[Curve, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Grid:
    """A Markdown table as cells."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def report(plan: Plan, results: Results, board: Board) -> str:
    folder = FileSystemLoader(Path(__file__).parent)
    page = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return page.get_template("report.html.jinja").render(
        grids=_grids(board),
        chapters=[_chapter(name, plan, results, board) for name in plan.labelled],
        about=board.about,
        absent=board.absent,
        ours=DEFAULT.name,
        budgets=[(f"{budget:g}", _across(budget)) for budget in BUDGETS],
        width=WIDTH,
        plot=HEIGHT,
        lane=LANE,
        curve=(CURVE_WIDTH, CURVE_HEIGHT),
    )


def _chapter(name: str, plan: Plan, results: Results, board: Board) -> Chapter:
    rival = board.best_rival(name)
    shown = [one for one in (DEFAULT.name, rival) if one is not None]
    pictures = []
    for series in plan.labelled[name]:
        judged = [(one, results.outcomes[one, series.key]) for one in shown if (one, series.key) in results.outcomes]
        pictures.append(picture(series, judged))
    lines = [line for line in board.lines if line.collection == name and line.is_whole]
    # Ours is drawn last, on top of the others.
    curves = sorted((_curve(line, rival) for line in lines), key=lambda one: ("other", "rival", "ours").index(one.rank))
    return Chapter(name, rival, tuple(curves), tuple(pictures))


def _curve(line: Line, rival: str | None) -> Curve:
    points = [(_across(budget), _up(recall)) for budget, recall in line.recall_at.items()]
    told = ", ".join(f"{recall:.2f} at {budget:g}" for budget, recall in line.recall_at.items())
    rank = {DEFAULT.name: "ours", rival: "rival"}.get(line.contender, "other")
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Curve(line.contender, rank, path, points[-1][1], f"{line.contender}: recall {told} false alerts a week")


def _across(rate: float) -> float:
    """Where a rate of false alerts lies, on a logarithmic scale from the first budget to the last."""
    share = math.log(rate / BUDGETS[0]) / math.log(BUDGETS[-1] / BUDGETS[0])
    return 30 + share * (CURVE_WIDTH - 120)


def _up(recall: float) -> float:
    return 10 + (1 - (0.0 if math.isnan(recall) else recall)) * (CURVE_HEIGHT - 40)


def _grids(board: Board) -> list[Grid]:
    """The Markdown tables, read back: the page and the terminal cannot disagree."""
    texts = [("Labelled series", table.main(board))] if board.lines or board.absent else []
    if board.kept:
        texts.append(("Pages beside budget", table.kept(board.kept)))
    if board.injections:
        texts.append(
            ("Injected incidents, one threshold at 0.2 false alerts a week", table.injections(board.injections))
        )
        texts.append(("Injected incidents by size, ours at its default", table.by_size(board.injections)))
    return [_grid(title, text) for title, text in texts]


def _grid(title: str, text: str) -> Grid:
    header, _, *rows = [tuple(cell.strip() for cell in re.split(r"\|", line)[1:-1]) for line in text.splitlines()]
    return Grid(title, header, tuple(rows))
