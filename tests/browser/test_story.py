"""Somebody opens the dashboard of the demo: what is worst, how it looks, what they do, and what Slack then says."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from alerting.app import App
from alerting.demo import BLIZZARD, Senders, attend, play, world
from config.settings import Settings
from tests.acceptance.world import wait_until
from tests.browser import axe
from tests.browser.artefacts import keep_pictures
from tests.browser.pages import one_of_each_kind
from tests.browser.serving import served
from tests.browser.visitor import visiting
from tests.standins.slack import TOKEN, Message, SlackStandIn

HEADLINE = "Taxi passengers: 56 % below expected"


@dataclass
class Demo:
    """The demo after its replay; ``skip`` lets its clock jump."""

    address: str
    app: App
    slack: SlackStandIn
    ended: datetime
    skipped: timedelta = timedelta()
    began: float = field(default_factory=time.monotonic)

    def clock(self) -> datetime:
        return self.ended + self.skipped + timedelta(seconds=time.monotonic() - self.began)

    def skip(self, span: timedelta) -> None:
        self.skipped += span

    def message(self) -> Message:
        """The newest message of its channel."""
        return self.slack.messages()[-1]

    def wait_for(self, *words: str) -> None:
        """Returns when the newest message says all of them."""
        wait_until(lambda: all(word in self.message().shown for word in words), f"{words} in Slack", within_s=60)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Two weeks of the demo, played for real, with Slack on loopback; then its dashboard."""
    folder = tmp_path_factory.mktemp("demo")
    with SlackStandIn() as slack:
        settings = Settings().model_copy(
            update={"slack_token": SecretStr(TOKEN), "slack_base_url": f"{slack.origin}/api/"}
        )
        with world(folder, settings, Senders(slack_channel="C0DEMO0001"), io.StringIO()) as app:
            outcome = play(app, lambda what, share: None, {"city": 2, "store": 1})
            found = Demo("", app, slack, BLIZZARD)
            stopping = threading.Event()
            attending = threading.Thread(target=attend, args=(app, found.clock, stopping), name="attending")
            attending.start()
            try:
                with served(app, found.clock) as found.address:
                    assert outcome.alerts
                    yield found
            finally:
                stopping.set()
                attending.join(30)


@pytest.mark.timeout(600)
def test_the_worst_is_found_read_taken_silenced_and_labelled_and_slack_says_so(chromium: Browser, demo: Demo) -> None:
    with visiting(chromium, demo.address) as visitor:
        page = visitor.page
        visitor.go("/")
        first = page.locator("article.card").first
        expect(first.get_by_role("heading")).to_contain_text(HEADLINE)
        read_chart(page)
        keep_pictures(page, "demo-now")
        first.get_by_role("link", name=HEADLINE).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(HEADLINE)
        read_chart(page)
        keep_pictures(page, "demo-incident")
        reach(page, "Acknowledge")
        page.keyboard.press("Enter")
        says(page, "Acknowledged by local.")
        demo.wait_for(HEADLINE, "acknowledged", "by local")

        page.locator("summary", has_text="Silence").click()
        page.get_by_label("4 hours").check()
        page.get_by_label("Comment").locator("visible=true").fill("snow, nothing to mend")
        page.get_by_role("button", name="Silence it").click()
        says(page, "Silenced until Tue 2015-01-27 21:")
        demo.wait_for("silenced until")

        page.locator("summary", has_text="Label").click()
        page.get_by_label("Expected").check()
        page.get_by_role("button", name="Label it").click()
        says(page, "Labelled expected by local.")
        demo.skip(timedelta(minutes=10))  # the resolve waits for the group interval
        demo.wait_for("Taxi passengers: resolved")
        expect(page.get_by_text("labelled expected by local (dashboard)")).to_be_visible()
        keep_pictures(page, "demo-incident-done")
        visitor.go("/")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Nothing unusual")
    assert visitor.trouble == []
    assert demo.slack.unexpected == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_demo_is_accessible_and_kept_as_a_picture(
    chromium: Browser, axe_core: str, demo: Demo, scheme: str
) -> None:
    wrong = {}
    with visiting(chromium, demo.address, scheme=scheme) as visitor:
        visitor.page.context.add_init_script(axe_core)
        paths = one_of_each_kind(visitor)
        for kind, path in paths.items():
            visitor.go(path)
            settle(visitor.page)
            wrong[kind] = axe.violations(visitor.page)
            keep_pictures(visitor.page, f"demo-{kind}-{scheme}")
    assert {"home", "incidents", "incidents-one", "silences"} <= set(paths)
    assert {kind: found for kind, found in wrong.items() if found} == {}
    assert visitor.trouble == []


def read_chart(page: Page) -> None:
    """The first chart is drawn, and the keyboard reads its points."""
    chart = page.locator("figure.plot.drawn").first
    chart.wait_for()
    chart.focus()
    page.keyboard.press("End")
    expect(chart.locator(".tip")).to_contain_text("expected")
    page.keyboard.press("Escape")


def settle(page: Page) -> None:
    """Returns when every chart that is in sight is drawn."""
    for chart in page.locator("figure.plot").all()[:3]:
        chart.scroll_into_view_if_needed()
        chart.locator(".uplot, p").first.wait_for()


def reach(page: Page, name: str) -> None:
    """Presses Tab until the button has the focus."""
    page.locator("body").press("Tab")
    for _ in range(40):
        if page.evaluate("() => document.activeElement.textContent.trim()") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name}")


def says(page: Page, sentence: str) -> None:
    """The page says what was done, and whoever reads it is led there."""
    told = page.locator(".said")
    expect(told).to_contain_text(sentence)
    expect(told).to_be_focused()
