from __future__ import annotations

from pathlib import Path

import pytest

from config.loader import load
from tests.config.plug_ins import PLUG_INS

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


@pytest.mark.parametrize("folder", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_an_example_has_no_mistake(folder: str) -> None:
    found = load(EXAMPLES / folder, environment={}, plug_ins=PLUG_INS)
    assert [str(problem) for problem in found.errors] == []
    assert found.config.subscriptions
    assert all("is not set" in problem.message or "cannot be read" in problem.message for problem in found.problems)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.parent.name + "/" + path.name)
def test_an_example_is_named_in_the_readme(path: Path) -> None:
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    assert f"examples/{path.parent.name}" in readme
