"""The page of a metric in a real browser: zoom, why, components; and without script."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import Visitor, visiting

PATH = "/metrics/shop.orders?series=country%3DFR&span=1w"


@pytest.fixture
def visitor(chromium: Browser, shop: str) -> Iterator[Visitor]:
    with visiting(chromium, shop) as found:
        found.page.set_viewport_size({"width": 1280, "height": 900})
        found.go(PATH)
        expect(found.page.locator("#chart.drawn")).to_be_visible()
        yield found
        assert found.trouble == []


def edges(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def drag(page: Page, begin: float, end: float) -> None:
    """Over these shares of the chart's width."""
    box = page.locator("#chart .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + begin * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 60, steps=8)
    page.mouse.up()


def test_dragging_zooms_all_charts_and_the_address_keeps_it(visitor: Visitor) -> None:
    page = visitor.page
    with page.expect_response(lambda answer: "/chart?" in answer.url and "points=800" in answer.url) as finer:
        drag(page, 0.5, 0.75)
    shown = edges(page)
    assert set(shown) == {"series", "since", "until"}
    assert "2026-01-30" < shown["since"][0] < shown["until"][0] < "2026-02-03"
    assert parse_qs(urlsplit(finer.value.url).query)["since"] == shown["since"], "the finer readings are fetched"
    small = page.locator(".series figure").last.get_attribute("data-chart") or ""
    assert parse_qs(urlsplit(small).query)["since"] == shown["since"]
    assert parse_qs(urlsplit(page.locator("#parts-link").get_attribute("href") or "").query)["since"] == shown["since"]
    page.reload()
    expect(page.locator("#chart.drawn")).to_be_visible()
    again = parse_qs(urlsplit(page.locator("#chart").get_attribute("data-chart") or "").query)
    assert again["until"] == shown["until"], "a link that was passed on shows the same"
    page.go_back()
    expect(page.locator(".spans a[aria-current]")).to_have_text("1w")


def test_a_double_click_leads_back(visitor: Visitor) -> None:
    page = visitor.page
    drag(page, 0.5, 0.75)
    page.wait_for_url("**since=**")
    page.locator("#chart .u-over").dblclick()
    page.wait_for_url("**span=1w")
    expect(page.locator("#chart.drawn")).to_be_visible()


def test_a_clicked_point_is_explained_beside_the_chart(visitor: Visitor) -> None:
    page = visitor.page
    box = page.locator("#chart .u-over").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 60)
    why = page.locator("#why")
    expect(why).to_contain_text("shop.orders{country=FR} at Tue 2026-02-03 13:00 Europe/Berlin (12:00 UTC) in health")
    expect(why).to_contain_text("4 anomalous buckets in a row")
    assert urlsplit(page.url).path == "/metrics/shop.orders", "the page stays"


def test_the_keyboard_explains_a_point_too(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#chart").focus()
    for key in ("End", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#why")).to_contain_text("2026-02-03 12:00 Europe/Berlin (11:00 UTC)")


def test_the_form_explains_in_place(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_label("At (Europe/Berlin)").fill("2026-02-03T10:00")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#why")).to_contain_text("Tue 2026-02-03 10:00 Europe/Berlin")
    assert urlsplit(page.url).path == "/metrics/shop.orders"


def test_a_series_is_taken_apart_in_place_over_the_span_that_is_shown(visitor: Visitor) -> None:
    page = visitor.page
    drag(page, 0.3, 0.9)
    page.wait_for_url("**since=**")
    page.locator("#parts-link").click()
    expect(page.locator("#parts .component")).to_have_count(3)
    expect(page.locator("#parts .edges time").first).to_have_attribute(
        "datetime", edges(page)["since"][0][:13] + ":00:00Z"
    )


def test_without_script_form_and_links_lead_to_pages(chromium: Browser, shop: str) -> None:
    with visiting(chromium, shop, script=False) as visitor:
        page = visitor.page
        visitor.go(PATH)
        expect(page.locator("#chart")).to_contain_text("Charts need JavaScript")
        page.get_by_label("At (Europe/Berlin)").fill("2026-02-03T10:00")
        page.get_by_role("button", name="Explain").click()
        expect(page.locator("h1")).to_have_text("Why: shop.orders")
        expect(page.locator("main")).to_contain_text("shop.orders{country=FR} at Tue 2026-02-03 10:00")
        page.get_by_role("link", name="shop.orders").click()
        page.locator("#parts-link").click()
        expect(page.locator("h1")).to_have_text("What shop.orders is made of")
        expect(page.locator(".component").first).to_contain_text("level")
