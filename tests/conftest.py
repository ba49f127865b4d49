"""Fixtures for the whole suite."""

from tests.figures import figure, pytest_terminal_summary
from tests.servers import postgres

__all__ = ["figure", "postgres", "pytest_terminal_summary"]
