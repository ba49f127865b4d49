"""Signing in with a real browser, also by a link from another site, such as Slack."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from alerting.app import App
from alerting.web.server import serve
from alerting.web.tokens import make
from tests.app.world import opened, own, watched
from tests.browser.artefacts import keep_pictures
from tests.browser.visitor import visiting

__all__ = ["own", "watched"]


@pytest.fixture
def secret(own: App, tmp_path: Path) -> str:
    made, token = make("ann", "operate")
    (tmp_path / "tokens").write_text(token.line() + "\n")
    return made


@pytest.fixture
def guarded(secret: str, tmp_path: Path) -> Iterator[str]:
    """The address of a server that asks for tokens."""
    with opened(tmp_path, tokens_file=tmp_path / "tokens") as app:
        running = serve(app, "127.0.0.1", 0)
        yield running.url
        running.stop()


@pytest.fixture
def elsewhere(guarded: str) -> Iterator[str]:
    """Another site: a page with a link to ours, and a form that posts to it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            form = f'<form method="post" action="{guarded}/sign-out"><button>win a prize</button></form>'
            self.wfile.write(f'<a href="{guarded}/incidents?state=all">look</a>{form}'.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_a_token_opens_the_page_that_was_asked_for(chromium: Browser, guarded: str, secret: str) -> None:
    with visiting(chromium, guarded) as visitor:
        page = visitor.page
        visitor.go("/incidents?state=all")
        assert page.url == f"{guarded}/sign-in?next=%2Fincidents%3Fstate%3Dall"
        keep_pictures(page, "sign-in")
        page.get_by_label("Token").fill("mw_wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        page.get_by_label("Token").fill(secret)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{guarded}/incidents?state=all")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{guarded}/sign-in")
        visitor.go("/incidents")
        assert "/sign-in" in page.url
    assert visitor.trouble == []


def test_a_link_from_another_site_finds_whoever_signed_in_and_its_forms_do_not(
    chromium: Browser, guarded: str, elsewhere: str, secret: str
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{guarded}/sign-in")
    page.get_by_label("Token").fill(secret)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    before = {one["name"]: one["value"] for one in context.cookies()}
    page.goto(elsewhere)
    page.get_by_role("link", name="look").click()
    page.get_by_role("button", name="Sign out").wait_for()
    assert page.url == f"{guarded}/incidents?state=all"
    assert {one["name"]: one["value"] for one in context.cookies()} == before
    page.goto(elsewhere)
    page.get_by_role("button", name="win a prize").click()
    page.get_by_text("another site asked for this").wait_for()
    page.goto(f"{guarded}/incidents")
    assert page.get_by_role("button", name="Sign out").is_visible()
    context.close()
