"""The watch over the whole run: everything speaks at DEBUG, and what it says is searched for the canaries."""

from __future__ import annotations

import logging
import subprocess
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import TypeVar

import pytest
import structlog
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from alerting.telemetry import configure
from tests.canaries import KINDS, PASSWORD, PASSWORD_VARIABLE, WATCH

LEVEL = "DEBUG"
_KEY = "canaries"
Called = TypeVar("Called")


def pytest_configure(config: pytest.Config) -> None:
    """Everything of this process, and of those that it starts, speaks at DEBUG and is heard."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setenv("METRICWATCH_LOG_LEVEL", LEVEL)
    patch.setenv(PASSWORD_VARIABLE, PASSWORD)
    patch.setattr(structlog.stdlib.ProcessorFormatter, "format", _heard(structlog.stdlib.ProcessorFormatter.format))
    patch.setattr(subprocess.Popen, "communicate", _read(subprocess.Popen.communicate))
    patch.setattr(CliRunner, "invoke", _printed(CliRunner.invoke))
    patch.setattr(TestClient, "send", _served(TestClient.send))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A command of an earlier test may have left its own level and its own stream."""
    configure("text", LEVEL)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    WATCH.stored()  # before their fixtures take them away
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    yield
    if isinstance(folder, Path):
        WATCH.folder(folder)
    hits, WATCH.hits = WATCH.hits, []
    item.user_properties.append((_KEY, {**WATCH.searched, "hits": len(hits)}))
    WATCH.searched.clear()
    if hits:
        pytest.fail("secrets were found\n" + "\n".join(hits), pytrace=False)


def figures(reports: Iterable[pytest.TestReport]) -> Iterator[tuple[str, str]]:
    """The line of T21: what was searched over the whole run, and how often a secret was found."""
    total: Counter[str] = Counter()
    for report in reports:
        for key, value in report.user_properties if report.when == "teardown" else ():
            if key == _KEY and isinstance(value, dict):
                total.update(value)
    if total:
        searched = ", ".join(f"{total[kind]:,} {kind}" for kind in KINDS)
        yield "T21", f"canary secrets at DEBUG: {searched} searched, {total['hits']} hits"


def _heard(usual: Callable[..., str]) -> Callable[..., str]:
    @wraps(usual)
    def format_(self: logging.Formatter, record: logging.LogRecord) -> str:
        line = usual(self, record)
        WATCH.look("log lines", record.name, line)
        return line

    return format_


def _read(usual: Callable[..., Called]) -> Callable[..., Called]:
    @wraps(usual)
    def communicate(self: subprocess.Popen[bytes], *arguments: object, **named: object) -> Called:
        output = usual(self, *arguments, **named)
        for part in output if isinstance(output, tuple) else ():
            if part:
                WATCH.look("outputs", str(self.args)[:200], part)
        return output

    return communicate


def _printed(usual: Callable[..., Called]) -> Callable[..., Called]:
    @wraps(usual)
    def invoke(*arguments: object, **named: object) -> Called:
        result = usual(*arguments, **named)
        WATCH.look("outputs", "a command", f"{getattr(result, 'output', '')}{getattr(result, 'exception', '')!r}")
        return result

    return invoke


def _served(usual: Callable[..., Called]) -> Callable[..., Called]:
    @wraps(usual)
    def send(self: TestClient, request: object, **named: object) -> Called:
        answer = usual(self, request, **named)
        headers = str(getattr(answer, "headers", "")).encode()
        WATCH.look("pages", str(getattr(request, "url", "")), getattr(answer, "content", b"") + headers)
        return answer

    return send
