"""The figures as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tests.accuracy.board import Board, Injection, Kept, Line
from tests.accuracy.injected import KINDS, SIZED, SIZES
from tests.accuracy.plan import DEFAULT

HEADER = (
    *("set", "detector", "series", "recall", "precision", "false a week"),
    *("recall at 0.1", "at 0.5", "at 1", "best F1", "contest F1", "NAB", "low FP", "low FN", "µs"),
)


def markdown(board: Board) -> str:
    """All tables of a run, the main one first."""
    parts = [main(board)] if board.lines or board.absent else []
    if board.kept:
        parts += ["### Pages beside budget", kept(board.kept)]
    if board.injections:
        parts += ["### Injected incidents, one threshold at 0.2 false alerts a week", injections(board.injections)]
        parts += ["### Injected incidents by size, ours at its default", by_size(board.injections)]
    return "\n\n".join(parts) + "\n"


def main(board: Board) -> str:
    rows = [_main_row(line, _best(board, line.collection)) for line in board.lines]
    rows += [("all", name, f"not run: {_in_a_cell(reason)}") for name, reason in board.absent.items()]
    return _table(HEADER, rows)


def kept(rows: Iterable[Kept]) -> str:
    header = (
        "series",
        "budget",
        "pages",
        "promised",
        "pages ÷ budget",
        "90 %",
        "quiet within × 2",
        "busy outside ≤ 2 ×",
    )
    return _table(header, [_kept_row(row) for row in rows])


def injections(rows: Sequence[Injection]) -> str:
    header = ("set", "detector", "≥ 6 σ spike, dip, outage, shift", *KINDS, "luck", "default: recall", "false a week")
    return _table(header, [_injection_row(row) for row in rows])


def by_size(rows: Sequence[Injection]) -> str:
    """Recall of our default by kind and size, false alerts beside."""
    header = ("set", "kind", *(f"{size:g} σ" for size in SIZES), "false a week")
    ours = [row for row in rows if row.contender == DEFAULT.name]
    return _table(header, [(row.collection, *cells, _rate(row)) for row in ours for cells in _sized(row)])


def _main_row(line: Line, best: Sequence[float]) -> tuple[str, ...]:
    judged = str(line.series) if line.is_whole else f"{line.judged} of {line.series}"
    compared = [
        f"**{text}**" if line.is_whole and not line.is_control and value == top else text
        for text, value, top in zip(_compared(line), _figures(line), best, strict=True)
    ]
    return (
        *(line.collection, line.contender, judged),
        *(_share(line.tally.recall), _share(line.tally.precision), f"{line.tally.false_a_week:.2f}"),
        *compared,
        f"{line.us_a_reading:,.0f}" if line.us_a_reading >= 10 else f"{line.us_a_reading:.2g}",
    )


def _figures(line: Line) -> list[float]:
    """What the detectors of a set are compared by: the higher the better."""
    return [*line.recall_at.values(), line.best_f1, line.contest_f1, *line.nab.values()]


def _compared(line: Line) -> list[str]:
    scores = [f"{score:.1f}" if line.collection == "nab" else "" for score in line.nab.values()]
    shares = [*line.recall_at.values(), line.best_f1, line.contest_f1]
    return [*(_share(share) for share in shares), *scores]


def _best(board: Board, collection: str) -> list[float]:
    """The best of each figure among those that judged the whole set; a control is not asked."""
    every = [line for line in board.lines if line.collection == collection]
    lines = [line for line in every if not line.is_control] or every
    whole = [_figures(line) for line in lines if line.is_whole] or [_figures(line) for line in lines]
    return [max(column) for column in zip(*whole, strict=True)]


def _kept_row(row: Kept) -> tuple[str, ...]:
    found = row.calibration
    low, high = found.interval
    return (
        *(
            row.group,
            row.budget,
            str(found.sent),
            f"{found.promised:.0f}",
            f"{found.ratio:.2f}",
            f"{low:.2f} – {high:.2f}",
        ),
        *(_of(found.quiet_kept, found.quiet), _of(found.busy_kept, found.busy)),
    )


def _injection_row(row: Injection) -> tuple[str, ...]:
    found = row.at_rate
    return (
        *(row.collection, row.contender, _share(found.sharp)),
        *(_share(found.recall([kind])) for kind in KINDS),
        *(_share(found.luck), _share(row.default.recall(KINDS)), _rate(row)),
    )


def _sized(row: Injection) -> list[list[str]]:
    """Recall by size for kinds that have one, else over all lengths."""
    found = [[kind, *(_share(row.default.recall([kind], size, size)) for size in SIZES)] for kind in SIZED]
    rest = [kind for kind in KINDS if kind not in SIZED]
    blank = [""] * (len(SIZES) - 1)
    return found + [[f"{kind} (all lengths)", _share(row.default.recall([kind])), *blank] for kind in rest]


def _rate(row: Injection) -> str:
    return f"{row.default.false_a_week:.2f}"


def _share(value: float) -> str:
    """
    >>> _share(0.456), _share(1.0), _share(float("nan"))
    ('.46', '1.00', '–')
    """
    return "–" if math.isnan(value) else f"{value:.2f}".removeprefix("0")


def _in_a_cell(text: str) -> str:
    """
    >>> _in_a_cell("a | b\\nc")
    'a / b c'
    """
    return " ".join(text.split()).replace("|", "/")


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else "–"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([*row, *[""] * (len(header) - len(row))] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
