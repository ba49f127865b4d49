from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.web.server import create
from tests.app.world import NOW, app, opened, watched

__all__ = ["app", "watched"]
LOCAL = "http://127.0.0.1:8050"


@pytest.fixture
def changing(watched: Path, tmp_path: Path) -> Iterator[App]:
    """The small shop as it was left, with a state of its own that a test may change."""
    shutil.copy(watched / "state.db", tmp_path)
    shutil.copytree(watched / "metrics", tmp_path / "metrics")
    with opened(tmp_path) as found:
        yield found


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
