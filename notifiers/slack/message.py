"""A notification as Slack's Block Kit, and the ladder of simpler forms for content that Slack refuses.

Limits: 50 blocks; 3,000 characters in a section; 4,000 in ``text``; about 12,000 over all blocks.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from notifiers import standing, wording
from notifiers.clean import bounded, clean
from notifiers.contract import Notification
from notifiers.slack import buttons

Block = Mapping[str, object]
TEXT, SHORT, SECTION, LINKS, URL = 3_800, 2_400, 2_900, 2_000, 1_000
EMOJI: Mapping[standing.State, str] = {
    "info": ":large_blue_circle:",
    "warning": ":large_orange_circle:",
    "critical": ":red_circle:",
    "acknowledged": ":large_yellow_circle:",
    "silenced": ":no_bell:",
    "recovering": ":hourglass_flowing_sand:",
    "flapping": ":repeat:",
    "resolved": ":white_check_mark:",
    "retracted": ":leftwards_arrow_with_hook:",
}
# Slack has no escape for its formatting characters: these look the same and format nothing.
_INERT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "`": "ˋ", "~": "∼"})


@dataclass(frozen=True)
class Form:
    """One way to say it: ``blocks`` empty = plain text. ``left_out`` says what is missing, for the receipt."""

    text: str
    blocks: tuple[Block, ...] = ()
    left_out: str = ""

    @property
    def shows_chart(self) -> bool:
        return any(block["type"] == "image" for block in self.blocks)


def roots(
    notification: Notification,
    file_id: str | None = None,
    replaces: str | None = None,
    *,
    has_buttons: bool = False,
) -> list[Form]:
    """The forms of a root message, best first: each is tried only where Slack refused the one before.

    ``file_id`` is the uploaded chart; ``replaces`` the link to a root that can no longer be edited; ``has_buttons``
    True where somebody listens to them.
    """
    text = bounded(escaped(wording.summary(notification), TEXT // 2), TEXT)
    opening, pressable = _opening(notification), buttons.block(notification) if has_buttons else None
    full = (opening, *_listed(notification), *_rest(notification, replaces, pressable))
    forms = [
        Form(text, full),
        Form(
            text, (_opening(notification), *_who(notification, replaces)), "shortened: slack refused the full message"
        ),
        Form(_plain(notification, replaces), (), "plain text: slack refused the blocks"),
        Form(_one_line(notification), (), "one line: slack refused everything longer"),
    ]
    if file_id is None:
        return forms
    return [Form(text, (opening, _image(notification, file_id), *full[1:])), *_without_chart(forms)]


def replies(notification: Notification) -> list[Form]:
    """The forms of the thread post that says what changed; it calls the owner where the edit alone would not."""
    calls = notification.is_reminder or notification.raises_severity
    lines = [escaped(line, 600) for line in (wording.reminder(notification), *wording.timeline(notification)) if line]
    called = mention(notification) if calls else ""
    lines = [f"{called} {lines[0]}", *lines[1:]] if called and lines else lines
    text = "\n".join(lines)
    short = bounded(lines[-1] if lines else _one_line(notification), 300)
    return [
        Form(text[:TEXT], tuple(_section(part) for part in _pages(lines))),
        Form(text[:SHORT], (), "plain text: slack refused the blocks"),
        Form(short, (), "one line: slack refused everything longer"),
    ]


def mention(notification: Notification) -> str:
    """The only mention ever sent, or the team's name where there is none (or nobody needs to come)."""
    owner = notification.owner
    if owner.slack and (standing.needs_somebody(notification) or notification.raises_severity):
        if re.fullmatch(r"[UW][A-Z0-9]{2,20}", owner.slack):
            return f"<@{owner.slack}>"
        if re.fullmatch(r"S[A-Z0-9]{2,20}", owner.slack):
            return f"<!subteam^{owner.slack}>"
    return escaped(owner.team or "", 60)


def _opening(notification: Notification) -> Block:
    phrase = escaped(standing.phrase(notification), 300)
    stands = f"  · {phrase}" if phrase else ""
    first = f"{EMOJI[standing.state(notification)]} *{escaped(wording.headline(notification), 600)}*{stands}"
    second = escaped(wording.since_line(notification), 600)
    return _section("\n".join(line for line in (first, second) if line))


def _listed(notification: Notification) -> tuple[Block, ...]:
    lines = [f"• {escaped(line, 330)}" for line in wording.other_lines(notification)]
    return tuple(_section(page) for page in _pages(lines))


def _rest(notification: Notification, replaces: str | None, pressable: Block | None) -> tuple[Block, ...]:
    small = {"type": "mrkdwn", "text": escaped(wording.detail(notification), 900), "verbatim": True}
    pressables = (pressable,) if pressable else ()
    return (*_who(notification, replaces), *pressables, {"type": "context", "elements": [small]})


def _who(notification: Notification, replaces: str | None) -> tuple[Block, ...]:
    first = " · ".join(part for part in (mention(notification), _links(notification, replaces)) if part)
    lines = [line for line in (first, _in_place_of(notification)) if line]
    return (_section("\n".join(lines)),) if lines else ()


def _in_place_of(notification: Notification) -> str:
    return escaped(standing.in_place_of(notification), 600)


def _links(notification: Notification, replaces: str | None) -> str:
    """As many links as fit, never half of one."""
    named = {"Runbook": notification.runbook or "", **notification.links, "Earlier message": replaces or ""}
    shown = [(clean(name, 40), _address(url)) for name, url in list(named.items())[:12]]
    links = [f"<{url}|{escaped(name, 60).replace('|', '∣')}>" for name, url in shown if url and name]
    fitting = ""
    for link in links:
        if len(fitting) + len(link) < LINKS:
            fitting += f" · {link}" if fitting else link
    return fitting


def _plain(notification: Notification, replaces: str | None) -> str:
    said = escaped(wording.summary(notification), SHORT - LINKS - 10)
    parts = (said, _in_place_of(notification), _links(notification, replaces))
    return "\n".join(part for part in parts if part)


def _one_line(notification: Notification) -> str:
    url = next((found for found in map(_address, notification.links.values()) if found), "")
    return " ".join(part for part in (escaped(wording.headline(notification), 200), f"<{url}>" if url else "") if part)


def _image(notification: Notification, file_id: str) -> Block:
    described = bounded(wording.summary(notification), 1_900)
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": described or "chart"}


def _without_chart(forms: list[Form]) -> list[Form]:
    first = Form(forms[0].text, forms[0].blocks, "without chart: slack refused the picture")
    return [first, *forms[1:]]


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION], "verbatim": True}}


def _pages(lines: list[str]) -> list[str]:
    """The lines in as few texts as fit a section, at most four."""
    pages: list[str] = []
    for line in lines:
        if pages and len(pages[-1]) + len(line) + 1 <= SECTION:
            pages[-1] += f"\n{line}"
        elif len(pages) < 4:
            pages.append(line)
    return pages


def escaped(text: str, limit: int) -> str:
    """Cleaned text that Slack shows as written. An escape (``&amp;``) is never cut in two."""
    shown = clean(text, limit)
    escaped = shown.translate(_INERT)
    while len(escaped) > limit:
        shown = bounded(shown, len(shown) - max((len(escaped) - limit) // 5, 1))
        escaped = shown.translate(_INERT)
    return escaped


def _address(url: str) -> str:
    """The URL as Slack's link syntax takes it; empty where it is no web address or very long."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return ""
    encoded = quote(clean(url, URL + 1), safe=":/?#[]@!$&'()*+,;=%~-._").replace("&", "&amp;")
    return encoded if scheme in ("http", "https") and len(encoded) <= URL else ""
