"""Fixtures for the whole suite."""

from tests.servers import postgres

__all__ = ["postgres"]
