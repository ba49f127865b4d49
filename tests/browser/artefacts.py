"""What browser tests leave behind: pictures of the pages, and packages that they fetched."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
SCREENS = ARTEFACTS / "screens"
WIDTHS = {"desktop": 1280, "phone": 390}


def keep_pictures(page: Page, name: str) -> None:
    """The page as it is, whole, at the width of a desktop and of a phone: ``screens/NAME-desktop.png``."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for device, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=SCREENS / f"{name}-{device}.png", full_page=True)
