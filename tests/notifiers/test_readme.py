"""The README of notifiers tells the truth: its example runs, its tables are complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from notifiers import IncidentView, Notification
from notifiers.webhook import document
from tests.notifiers.examples import notification

ROOT = Path(__file__).parents[2]
README = (ROOT / "notifiers/README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_example_notifier_is_registered_by_its_entry_point_and_passes_the_suite(tmp_path: Path) -> None:
    code, test = blocks("python")
    (registration,) = blocks("toml")
    (tmp_path / "linefile.py").write_text(code, encoding="utf-8")
    (tmp_path / "test_linefile.py").write_text(test, encoding="utf-8")
    installed = tmp_path / "linefile-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: linefile\nVersion: 1.0\n", encoding="utf-8")
    entry = registration.splitlines()[1].replace('"', "")
    (installed / "entry_points.txt").write_text(f"[metricwatch.notifiers]\n{entry}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "test_linefile.py"]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout
    assert "failed" not in ran.stdout


def test_every_key_of_the_webhook_is_documented() -> None:
    table = README.split("<!-- webhook-schema -->")[1].split("\n\n")[0]
    documented = {key for row in table.splitlines()[3:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert documented == set(document(notification()))


def test_every_file_is_listed() -> None:
    package = ROOT / "notifiers"
    files = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    folders = {f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").exists()}
    rows = [row for row in README.splitlines() if row.startswith("| `")]
    assert files | folders <= {name for row in rows for name in re.findall(r"`([\w./]+)`", row)}


def test_the_notification_is_described_to_its_last_field() -> None:
    """Names that explain themselves need no text, but every documented name exists."""
    documented = set(re.findall(r"``(\w+)``", Notification.__doc__ or ""))
    assert documented & set(Notification.model_fields) >= {
        "delivery_id",
        "group_id",
        "incidents",
        "changes",
        "remote_id",
    }
    assert "observed" in IncidentView.model_fields


def test_the_slack_manifest_asks_for_what_is_used_and_nothing_else() -> None:
    manifest = YAML(typ="safe").load((ROOT / "docs/slack-app-manifest.yaml").read_text(encoding="utf-8"))
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert scopes == ["chat:write", "files:write", "channels:history", "groups:history", "im:history"]
