from __future__ import annotations

import importlib
from importlib.util import find_spec

import pytest

from tests.benchmarks.__main__ import ROWS, header, line, main
from tests.benchmarks.row import Row


def test_line_shows_both_times_and_their_ratio() -> None:
    row = Row("pull", 0.25, 1.5, "pandas.read_sql", "10 series")
    assert line(row) == "| pull | 250 ms | 1.50 s (pandas.read_sql) | 6.0 × | 10 series |"
    assert header().splitlines()[2].count("|") == line(row).count("|")


def test_line_of_a_rival_that_is_not_installed_shows_no_ratio() -> None:
    row = Row("judge", 0.25, None, "Prophet", "10 series; rival not installed")
    assert line(row) == "| judge | 250 ms | – (Prophet) | – | 10 series; rival not installed |"


def test_unknown_row_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "no row nonsense; there are pull" in capsys.readouterr().err


def test_every_row_whose_module_is_there_can_be_measured() -> None:
    places = [place.partition(":") for place in ROWS.values() if find_spec(place.partition(":")[0])]
    assert places
    assert all(callable(getattr(importlib.import_module(module), name)) for module, _, name in places)
