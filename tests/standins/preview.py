"""The messages of a Slack stand-in as an HTML page, to look at them: ``python -m tests.standins.preview DIRECTORY``.

Writes ``slack-message.html`` and ``chart.png`` into the directory. The page becomes a picture with
``chromium --headless=new --no-sandbox --hide-scrollbars --force-device-scale-factor=1.5 --window-size=760,540
--screenshot=docs/images/slack-message.png slack-message.html``, and both pictures become small enough for a README with
``python -m tests.standins.preview --shrink docs/images/*.png``.
"""

from __future__ import annotations

import base64
import html
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from pydantic import SecretStr

from alerting import charts
from notifiers import wording
from notifiers.slack import Slack
from tests.charts.example import three_weeks
from tests.notifiers.examples import CHANNEL, drop_in_germany
from tests.standins.slack import TOKEN, Message, SlackStandIn

STYLE = """
body { margin: 0; font: 15px/1.47 Lato, "Helvetica Neue", "DejaVu Sans", sans-serif; color: #1d1c1d; background: #fff }
.message { display: flex; gap: 10px; padding: 16px 20px }
.face { width: 36px; height: 36px; border-radius: 6px; background: #1d2733; color: #fff; text-align: center; flex: none;
        font: bold 17px/36px sans-serif }
.name { font-weight: 900 }
.app { font-size: 10px; background: #e8e8e8; color: #616061; padding: 1px 3px; border-radius: 2px; margin: 0 6px;
       vertical-align: 1px }
.time { font-size: 12px; color: #616061 }
.block { margin: 4px 0 8px }
.context { font-size: 12px; color: #616061 }
img { display: block; max-width: 100%; border-radius: 8px; border: 1px solid #ddd }
a { color: #1264a3; text-decoration: none }
.mention { background: #f2c74433; color: #1264a3; padding: 0 2px; border-radius: 3px }
.dot { display: inline-block; width: 14px; height: 14px; border-radius: 50%; vertical-align: -2px }
.thread { font-size: 13px; color: #1264a3; font-weight: 700 }
"""
_DOTS = {":red_circle:": "#dd2e44", ":large_orange_circle:": "#f4900c", ":large_blue_circle:": "#55acee"}
_SIGNS = {":white_check_mark:": "✅", ":leftwards_arrow_with_hook:": "↩️"}


def page(service: SlackStandIn, names: Mapping[str, str]) -> str:
    """All roots of the stand-in; ``names`` are what user and group ids are called."""
    shown = "\n".join(_message(root, service, names) for root in service.messages())
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{STYLE}</style><body>{shown}</body></html>'


def _message(root: Message, service: SlackStandIn, names: Mapping[str, str]) -> str:
    blocks = "".join(
        f'<div class="block {block["type"]}">{_block(block, service, names)}</div>' for block in root.blocks
    )
    replies = len(service.thread(root.ts))
    thread = f'<div class="thread">{replies} {"reply" if replies == 1 else "replies"}</div>' if replies else ""
    name = '<span class="name">metricwatch</span><span class="app">APP</span><span class="time">5:20 PM</span>'
    body = blocks or f'<div class="block">{_text(root.text, names)}</div>'
    return f'<div class="message"><div class="face">m</div><div>{name}{body}{thread}</div></div>'


def _block(block: Mapping[str, object], service: SlackStandIn, names: Mapping[str, str]) -> str:
    file = block.get("slack_file")
    if isinstance(file, dict):
        content = base64.b64encode(service.files[file["id"]].content or b"").decode()
        return f'<img alt="{html.escape(str(block["alt_text"]))}" src="data:image/png;base64,{content}">'
    text, elements = block.get("text"), block.get("elements")
    parts = [text] if isinstance(text, dict) else elements if isinstance(elements, list) else []
    return " ".join(_text(str(part["text"]), names) for part in parts)


def _text(text: str, names: Mapping[str, str]) -> str:
    """Slack's mrkdwn as HTML: bold, links, mentions, emoji. What is escaped there is escaped here already."""
    shown = re.sub(
        r"<(?:!subteam\^|@)(\w+)>", lambda id: f'<span class="mention">@{names.get(id[1], id[1])}</span>', text
    )
    shown = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', shown)
    shown = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", shown).replace("\n", "<br>")
    for sign, colour in _DOTS.items():
        shown = shown.replace(sign, f'<span class="dot" style="background:{colour}"></span>')
    for sign, drawn in _SIGNS.items():
        shown = shown.replace(sign, drawn)
    return shown


def main(directory: Path) -> None:
    told = drop_in_germany()
    named = wording.lead(told)
    title = wording.title(named) if named else ""
    picture = charts.png(*three_weeks(), title=title, unit="orders/h", timezone=told.timezone)
    (directory / "chart.png").write_bytes(picture)
    with SlackStandIn() as service:
        slack = Slack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=service.base_url)
        slack.send(told.model_copy(update={"chart": picture}))
        (directory / "slack-message.html").write_text(
            page(service, {"S0CHECKOUT": "checkout-oncall"}), encoding="utf-8"
        )
        if service.unexpected:
            sys.exit("\n".join(service.unexpected))


def shrink(path: Path) -> None:
    """The picture in 256 colours, the rare red ones among them."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--shrink"]:
        for name in sys.argv[2:]:
            shrink(Path(name))
    else:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
