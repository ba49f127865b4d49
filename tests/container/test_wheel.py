"""What is published, and therefore in the image, is complete."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.container.dockerfile import ROOT
from tests.servers import missing

PACKAGES = ("alerting", "config", "detectors", "notifiers")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    if find_spec("uv") is None:
        missing("uv", "pip install uv")
    command = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_four_packages(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True)
    wanted = {name for name in tracked.stdout.splitlines() if Path(ROOT, name).exists()}
    assert wanted - set(wheel.namelist()) == set()
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_what_is_not_python_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    for folder, ending in (
        ("alerting/store/migrations/versions/", ".py"),
        ("alerting/sample/", ".csv"),
        ("alerting/sample/", ".yaml"),
        ("alerting/web/templates/", ".html"),
        ("alerting/web/static/", ".css"),
    ):
        assert any(name.startswith(folder) and name.endswith(ending) for name in names), folder + "*" + ending


def test_the_wheel_brings_its_licences_and_no_tests(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    licences = {name.partition(".dist-info/licenses/")[2] for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "alerting/sample/LICENSES.md"}
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]
