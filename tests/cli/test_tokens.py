"""``token`` through the program, and ``run`` on a file with mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerting.web.tokens import Tokens
from tests.cli.test_program import here, run

__all__ = ["here"]


def test_a_token_is_shown_once_with_its_line(tmp_path: Path) -> None:
    code, out, err = run("token", "ann", "operate", "--json")
    assert (code, err) == (0, "")
    made = json.loads(out)
    (tmp_path / "tokens").write_text(made["line"] + "\n")
    found = Tokens(tmp_path / "tokens").holder(made["token"])
    assert found is not None
    assert (found.name, found.scope) == ("ann", "operate")
    words = run("token", "bob", "read")[1]
    assert "token, shown this once: mw_" in words
    assert "METRICWATCH_TOKENS_FILE names: bob read " in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("ann", "write"), "'write' is no scope: write read, operate, admin"), (("a b", "read"), "'a b' is no name")],
)
def test_wrong_use_says_what_to_write(arguments: tuple[str, str], message: str) -> None:
    code, out, err = run("token", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_run_does_not_start_on_a_bad_tokens_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "tokens").write_text("ann everything abc\n")
    monkeypatch.setenv("METRICWATCH_TOKENS_FILE", str(here / "tokens"))
    code, _, err = run("run")
    assert code == 2
    assert f"{here / 'tokens'}:1: 'everything' is no scope" in err
