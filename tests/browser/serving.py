"""The pages of an app on a free port, as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from alerting.app import App
from alerting.web.server import serve


@contextmanager
def served(app: App, clock: Callable[[], datetime]) -> Iterator[str]:
    """The address."""
    running = serve(app, "127.0.0.1", 0, clock=clock)
    try:
        yield running.url
    finally:
        running.stop()
