"""The program around the commands: help, exit codes, and messages instead of tracebacks."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerting.cli import COMMANDS, program
from alerting.store import open_store
from tests.flow.world import HOUR, NOON, SHOP, Shop
from tests.warehouse.rigs import SqliteRig

HEAVY = ("pandas", "sqlalchemy", "statsmodels", "matplotlib", "duckdb", "apscheduler")
LOGGED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[")
Run = Callable[..., tuple[int, str, str]]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, and stderr without the lines of the log, which runs at DEBUG here."""
    result = CliRunner().invoke(program(list(arguments)), list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    said = [line for line in result.stderr.splitlines(keepends=True) if not LOGGED.match(line)]
    return result.exit_code, result.stdout, "".join(said)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a shop that sells a hundred an hour, and settings that point there."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("METRICWATCH_", "SLACK_", "PAGERDUTY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("METRICWATCH_LOG_LEVEL", "DEBUG")
    rig = SqliteRig(tmp_path / "shop.sqlite")
    Shop(rig).open_hours(NOON - 144 * HOUR, NOON).load()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "shop.yaml").write_text(SHOP.replace("URL", rig.url), encoding="utf-8")
    return tmp_path


def test_help_lists_the_commands_and_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom alerting.cli import main\nsys.argv = ['metricwatch', '--help']\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    for command in COMMANDS:
        assert (f" {command.name} " in done.stdout) == (command.address is not None), command.name
    assert "loaded: []" in done.stdout


def test_the_version_needs_no_command() -> None:
    assert run("--version") == (0, f"metricwatch {version('metricwatch')}\n", "")


def test_a_command_of_a_later_release_says_so() -> None:
    for command in COMMANDS:
        if command.address is None:
            assert run(command.name, "--any", "thing") == (2, "", f"metricwatch {command.name}: not available yet\n")


@pytest.mark.parametrize("arguments", [["wach"], ["once", "--att", "now"], ["db", "downgrade"], ["--watch"]])
def test_a_command_that_does_not_exist_is_wrong_use(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "No such" in err


def test_a_time_that_is_none_is_wrong_use(here: Path) -> None:
    code, out, err = run("once", "--at", "yesterday")
    assert (code, out) == (2, "")
    assert "'yesterday' is not a time" in err


def test_a_folder_that_is_not_there_is_answered_with_the_remedy(here: Path) -> None:
    code, out, err = run("once", "--config", "elsewhere")
    assert (code, out) == (1, "")
    assert "elsewhere" in err
    assert "metricwatch init" in err or "METRICWATCH_CONFIG" in err


def test_a_bad_folder_is_answered_with_the_places_of_its_mistakes(here: Path) -> None:
    path = here / "metrics" / "shop.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("below: 50", "bellow: 50"), encoding="utf-8")
    code, out, err = run("once")
    assert (code, out) == (1, "")
    assert err.count("shop.yaml:21:26: ") == 1, "each mistake once"
    assert "below" in err
    assert "Traceback" not in err


def test_a_setting_that_is_wrong_is_wrong_use(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_EXECUTOR", "cluster")
    code, _, err = run("once")
    assert code == 2
    assert "METRICWATCH_EXECUTOR" in err


@pytest.mark.parametrize("command", ["once", "run"])
def test_a_state_in_use_is_refused_at_once(command: str, here: Path) -> None:
    store = open_store("sqlite:///metricwatch.db")
    with store.exclusive():
        code, out, err = run(command)
    store.close()
    assert (code, out) == (2, "")
    assert f"in use by process {os.getpid()}" in err


def test_a_state_that_cannot_be_opened_is_wrong_use(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_STATE_URL", "sqlite:////nowhere/at/all/state.db")
    for arguments in (["once"], ["db", "upgrade"]):
        code, _, err = run(*arguments)
        assert code == 2
        assert "Traceback" not in err


def test_upgrading_the_state_says_so_and_keeps_it_private(here: Path) -> None:
    code, out, _ = run("db", "upgrade")
    assert (code, out) == (0, "the state database is at the newest version\n")
    assert stat.S_IMODE((here / "metricwatch.db").stat().st_mode) == 0o600
