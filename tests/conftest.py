"""Fixtures for the whole suite."""

from tests.canary_hooks import pytest_configure, pytest_runtest_setup, pytest_runtest_teardown
from tests.figures import figure, pytest_terminal_summary
from tests.servers import postgres

__all__ = [
    "figure",
    "postgres",
    "pytest_configure",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_terminal_summary",
]
