"""The messages of ``gallery`` as Slack shows them: ``python -m tests.standins.preview docs/images`` draws them all.

Each scene is sent to a stand-in; what arrived there becomes a page, the page a picture by headless Chromium
(``apt-get install chromium``), and the picture small enough for a README. ``chart.png`` is the large chart alone.
"""

from __future__ import annotations

import base64
import html
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageChops

from tests.standins.gallery import large_chart, scenes
from tests.standins.slack import Message, SlackStandIn

NAMES = {"S0CHECKOUT": "checkout-oncall"}
WIDTH, HEIGHT, SCALE = 760, 1_200, 1.5
STYLE = """
body { margin: 0; font: 15px/1.47 Lato, "Helvetica Neue", "DejaVu Sans", sans-serif; color: #1d1c1d; background: #fff }
.message { display: flex; gap: 10px; padding: 14px 20px 12px }
.reply { margin-left: 46px; padding: 6px 20px 8px 14px; border-left: 3px solid #e8e8e8 }
.face { width: 36px; height: 36px; border-radius: 6px; background: #1d2733; color: #fff; text-align: center; flex: none;
        font: bold 17px/36px sans-serif }
.reply .face { width: 24px; height: 24px; font: bold 12px/24px sans-serif }
.name { font-weight: 900 }
.app { font-size: 10px; background: #e8e8e8; color: #616061; padding: 1px 3px; border-radius: 2px; margin: 0 6px;
       vertical-align: 1px }
.time { font-size: 12px; color: #616061 }
.block { margin: 4px 0 8px }
.context { font-size: 12px; color: #616061 }
.actions span { display: inline-block; border: 1px solid #bbb; border-radius: 8px; padding: 3px 12px;
                margin: 2px 8px 2px 0; font-weight: 700; font-size: 13px }
.actions .primary { background: #007a5a; border-color: #007a5a; color: #fff }
img { display: block; max-width: 100%; border-radius: 8px; border: 1px solid #ddd }
a { color: #1264a3; text-decoration: none }
.mention { background: #f2c74433; color: #1264a3; padding: 0 2px; border-radius: 3px }
.sign { display: inline-block; width: 16px; height: 16px; vertical-align: -3px }
.sign path { stroke-width: 1.8 }
.also { font-size: 12px; color: #616061; margin-left: 46px; padding: 4px 20px 0 17px }
"""
_DOT = '<circle cx="8" cy="8" r="7" fill="{}"/>'
_BOX = '<rect x="1" y="1" width="14" height="14" rx="3" fill="{}"/><path d="{}" stroke="#fff" fill="none"/>'
_BELL = '<path d="M8 1a4 4 0 0 0-4 4v4l-2 3h12l-2-3V5a4 4 0 0 0-4-4zM6 13a2 2 0 0 0 4 0" fill="#f4b942"/>'
_GLASS = '<path d="M3 1h10v3l-4 4 4 4v3H3v-3l4-4-4-4z" fill="#f4d9a8" stroke="#9a6a2f" stroke-width="1.3"/>'
_SIGNS = {
    ":red_circle:": _DOT.format("#dd2e44"),
    ":large_orange_circle:": _DOT.format("#f4900c"),
    ":large_blue_circle:": _DOT.format("#55acee"),
    ":large_yellow_circle:": _DOT.format("#fdcb58"),
    ":no_bell:": _BELL + '<path d="M2 2l12 12" stroke="#dd2e44" stroke-width="2"/>',
    ":hourglass_flowing_sand:": _GLASS,
    ":repeat:": _BOX.format("#55acee", "M4 7V5h8M10 3l2 2-2 2M12 9v2H4M6 13l-2-2 2-2"),
    ":white_check_mark:": _BOX.format("#77b255", "M4 8l3 3 5-6"),
    ":leftwards_arrow_with_hook:": _BOX.format("#55acee", "M7 4L4 7l3 3M4 7h6a2 2 0 0 1 0 5H8"),
}


def page(service: SlackStandIn, names: Mapping[str, str] = NAMES) -> str:
    """All roots of the stand-in with their threads; ``names`` are what user and group ids are called."""
    parts = []
    for root in service.messages():
        thread = service.thread(root.ts)
        parts += [_message(root, service, names, "message"), *(_reply(post, service, names) for post in thread)]
    shown = "\n".join(parts)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{STYLE}</style><body>{shown}</body></html>'


def pages(directory: Path) -> list[Path]:
    """One page for each scene, written into the directory. Ends the program where the stand-in was surprised."""
    written = []
    for scene in scenes():
        with SlackStandIn() as service:
            scene.play(service)
            path = directory / f"{scene.name}.html"
            path.write_text(page(service), encoding="utf-8")
            written.append(path)
            if service.unexpected:
                sys.exit("\n".join(service.unexpected))
    return written


def draw(written: Path, picture: Path, browser: str) -> None:
    """The page as a picture: as high as it needs, in 256 colours."""
    options = ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--force-device-scale-factor={SCALE}")
    size, target = f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}"
    subprocess.run([browser, *options, size, target, written.as_uri()], check=True, capture_output=True, timeout=120)
    with Image.open(picture) as image:
        whole = image.convert("RGB")
    content = ImageChops.difference(whole, Image.new("RGB", whole.size, "white")).getbbox()
    if content:
        whole = whole.crop((0, 0, whole.width, min(content[3] + 18, whole.height)))
    shrunk(whole).save(picture, optimize=True)


def shrunk(picture: Image.Image) -> Image.Image:
    """In 256 colours, the rare red ones among them."""
    return picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def main(directory: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no chromium in PATH: apt-get install chromium")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "chart.png").write_bytes(large_chart())
    with Image.open(directory / "chart.png") as chart:
        small = shrunk(chart)
    small.save(directory / "chart.png", optimize=True)
    with tempfile.TemporaryDirectory() as folder:
        for written in pages(Path(folder)):
            draw(written, directory / f"{written.stem}.png", browser)


def _message(post: Message, service: SlackStandIn, names: Mapping[str, str], kind: str) -> str:
    blocks = "".join(
        f'<div class="block {block["type"]}">{_block(block, service, names)}</div>' for block in post.blocks
    )
    name = '<span class="name">metricwatch</span><span class="app">APP</span>'
    body = blocks or f'<div class="block">{_text(post.text, names)}</div>'
    return f'<div class="message {kind}"><div class="face">m</div><div>{name}{body}</div></div>'


def _reply(post: Message, service: SlackStandIn, names: Mapping[str, str]) -> str:
    where = "in the thread, and also sent to the channel" if post.is_broadcast else "in the thread"
    return f'<div class="also">{where}</div>{_message(post, service, names, "reply")}'


def _block(block: Mapping[str, object], service: SlackStandIn, names: Mapping[str, str]) -> str:
    file = block.get("slack_file")
    if isinstance(file, dict):
        content = base64.b64encode(service.files[file["id"]].content or b"").decode()
        return f'<img alt="{html.escape(str(block["alt_text"]))}" src="data:image/png;base64,{content}">'
    text, elements = block.get("text"), block.get("elements")
    parts = [text] if isinstance(text, dict) else elements if isinstance(elements, list) else []
    if block["type"] == "actions":
        return "".join(f'<span class="{part.get("style", "")}">{part["text"]["text"]}</span>' for part in parts)
    return " ".join(_text(str(part["text"]), names) for part in parts)


def _text(text: str, names: Mapping[str, str]) -> str:
    """Slack's mrkdwn as HTML: bold, links, mentions, emoji. What is escaped there is escaped here already."""
    shown = re.sub(
        r"<(?:!subteam\^|@)(\w+)>", lambda id: f'<span class="mention">@{names.get(id[1], id[1])}</span>', text
    )
    shown = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', shown)
    shown = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", shown).replace("\n", "<br>")
    for sign, drawn in _SIGNS.items():
        shown = shown.replace(sign, f'<svg class="sign" viewBox="0 0 16 16">{drawn}</svg>')
    return shown


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
