"""Forms as a browser sends them: from the page that holds them, with everything that is hidden in them."""

from __future__ import annotations

import re
from html import unescape

from fastapi.testclient import TestClient
from httpx2 import Response


def send(client: TestClient, page: str, action: str, **fields: str) -> Response:
    """The answer to the form of ``page`` that leads to ``action``, redirects not followed."""
    text = client.get(page).text
    (form,) = re.findall(rf'<form [^>]*?action="{re.escape(action)}".*?</form>', text, re.DOTALL)[:1] or [""]
    assert form, f"{page} has no form for {action}"
    hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form))
    return client.post(action, data={**{name: unescape(value) for name, value in hidden.items()}, **fields})


def sentence(client: TestClient, answer: Response) -> str:
    """What the page says that the answer leads to."""
    assert answer.status_code == 303, answer.text
    return said(client.get(answer.headers["location"]).text)


def said(page: str) -> str:
    """What the page says was done; empty: nothing."""
    found = re.search(r'<p class="said"[^>]*>(.*?)</p>', page, re.DOTALL)
    return unescape(found[1]) if found else ""


def wrong(page: str) -> str:
    """What the page says is wrong with what was sent."""
    found = re.search(r'<p class="wrong"[^>]*>(.*?)</p>', page, re.DOTALL)
    return unescape(found[1]) if found else ""
