"""What READMEs list is there, and what is there is listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.docs.test_readme import DOCUMENTS, README, ROOT

TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in DOCUMENTS}


@pytest.mark.parametrize("document", [name for name in TEXTS if name.endswith("README.md")])
def test_a_file_that_a_table_names_is_there(document: str) -> None:
    """The first column of a table may name files and folders of the package."""
    cells = re.findall(r"^\| ((?:`[\w/.]+`(?:, )?)+) \|", TEXTS[document], flags=re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([\w/]+(?:\.py|/))`", cell)]
    assert [name for name in named if not ((ROOT / document).parent / name).exists()] == []


def test_every_room_of_alerting_is_on_its_map() -> None:
    text = TEXTS["alerting/README.md"]
    rooms = {path.name + "/" for path in (ROOT / "alerting").iterdir() if (path / "__init__.py").exists()}
    rooms |= {path.name for path in (ROOT / "alerting").glob("*.py")} - {"__init__.py"}
    assert {room for room in rooms if f"`{room}`" not in text} == set()


def test_the_scopes_are_those_of_the_manifest() -> None:
    manifest = YAML(typ="safe").load((ROOT / "docs" / "slack-app-manifest.yaml").read_text(encoding="utf-8"))
    documented = re.findall(r"`((?:chat|files|channels|groups|im|users):\w+)`", README)
    assert documented == manifest["oauth_config"]["scopes"]["bot"]


def test_every_target_of_make_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {word for text in TEXTS.values() for word in re.findall(r"`?\bmake (\w+)[` \n]*(?=#|`|ARGS|\[)", text)}
    assert named >= {"demo", "test", "check", "bench"}
    assert {word for word in named if not re.search(rf"^{word}:", makefile, flags=re.MULTILINE)} == set()


def test_every_script_that_is_named_can_be_run() -> None:
    scripts = {name for text in TEXTS.values() for name in re.findall(r"`([\w/]+\.sh)`", text)}
    assert scripts == {"tests/container/prove.sh"} | (scripts & {"prove.sh"})
    assert Path(ROOT, "tests/container/prove.sh").stat().st_mode & 0o111
