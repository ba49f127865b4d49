"""T22: text from outside stays text, in a real browser, on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from alerting.app import App
from tests.app.world import opened
from tests.browser import hostile
from tests.browser.hostile import NOW, PAYLOADS
from tests.browser.pages import one_of_each_kind
from tests.browser.serving import served
from tests.browser.visitor import Visitor, visiting


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    folder = tmp_path_factory.mktemp("hostile")
    hostile.build(folder)
    with opened(folder) as app:
        hostile.watch(app)
        with served(app, lambda: NOW) as address:
            yield app, address


def test_thirty_attacks_in_every_text_run_nothing_on_any_page(
    chromium: Browser, besieged: tuple[App, str], figure: Callable[[str, str], None]
) -> None:
    app, address = besieged
    incidents = app.store.incidents(limit=1000)
    named = {label for one in incidents for label in one.labels.values()}
    assert named == set(PAYLOADS)
    paths = [f"/incidents/{one.id}" for one in incidents]
    paths += [f"/incidents?text={quote(one)}&team={quote(one)}&metric={quote(one)}" for one in PAYLOADS]
    paths += [f"/?text={quote(one)}&tag={quote(one)}" for one in PAYLOADS]
    paths += [f"/silences?metric={quote(one)}&dimensions={quote(one)}&comment={quote(one)}" for one in PAYLOADS]
    paths += [f"/incidents/{quote(one, safe='')}" for one in PAYLOADS]
    with visiting(chromium, address) as visitor:
        paths += list(one_of_each_kind(visitor).values())
        for path in paths:
            visitor.go(path)
            assert_is_text(visitor)
        assert visitor.trouble == []
    figure("T22", f"{len(PAYLOADS)} XSS payloads on {len(paths)} pages in Chromium: 0 dialogs, 0 CSP reports")


@pytest.mark.parametrize("payload", PAYLOADS[:6])
def test_an_attack_in_a_form_comes_back_as_text(chromium: Browser, besieged: tuple[App, str], payload: str) -> None:
    with visiting(chromium, besieged[1]) as visitor:
        visitor.go("/silences")
        for name in ("metric", "subscription", "dimensions", "comment", "own"):
            visitor.page.locator(f".making [name={name}]").fill(payload)
        visitor.page.get_by_role("button", name="Silence", exact=True).click()
        visitor.page.get_by_role("alert").wait_for()
        assert visitor.page.locator(".making [name=comment]").input_value() == payload
        assert_is_text(visitor)
        assert visitor.trouble == []


def assert_is_text(visitor: Visitor) -> None:
    """No element of the page came out of a payload."""
    strange = visitor.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(one =>
            ['IFRAME', 'OBJECT', 'MATH', 'ANIMATE', 'STYLE'].includes(one.tagName.toUpperCase()) ||
            (one.tagName === 'SCRIPT' && !one.src.startsWith(location.origin + '/static/')) ||
            (one.tagName === 'META' && one.httpEquiv) ||
            [...one.attributes].some(found => found.name.startsWith('on') || found.name.startsWith('hx-on') ||
                /^\\s*javascript:/i.test(found.value) && ['href', 'src', 'action', 'data'].includes(found.name))
        ).map(one => one.outerHTML.slice(0, 200))"""
    )
    assert strange == [], visitor.page.url
