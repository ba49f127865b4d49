"""docs/slack.md shows what is really sent: its pictures, the words quoted beside them, its scopes, its buttons."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from notifiers.slack.buttons import BUTTONS
from notifiers.slack.socket_mode import PING
from tests.docs.test_readme import ROOT
from tests.standins.gallery import scenes
from tests.standins.preview import pages

TEXT = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
PICTURES = {name: alt for alt, name in re.findall(r"!\[([^\]]+)\]\(images/([\w-]+)\.png\)", TEXT)}
MANIFEST = YAML(typ="safe").load((ROOT / "docs" / "slack-app-manifest.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The words of each scene, without markup."""
    written: list[Path] = pages(tmp_path_factory.mktemp("pages"))
    return {
        path.stem: html.unescape(re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8").partition("<body>")[2]))
        for path in written
    }


def test_every_scene_has_its_picture() -> None:
    assert set(PICTURES) == {scene.name for scene in scenes()}


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_quoted_of_a_picture_is_what_is_sent(name: str, shown: dict[str, str]) -> None:
    quoted = re.findall(r'"([^"]+)"', PICTURES[name])
    assert [words for words in quoted if words not in shown[name]] == []


def test_the_scopes_are_those_of_the_manifest() -> None:
    scopes = dict(re.findall(r"^\| `(\w+:\w+)` \| (bot|app) \|", TEXT, re.MULTILINE))
    assert [scope for scope, token in scopes.items() if token == "bot"] == MANIFEST["oauth_config"]["scopes"]["bot"]
    assert [scope for scope, token in scopes.items() if token == "app"] == ["connections:write"]


def test_the_app_of_the_manifest_can_have_buttons_without_an_address() -> None:
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["settings"]["interactivity"] == {"is_enabled": True}


def test_the_buttons_are_those_of_the_message() -> None:
    section = TEXT.partition("## The buttons")[2]
    rows = re.findall(r"^\| ([^|`]+) \| (?!what)", section, re.MULTILINE)
    assert [part for row in rows for part in row.split(", ")] == [button.text for button in BUTTONS]
    assert f"every {PING.total_seconds():.0f} seconds" in section
