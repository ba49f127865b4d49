"""The watch can fail: what is leaked in each of the places that it searches is found, and fails that test by name."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.canaries import KINDS, PASSWORD, ROUTING_KEY, SLACK_TOKEN, Watch

ROOT = Path(__file__).parents[1]
CONFTEST = """
from tests.canary_hooks import pytest_configure, pytest_runtest_setup, pytest_runtest_teardown
from tests.figures import pytest_terminal_summary
from tests.servers import postgres
"""
LEAKS = """
import subprocess, sys, urllib.request, pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from alerting.telemetry import logger
from tests.canaries import PASSWORD, ROUTING_KEY
from tests.standins.pagerduty import PagerDutyStandIn

def test_clean():
    logger("x").info("fine", address="postgresql://app:%s@db/shop" % PASSWORD)

def test_log():
    logger("x").debug("leak", key=ROUTING_KEY)

def test_traceback():
    try:
        raise KeyError(ROUTING_KEY)
    except KeyError:
        logger("x").exception("broke")

def test_payload():
    with PagerDutyStandIn() as service:
        with pytest.raises(OSError):
            urllib.request.urlopen(urllib.request.Request(service.url, PASSWORD.encode()))

def test_page():
    app = FastAPI()
    app.get("/")(lambda: {"said": PASSWORD})
    TestClient(app).get("/")

def test_output():
    subprocess.run([sys.executable, "-c", f"raise SystemExit('{PASSWORD}')"], capture_output=True)

def test_file(tmp_path):
    (tmp_path / "state.db").write_bytes(b"x" * 200 + PASSWORD.encode().hex().encode())

def test_database(postgres):
    url = postgres.database()
    name = url.partition("@/")[2].partition("?")[0]
    postgres.run("CREATE TABLE t (x text)", f"INSERT INTO t VALUES ('{PASSWORD}')", database=name)
"""


@dataclass(frozen=True)
class Asked:
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@pytest.mark.parametrize(
    "request_",
    [
        Asked(headers={"Authorization": f"Bearer {SLACK_TOKEN}"}),
        Asked(body=json.dumps({"routing_key": ROUTING_KEY, "payload": {"summary": "x"}}).encode()),
    ],
)
def test_a_secret_in_its_own_place_is_no_leak(request_: Asked) -> None:
    assert Watch().payload(request_) == []


@pytest.mark.parametrize(
    "request_",
    [
        Asked(path=f"/?token={SLACK_TOKEN}"),
        Asked(headers={"X-Token": SLACK_TOKEN}),
        Asked(body=SLACK_TOKEN.encode()),
        Asked(body=json.dumps({"routing_key": ROUTING_KEY, "payload": {"summary": ROUTING_KEY}}).encode()),
    ],
)
def test_a_secret_in_any_other_place_is_found(request_: Asked) -> None:
    watch = Watch()
    assert len(watch.payload(request_)) == 1
    assert watch.hits


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_secret_is_found_in_hexadecimal_and_in_base64(before: str) -> None:
    text = (before + PASSWORD).encode()
    assert Watch().look("files", "x", text.hex())
    assert Watch().look("files", "x", base64.b64encode(text))
    assert Watch().look("files", "x", base64.b64encode(b"nothing to see here")) == []


def test_each_leak_fails_its_test_by_name() -> None:
    with TemporaryDirectory() as folder:  # not below tmp_path, which is searched
        (Path(folder) / "conftest.py").write_text(CONFTEST, encoding="utf-8")
        (Path(folder) / "test_leaks.py").write_text(LEAKS, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--show-capture=no", "-rE", "-W", "ignore"]
        ran = subprocess.run(
            [*command, f"--basetemp={folder}/made", "test_leaks.py"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    leaking = {"log", "traceback", "payload", "page", "output", "file", "database"}
    found = {line.split("test_leaks.py::test_")[1].split(" ")[0] for line in errors_of(ran.stdout)}
    assert found == leaking, ran.stdout + ran.stderr
    assert "8 passed" in ran.stdout
    assert all(kind in ran.stdout for kind in KINDS)
    assert f"{len(leaking)} hits" in ran.stdout


def errors_of(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith("ERROR test_leaks.py::")]
