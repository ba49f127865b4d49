from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.web.server import create
from tests.app.world import NOW, app, own, watched

__all__ = ["app", "own", "watched"]
LOCAL = "http://127.0.0.1:8050"


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A client of the small shop, which is only read."""
    with TestClient(create(app, clock=lambda: NOW), base_url=LOCAL, follow_redirects=False) as found:
        yield found


@pytest.fixture
def browser(own: App) -> Iterator[TestClient]:
    """A client of ``own``, the shop that may change; it keeps its cookies."""
    with TestClient(create(own, clock=lambda: NOW), base_url=LOCAL, follow_redirects=False) as found:
        yield found
