"""Debian's Chromium, driven by Playwright, and a small shop whose pages it visits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.app.world import NOW, build, opened
from tests.browser import axe
from tests.browser.serving import served
from tests.servers import missing

INSTALL = "apt-get install chromium npm"
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all; each visit has a profile of its own."""
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium", INSTALL)
    with sync_playwright() as playwright:
        # No sandbox: continuous integration runs as root, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe_core() -> str:
    """The script of the accessibility engine."""
    try:
        return axe.source()
    except axe.NotAvailable as exc:
        missing(str(exc), INSTALL)
        raise


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the small shop's pages: incidents that went by, some that are open, a query that fails."""
    folder: Path = tmp_path_factory.mktemp("shop")
    build(folder)
    with opened(folder) as app, served(app, lambda: NOW) as address:
        yield address
