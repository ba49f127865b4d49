"""Figures that tests measured, printed at the end of the run whether they passed or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests import canary_hooks

Figure = Callable[[str, str], None]
"""``figure("T5", "one call in 5 min, all within 65 s")``: the requirement's name, and what was measured."""

_KEY = "figure"


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Keeps a measured figure for the end of the run; also with several test processes."""

    def keep(name: str, told: str) -> None:
        record_property(_KEY, f"{name}\t{told}")

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each figure, in the order of their names."""
    reports = [report for of_kind in terminalreporter.stats.values() for report in of_kind if hasattr(report, "when")]
    found = Counter([*_figures(reports), *canary_hooks.figures(reports)])
    if not found:
        return
    terminalreporter.section("figures")
    for name, told in sorted(found, key=_place):
        often = found[name, told]  # one test over several databases
        terminalreporter.write_line(f"{name:>5}  {told}" + (f"  ({often} times)" if often > 1 else ""))


def _figures(reports: Iterable[pytest.TestReport]) -> Iterator[tuple[str, str]]:
    for report in reports:
        if report.when != "call":
            continue
        for key, value in report.user_properties:
            if key == _KEY:
                name, told = str(value).split("\t", 1)
                yield name, told


def _place(line: tuple[str, str]) -> tuple[int, str]:
    digits = "".join(letter for letter in line[0] if letter.isdigit())
    return int(digits or 0), f"{line[0]} {line[1]}"
