"""What holds on every page that links lead to: no serious accessibility violation, nothing refused, pictures kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser import axe
from tests.browser.artefacts import keep_pictures
from tests.browser.pages import one_of_each_kind
from tests.browser.visitor import visiting


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_accessibility_violation(
    chromium: Browser, axe_core: str, shop: str, scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    with visiting(chromium, shop, scheme=scheme) as visitor:
        visitor.page.context.add_init_script(axe_core)
        paths = one_of_each_kind(visitor)
        for kind, path in paths.items():
            for width in (1280, 390):
                visitor.page.set_viewport_size({"width": width, "height": 900})
                visitor.go(path)
                found[f"{kind} at {width}"] = axe.violations(visitor.page)
            keep_pictures(visitor.page, f"shop-{kind}-{scheme}")
    assert {"incidents", "incidents-one"} <= set(paths)
    assert {page: wrong for page, wrong in found.items() if wrong} == {}
    assert visitor.trouble == []


def test_no_page_is_wider_than_a_phone(chromium: Browser, shop: str) -> None:
    too_wide = {}
    with visiting(chromium, shop) as visitor:
        for kind, path in one_of_each_kind(visitor).items():
            visitor.page.set_viewport_size({"width": 390, "height": 800})
            visitor.go(path)
            width = visitor.page.evaluate("() => document.documentElement.scrollWidth")
            if width > 390:
                too_wide[kind] = width
    assert too_wide == {}
