from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.detectors.stl.test_against_statsmodels import ALL

README = (Path(__file__).parents[3] / "detectors" / "stl" / "README.md").read_text(encoding="utf-8")


def test_example_runs_and_finds_what_it_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    found: dict[str, object] = {}
    exec(f"{example}\nnamed = strengths(both)", found)
    named = found["named"]
    assert isinstance(named, dict)
    told = {int(period): float(first) for period, first in re.findall(r"(\d+): array\(\[([\d.]+), …\]\)", README)}
    assert told == pytest.approx({period: strength[0] for period, strength in named.items()}, abs=0.005)
    assert np.isfinite([strength for each in named.values() for strength in each]).all()


def test_number_of_combinations_is_the_one_compared() -> None:
    compared = sum(1 for make in ALL.values() for _ in make())
    assert re.findall(r"(\d+) combinations", README) == [str(compared)]
