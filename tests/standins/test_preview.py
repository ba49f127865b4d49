from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from notifiers.slack.message import EMOJI
from tests.standins.preview import draw, page, pages
from tests.standins.slack import SlackStandIn


def test_the_preview_shows_the_messages_as_slack_would(tmp_path: Path) -> None:
    shown = {path.stem: path.read_text(encoding="utf-8") for path in pages(tmp_path)}
    usual = shown["slack-message"]
    assert "<b>Orders, Germany: 41 % below expected</b>" in usual
    assert '<span class="mention">@checkout-oncall</span>' in usual
    assert '<a href="https://runbooks.acme.example/checkout">Runbook</a>' in usual
    assert '<span class="primary">Acknowledge</span>' in usual
    assert "data:image/png;base64,iVBOR" in usual
    assert "still open since Mon 14:00" in shown["slack-reminder"]
    assert "also sent to the channel" in shown["slack-worse"]
    everything = "".join(shown.values())
    assert not [sign for sign in EMOJI.values() if sign in everything], "each sign is drawn"


def test_a_page_becomes_a_picture_that_is_as_high_as_it_needs(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium: apt-get install chromium")
    with SlackStandIn() as service:
        (tmp_path / "empty.html").write_text(page(service).replace("<body>", "<body><p>x</p>"), encoding="utf-8")
    draw(tmp_path / "empty.html", tmp_path / "x.png", browser)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width == 1140
        assert picture.height < 120
