from __future__ import annotations

from pathlib import Path

from tests.standins.preview import main


def test_the_preview_shows_the_message_as_slack_would(tmp_path: Path) -> None:
    main(tmp_path)
    page = (tmp_path / "slack-message.html").read_text(encoding="utf-8")
    assert "<b>Orders, Germany: 41 % below expected</b>" in page
    assert '<span class="mention">@checkout-oncall</span>' in page
    assert '<a href="https://runbooks.acme.example/checkout">Runbook</a>' in page
    assert "data:image/png;base64,iVBOR" in page
