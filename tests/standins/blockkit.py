"""Slack's documented limits on blocks and texts, as a list of what is wrong with a message.

Source: https://docs.slack.dev/reference/block-kit/blocks and …/block-kit/composition-objects
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping

MAX_BLOCKS, MAX_TOTAL, MAX_TEXT = 50, 12_000, 4_000
_TEXT_KEYS = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
_BLOCK_KEYS = {
    "section": {"type", "block_id", "text", "fields", "accessory", "expand"},
    "header": {"type", "block_id", "text"},
    "context": {"type", "block_id", "elements"},
    "actions": {"type", "block_id", "elements"},
    "divider": {"type", "block_id"},
    "image": {"type", "block_id", "image_url", "slack_file", "alt_text", "title"},
}
_BUTTON_KEYS = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
_TOKEN = re.compile(r"<([^>]*)>")
_ALLOWED_TOKEN = re.compile(r"https?://|mailto:|@[UW][A-Z0-9]+$|#C[A-Z0-9]+|!subteam\^S[A-Z0-9]+|!date\^")


def problems(blocks: object, file_exists: Callable[[str], bool]) -> list[str]:
    """Everything wrong with the blocks, each with its JSON pointer as Slack gives it; empty = Slack takes them."""
    if not isinstance(blocks, list):
        return ["blocks is no list"]
    found = [f"more than {MAX_BLOCKS} blocks"] if len(blocks) > MAX_BLOCKS else []
    for place, block in enumerate(blocks):
        found += [f"{problem} [json-pointer:/blocks/{place}]" for problem in _block(block, file_exists)]
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(map(str, ids))):
        found.append("block_id is used twice")
    return found


def characters(value: object) -> int:
    """The characters of all texts in the blocks."""
    if isinstance(value, Mapping):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(part) for part in value.values())
    return sum(map(characters, value)) if isinstance(value, list) else 0


def suspicious(value: object) -> list[str]:
    """Mentions of everybody, characters that hide or reorder text, and markup that is no link, in any text."""
    if isinstance(value, str):
        return _suspicious_text(value)
    if isinstance(value, Mapping):
        parts = [part for key, part in value.items() if key in ("text", "fields", "elements", "blocks", "alt_text")]
        return [problem for part in parts for problem in suspicious(part)]
    return [problem for part in value for problem in suspicious(part)] if isinstance(value, list) else []


def _suspicious_text(text: str) -> list[str]:
    found = []
    hidden = {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") and sign != "\n"}
    if hidden:
        found.append(f"hidden characters {sorted(map(ascii, hidden))}")
    for token in _TOKEN.findall(text):
        if not _ALLOWED_TOKEN.match(token):
            found.append(f"markup <{token[:40]}>")
    if "<" in _TOKEN.sub("", text) or ">" in _TOKEN.sub("", text):
        found.append("an unescaped < or >")
    return found


def _block(block: object, file_exists: Callable[[str], bool]) -> list[str]:
    if not isinstance(block, dict) or block.get("type") not in _BLOCK_KEYS:
        return [f"unsupported type: {block.get('type') if isinstance(block, dict) else block!r}"]
    kind = str(block["type"])
    found = _only(block, _BLOCK_KEYS[kind])
    if len(str(block.get("block_id", "x"))) not in range(1, 256):
        found.append("block_id must be 1 to 255 characters")
    if kind == "section":
        return found + _section(block)
    if kind == "header":
        return found + _text(block.get("text"), 150, {"plain_text"})
    if kind == "context":
        return found + _elements(block, 10, _context_element)
    if kind == "actions":
        return found + _elements(block, 25, _button)
    return found + (_image(block, file_exists) if kind == "image" else [])


def _section(block: Mapping[str, object]) -> list[str]:
    fields = block.get("fields")
    if "text" not in block and not fields:
        return ["a section needs text or fields"]
    found = _text(block["text"], 3_000) if "text" in block else []
    if fields is None:
        return found
    if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
        return [*found, "fields must be 1 to 10"]
    return found + [problem for part in fields for problem in _text(part, 2_000)]


def _elements(block: Mapping[str, object], most: int, check: Callable[[object], list[str]]) -> list[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        return [f"elements must be 1 to {most}"]
    return [problem for element in elements for problem in check(element)]


def _context_element(element: object) -> list[str]:
    return _text(element, 2_000)


def _button(element: object) -> list[str]:
    if not isinstance(element, dict) or element.get("type") != "button":
        return ["only buttons are supported here"]
    found = _only(element, _BUTTON_KEYS) + _text(element.get("text"), 75, {"plain_text"})
    for key, most in (("value", 2_000), ("url", 3_000), ("action_id", 255)):
        if len(str(element.get(key, ""))) > most:
            found.append(f"{key} is longer than {most}")
    return found


def _image(block: Mapping[str, object], file_exists: Callable[[str], bool]) -> list[str]:
    found = [] if 1 <= len(str(block.get("alt_text", ""))) <= 2_000 else ["alt_text must be 1 to 2,000 characters"]
    if "title" in block:
        found += _text(block["title"], 2_000, {"plain_text"})
    if ("image_url" in block) == ("slack_file" in block):
        return [*found, "an image needs either image_url or slack_file"]
    if "image_url" in block:
        url = str(block["image_url"])
        return found + ([] if url.startswith("https://") and len(url) <= 3_000 else ["invalid image_url"])
    file = block["slack_file"]
    file_id = file.get("id") if isinstance(file, dict) and set(file) == {"id"} else None
    if not isinstance(file_id, str) or not re.fullmatch(r"F[A-Z0-9]{8,}", file_id):
        return [*found, "input must match regex pattern: ^[F][A-Z0-9]{8,}$"]
    return found + ([] if file_exists(file_id) else ["invalid slack file"])


def _text(value: object, most: int, kinds: Collection[str] = ("plain_text", "mrkdwn")) -> list[str]:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return [f"text must be one of {sorted(kinds)}"]
    text = value.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= most:
        return [f"text must be 1 to {most} characters"]
    return _only(value, _TEXT_KEYS[str(value["type"])])


def _only(value: Mapping[str, object], known: Collection[str]) -> list[str]:
    return [f"invalid additional property: {key}" for key in value if key not in known]
