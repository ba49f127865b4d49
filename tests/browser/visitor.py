"""Somebody with a browser: what they see, and everything that must not happen while they look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Response

WATCH = """
window.reports = [];
document.addEventListener('securitypolicyviolation', event =>
  window.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@dataclass
class Visitor:
    """``trouble`` collects dialogs, errors and refusals of the security policy, over all pages that were visited."""

    page: Page
    base_url: str
    trouble: list[str] = field(default_factory=list)

    def go(self, path: str) -> Response:
        self.note_reports()
        answer = self.page.goto(self.base_url + path)
        assert answer is not None
        return answer

    def note_reports(self) -> None:
        """Takes what the page that is shown has reported; a page that is left takes its reports along."""
        self.trouble += [f"{self.page.url}: {one}" for one in self.page.evaluate("() => window.reports ?? []")]

    def _dialog(self, dialog: Dialog) -> None:
        self.trouble.append(f"{self.page.url}: dialog {dialog.message!r}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium says so of every page that answers 4xx, which may be what a test asks for.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.trouble.append(f"{self.page.url}: {message.text}")


@contextmanager
def visiting(browser: Browser, base_url: str, *, scheme: str = "light", script: bool = True) -> Iterator[Visitor]:
    """A fresh browser profile; ``scheme`` is ``light`` or ``dark``. Requests to any other place fail the visit."""
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", java_script_enabled=script, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    if script:
        context.add_init_script(WATCH)
    page = context.new_page()
    visitor = Visitor(page, base_url)
    page.on("dialog", visitor._dialog)
    page.on("console", visitor._console)
    page.on("pageerror", lambda error: visitor.trouble.append(f"{page.url}: {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((base_url, "data:", "blob:"))
            else visitor.trouble.append(f"{page.url} asked {request.url}")
        ),
    )
    try:
        yield visitor
        if script:
            visitor.note_reports()
    finally:
        context.close()
