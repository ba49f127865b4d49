"""The page of now in a real browser: charts, what changes while somebody looks, filters, keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from alerting.app import App
from alerting.web.server import Running, serve
from tests.app.world import build, opened
from tests.browser.visitor import Visitor, visiting

LIVE = "() => document.getElementById('live').textContent === 'live'"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture
def world(built: Path, tmp_path: Path) -> Iterator[tuple[App, Running]]:
    """A server over a copy that a test may change."""
    shutil.copy(built / "state.db", tmp_path)
    shutil.copytree(built / "metrics", tmp_path / "metrics")
    with opened(tmp_path) as app:
        running = serve(app, "127.0.0.1", 0)
        yield app, running
        running.stop()


@pytest.fixture
def visitor(chromium: Browser, world: tuple[App, Running]) -> Iterator[Visitor]:
    with visiting(chromium, world[1].url) as found:
        found.go("/")
        found.page.wait_for_selector("figure.plot.drawn canvas")
        yield found
    assert found.trouble == []


def test_a_chart_is_read_with_arrow_keys(visitor: Visitor) -> None:
    chart = visitor.page.locator("figure.plot").first
    assert (chart.get_attribute("aria-label") or "").startswith(
        "Chart of shop.orders{country=FR}: last 100 orders, usu"
    )
    chart.focus()
    visitor.page.keyboard.press("End")
    told = chart.locator(".tip").inner_text().splitlines()
    assert told[1] == "100 orders"
    assert "unusual" in told
    assert "Orders, FR: 50 % below expected" in told
    visitor.page.keyboard.press("ArrowLeft")
    assert chart.locator(".tip").inner_text().splitlines()[1] == "102 orders"


def test_a_chart_that_fails_says_so_and_is_asked_for_again_later(chromium: Browser, world: tuple[App, Running]) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 3:
            route.continue_()
        else:
            route.fulfill(status=503, json={"error": "the state database does not answer"})

    with visiting(chromium, world[1].url) as visitor:
        visitor.page.route("**/chart?*", answer)
        visitor.go("/")
        visitor.page.wait_for_selector("text=There is no chart: the state database does not answer")
        visitor.page.wait_for_selector("figure.plot.drawn canvas")
        assert len(asked) <= 6


def test_what_somebody_does_appears_without_losing_focus_or_charts(
    visitor: Visitor, world: tuple[App, Running]
) -> None:
    page, (app, _) = visitor.page, world
    page.wait_for_function(LIVE)
    page.evaluate("() => { window.canvas = document.querySelector('figure canvas'); }")
    page.locator(".card h2 a").first.focus()
    worst = page.evaluate("() => document.activeElement.getAttribute('href')")
    now = app.store.incidents(open_only=True)[0].detected
    for one in app.store.incidents(open_only=True):
        app.actions.acknowledge(one.id, by="ann", via="cli", now=now)
    page.wait_for_selector(".card.acknowledged >> text=by ann")
    assert page.evaluate("() => window.canvas === document.querySelector('figure canvas')")
    assert page.evaluate("() => document.activeElement.getAttribute('href')") == worst


def test_a_page_says_since_when_it_is_not_live(visitor: Visitor, world: tuple[App, Running]) -> None:
    visitor.page.wait_for_function(LIVE)
    world[1].stop()
    visitor.page.wait_for_function(
        "() => /^not live since \\d\\d:\\d\\d$/.test(document.getElementById('live').textContent)"
    )
    # Chromium tells its console of every connection that is refused.
    visitor.trouble[:] = [one for one in visitor.trouble if "ERR_" not in one]


def test_filters_apply_while_somebody_types_and_stay_in_the_address(visitor: Visitor) -> None:
    page = visitor.page
    page.keyboard.press("/")
    page.keyboard.type("weight")
    page.wait_for_selector(".card", state="detached")
    assert "text=weight" in page.url
    assert page.evaluate("() => document.activeElement.name") == "text"
    page.reload()
    assert page.locator(".card").count() == 0
    assert page.input_value("input[name=text]") == "weight"


def test_without_script_the_page_says_the_same_and_filters(chromium: Browser, world: tuple[App, Running]) -> None:
    with visiting(chromium, world[1].url, script=False) as plain:
        plain.go("/")
        assert "Orders, FR: 50 % below expected" in plain.page.content()
        plain.page.select_option("select[name=subscription]", "floor")
        plain.page.click("text=Show")
        assert "subscription=floor" in plain.page.url
        assert plain.page.locator(".card").count() == 0


def test_keys_lead_through_the_page_and_are_told(visitor: Visitor) -> None:
    page = visitor.page
    page.keyboard.press("j")
    assert page.evaluate("() => document.activeElement.textContent") == "Orders, FR: 50 % below expected"
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog#keys").is_visible()


def test_nothing_moves_while_the_page_is_drawn(chromium: Browser, world: tuple[App, Running]) -> None:
    with visiting(chromium, world[1].url) as visitor:
        visitor.page.context.add_init_script(
            "window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) "
            "window.moved += one.value; }).observe({type: 'layout-shift', buffered: true});"
        )
        for width in (1280, 390):
            visitor.page.set_viewport_size({"width": width, "height": 900})
            visitor.go("/")
            visitor.page.wait_for_selector("figure.plot.drawn canvas")
            visitor.page.wait_for_function(LIVE)
            assert visitor.page.evaluate("() => window.moved") < 0.01, width
