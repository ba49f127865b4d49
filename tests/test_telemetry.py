"""Which libraries are heard at which level."""

from __future__ import annotations

import logging

import pytest

from alerting.telemetry import configure


@pytest.mark.parametrize(("level", "is_heard"), [("DEBUG", True), ("INFO", False)])
def test_some_libraries_speak_at_debug_only(level: str, is_heard: bool) -> None:
    configure("text", level)
    assert logging.getLogger("apscheduler.scheduler").isEnabledFor(logging.INFO) is is_heard
    assert logging.getLogger("apscheduler.scheduler").isEnabledFor(logging.WARNING)


@pytest.mark.parametrize("library", ["sqlalchemy.engine.Engine", "httpx2", "httpcore2.http11", "slack_sdk.web"])
def test_what_prints_rows_or_whole_addresses_is_never_heard(library: str) -> None:
    configure("text", "DEBUG")
    assert not logging.getLogger(library).isEnabledFor(logging.INFO)
