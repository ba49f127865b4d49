from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.web.server import create
from tests.app.world import NOW, app, changing, watched

__all__ = ["app", "changing", "watched"]
LOCAL = "http://127.0.0.1:8050"


@pytest.fixture
def browser(changing: App) -> Iterator[TestClient]:
    """A client of ``changing`` that keeps its cookies."""
    web = create(changing, clock=lambda: NOW)
    with TestClient(web, base_url=LOCAL, follow_redirects=False) as found:
        yield found


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A client of the small shop, which is only read."""
    with TestClient(create(app, clock=lambda: NOW), base_url=LOCAL, follow_redirects=False) as found:
        yield found
