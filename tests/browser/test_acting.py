"""The same forms with and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import visiting


@pytest.mark.parametrize("script", [True, False])
def test_actions_work_without_script_and_with_it_the_page_stays(chromium: Browser, shop: str, script: bool) -> None:
    headline = "Orders, FR: 50 % below expected" if script else "Orders: 33 % below expected"
    with visiting(chromium, shop, script=script) as visitor:
        page = visitor.page
        visitor.go("/incidents?state=open")
        page.get_by_role("link", name=headline).click()
        address = page.url
        if script:
            page.evaluate("() => { window.stayed = true; }")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator(".said")).to_contain_text("Acknowledged by local.")
        page.locator("summary", has_text="Silence").click()
        form = page.locator("form[action$='/silence']")
        form.locator("[name=comment]").fill("deploy")
        form.locator("[name=own]").fill("40d")
        form.get_by_role("button").click()
        expect(form.get_by_role("alert")).to_contain_text("at most 30 d")
        expect(form.locator("[name=comment]")).to_have_value("deploy")
        form.locator("[name=own]").fill("3h")
        form.get_by_role("button").click()
        expect(page.locator(".said")).to_contain_text("Silenced until Tue 2026-02-03 16:10 UTC by local")
        if script:
            assert page.url == address
            assert page.evaluate("() => window.stayed"), "only the content was swapped"
    assert visitor.trouble == []
