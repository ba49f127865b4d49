"""What is wrong with a configuration, where, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A spot in a file, counted from 1; line 0 = the file or folder as a whole."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake. ``key`` is the dotted path of the key (empty: the file as a whole)."""

    path: str
    line: int
    column: int
    key: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        where = str(Place(self.path, self.line, self.column))
        kind = "warning" if self.is_warning else ""
        return ": ".join(part for part in (where, self.key, kind, self.message) if part)


def problem(place: Place, key: str, message: str, *, is_warning: bool = False) -> Problem:
    return Problem(place.path, place.line, place.column, key, _one_line(message), is_warning)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean …`` with the nearest known word, else the known words if they are few.

    >>> suggestion("seasnal", ["seasonal", "threshold"])
    "; did you mean 'seasonal'?"
    >>> suggestion("x", ["seasonal", "threshold"])
    '; there are: seasonal, threshold'
    """
    by_case = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{by_case[near[0]]}'?"
    if not by_case:
        return "; there are none yet"
    return f"; there are: {', '.join(sorted(by_case.values()))}" if len(by_case) <= 25 else ""


def _one_line(message: str) -> str:
    """Control characters would break the line or the terminal: they are shown, not sent."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in message)
