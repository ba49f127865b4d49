"""The list of incidents: filters in the address, and pages."""

from __future__ import annotations

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.app.reading_incidents import PAGE
from alerting.store import Recording
from tests.app.world import HOSTILE, NOW
from tests.store.builders import incident, state_of


def headlines(page: str) -> list[str]:
    return [unescape(one) for one in re.findall(r"<strong>(.*?)</strong>", page)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, 6),
        ({"state": "open"}, 4),
        ({"state": "ended"}, 2),
        ({"severity": "critical", "state": "open"}, 3),
        ({"team": "shop"}, 5),
        ({"team": "nobody"}, 0),
        ({"subscription": "health"}, 5),
        ({"subscription": "floor"}, 0),
        ({"subscription": "floor", "team": "shop"}, 0),
        ({"metric": "shop.orders"}, 5),
        ({"metric": "shop"}, 0),
        ({"text": "fr"}, 1),
        ({"text": "BROKEN"}, 1),
        ({"text": HOSTILE}, 1),
        ({"text": "%"}, 0),
        ({"state": "nonsense", "severity": "nonsense", "page": "-7", "other": "x"}, 6),
    ],
)
def test_filters_are_in_the_address(client: TestClient, asked: dict[str, str], expected: int) -> None:
    page = client.get("/incidents", params=asked).text
    assert len(headlines(page)) == expected
    assert f"{expected} incident{'' if expected == 1 else 's'}" in page


def test_what_was_asked_stands_in_the_form(client: TestClient) -> None:
    page = client.get("/incidents", params={"state": "open", "text": 'a"b', "team": "gone"}).text
    assert 'value="a&#34;b"' in page
    assert '<option value="open" selected>' in page
    assert '<option selected value="gone">' in page
    assert "No incident is like this." in page


def test_a_long_list_has_pages_that_keep_the_filter(browser: TestClient, own: App) -> None:
    many = [incident(number, f"country{number}") for number in range(2 * PAGE + 5)]
    own.store.record(Recording(NOW, states=tuple(state_of(one) for one in many)))
    first = browser.get("/incidents", params={"text": "20260302T12-"}).text
    assert f"{2 * PAGE + 5} incidents, page 1 of 3" in first
    seen = headlines(first)
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.get(unescape(older)).text
    assert "page 2 of 3" in second
    last = browser.get("/incidents", params={"text": "20260302T12-", "page": "99"}).text
    assert "page 3 of 3" in last
    assert 'rel="next"' not in last
    seen += headlines(second) + headlines(last)
    assert len(seen) == 2 * PAGE + 5
