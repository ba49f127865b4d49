"""The documents tell the truth: their links lead somewhere, their lists are those of the program, their YAML loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerting.cli import COMMANDS
from config.loader import load
from config.settings import Settings, variable

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        address, _, anchor = target.partition("#")
        if "://" in address or not address:
            continue
        found = document.parent / address
        assert found.exists(), f"{document.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}, target


def test_the_commands_of_the_readme_are_those_of_the_program() -> None:
    section = README.partition("## Commands")[2].partition("## ")[0]
    written = set(re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE))
    assert written == {command.name for command in COMMANDS if command.address}


def test_the_commands_that_come_later_are_named_as_such() -> None:
    section = README.partition("## Not there yet")[2]
    assert {"backtest", "plan", "tune", "test"} <= set(re.findall(r"`([a-z]+)`", section))


def test_the_settings_of_the_readme_are_those_of_the_program() -> None:
    section = README.partition("## Settings")[2].partition("## ")[0]
    written = set(re.findall(r"^\| `(METRICWATCH_[A-Z_]+)` \|", section, re.MULTILINE))
    assert written == {variable(name) for name in Settings.model_fields}


def test_the_yaml_of_the_readme_loads(tmp_path: Path) -> None:
    (yaml,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "shop.yaml").write_text(yaml, encoding="utf-8")
    environment = {"SHOP_URL": "sqlite:///shop.db", "PD_CHECKOUT_KEY": "x" * 32}
    loaded = load(tmp_path, environment=environment)
    assert [str(problem) for problem in loaded.problems] == []
    assert set(loaded.config.subscriptions) == {"checkout-health"}


@pytest.mark.parametrize("package", ["alerting", "config", "detectors", "notifiers"])
def test_every_package_says_what_lives_there(package: str) -> None:
    rooms = [ROOT / package, *(path for path in (ROOT / package).iterdir() if (path / "__init__.py").exists())]
    told = [room for room in rooms if (room / "README.md").exists() or room.name in ("slack", "sample", "examples")]
    assert told == rooms
