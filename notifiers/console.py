"""The terminal: the same words as in Slack, and a small chart made of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TextIO

from pydantic import PrivateAttr
from rich.console import Console as Terminal
from rich.text import Text

from notifiers import spark, standing, wording
from notifiers.clean import clean
from notifiers.contract import Notification, Notifier, Receipt, Spark
from notifiers.errors import NotSent
from notifiers.quantities import number

SIGNS: Mapping[standing.State, tuple[str, str]] = {
    "info": ("●", "blue"),
    "warning": ("●", "dark_orange"),
    "critical": ("●", "red"),
    "acknowledged": ("●", "yellow"),
    "silenced": ("◌", "grey50"),
    "recovering": ("◐", "green"),
    "flapping": ("⇅", "dark_orange"),
    "resolved": ("✓", "green"),
    "retracted": ("↩", "cyan"),
}
_INKS = {"line": "bright_white", "anomaly": "bold red", "band": "grey50", "empty": ""}


class Console(Notifier):
    """Prints to standard output, in colour where that is a terminal. Nothing in a name is taken as markup."""

    wants_spark: ClassVar[bool] = True

    _out: TextIO | None = PrivateAttr(default=None)
    _colour: bool | None = PrivateAttr(default=None)

    @classmethod
    def printing_to(cls, out: TextIO, *, colour: bool | None = None) -> Console:
        """A console that prints elsewhere; ``colour`` None: where ``out`` is a terminal."""
        made = cls()
        made._out, made._colour = out, colour
        return made

    def send(self, notification: Notification) -> Receipt:
        terminal = Terminal(file=self._out, force_terminal=self._colour, highlight=False, markup=False, emoji=False)
        try:
            for line in lines(notification, terminal.width):
                _print(terminal, line)
        except (OSError, ValueError) as error:
            # ValueError: the stream is closed.
            raise NotSent(f"the terminal cannot be written to: {type(error).__name__}") from error
        return Receipt(remote_id=notification.remote_id or notification.delivery_id)


def lines(notification: Notification, width: int = 100) -> list[Text]:
    """The message line by line: headline, since when, chart, who, what changed; an empty line at the end."""
    sign, ink = SIGNS[standing.state(notification)]
    phrase = standing.phrase(notification)
    stands = f"  · {phrase}" if phrase else ""
    found = [Text.assemble((f"{sign} ", ink), (wording.headline(notification), "bold"), (stands, ink))]
    indent = "  "
    found += [Text(indent + line) for line in (wording.since_line(notification),) if line]
    found += [Text(indent) + row for row in chart(notification.spark, min(width - 16, 60))]
    found += [Text(f"{indent}• {line}") for line in wording.other_lines(notification)]
    found += [
        Text(indent + line, style="cyan") for line in (_who(notification), standing.in_place_of(notification)) if line
    ]
    changes = [] if notification.quiet else wording.timeline(notification)
    found += [Text(f"{indent}│ {line}", style="dim") for line in changes]
    return [*found, Text(f"{indent}{wording.detail(notification)}", style="dim"), Text("")]


def chart(points: Spark | None, width: int = 40, height: int = 4) -> list[Text]:
    """Rows of a small chart with its least and greatest value at the right; empty without readings."""
    columns = spark.columns(points, max(width, 10)) if points else []
    rows = [Text.assemble(*(drawn(cell) for cell in row)) for row in spark.cells(columns, height)]
    span = spark.reach(columns)
    if span:
        rows[0].append(f" {number(span[1])}", style="dim")
        rows[-1].append(f" {number(span[0])}", style="dim")
    return rows


def drawn(cell: spark.Cell) -> tuple[str, str]:
    """A cell and the style that it is printed in."""
    behind = " on grey19" if cell.in_band else ""
    return cell.text, f"{_INKS[cell.kind]}{behind}".strip()


def _print(terminal: Terminal, line: Text) -> None:
    shown: Text | str = line
    if not terminal.encoding.startswith("utf"):
        # Such a terminal gets the words without the signs that it has not.
        shown = line.plain.encode(terminal.encoding, "replace").decode(terminal.encoding)
    terminal.print(shown, soft_wrap=not terminal.is_terminal)


def _who(notification: Notification) -> str:
    links = {"Runbook": notification.runbook or "", **notification.links}
    shown = [f"{clean(name, 40)}: {clean(url, 300)}" for name, url in list(links.items())[:6] if url]
    return " · ".join(part for part in (clean(notification.owner.team or "", 60), *shown) if part)
