"""YAML 1.2 to nodes: the JSON-like part of it, with nothing that can surprise or explode.

No aliases, anchors, merge keys, tags, duplicate keys or second documents. Plain words are read by the core schema of
YAML 1.2: ``NO``, ``22:30`` and ``2026-01-14`` are texts, ``012`` is the number 12.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.nodes import Node, Scalar
from config.problems import Place, Problem, problem

if TYPE_CHECKING:
    from ruamel.yaml.events import Event, ScalarEvent

LARGEST_BYTES = 5_000_000
DEEPEST = 30
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What one file says, and what is wrong with its form; without a root it is no YAML at all."""

    root: Node | None
    problems: tuple[Problem, ...] = ()


def read(text: str, path: str) -> Reading:
    """The content of one file; a file that says nothing is an empty mapping. Never raises.

    A syntax error ends the reading; what is YAML but not allowed here is noted, and reading goes on.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
        return _unreadable(Place(path), f"is larger than {LARGEST_BYTES // 1_000_000} MB; split it")
    try:
        events = _Events(text, path)
        root = _document(events)
        return Reading(root, tuple(events.found))
    except _Refused as refused:
        return Reading(None, (refused.found,))
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path, 1, 1)
        return _unreadable(place, f"is not YAML: {_reason(exc)}")
    except YAMLError as exc:
        place = _place_of_index(text, path, getattr(exc, "position", 0))
        return _unreadable(place, f"is not YAML: {_first_line(exc)}")
    # The parser lets these through for some malformed escapes and directives (each seen while fuzzing it).
    except (ValueError, TypeError, IndexError, AttributeError, AssertionError, OverflowError) as exc:
        return _unreadable(Place(path, 1, 1), f"is not YAML: {_first_line(exc)}")


def _unreadable(place: Place, message: str) -> Reading:
    return Reading(None, (problem(place, "", message),))


class _Refused(Exception):
    """Ends the reading of a file where going on makes no sense."""

    def __init__(self, found: Problem) -> None:
        super().__init__(str(found))
        self.found = found


class _Events:
    """The parser's events, one by one, with their places; ``found`` gathers what is not allowed."""

    def __init__(self, text: str, path: str) -> None:
        from ruamel.yaml import YAML

        parser: Any = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = parser.parse(text)
        self._path = path
        self.depth = 0
        self.found: list[Problem] = []

    def next(self) -> Event:
        return next(self._events)

    def place(self, event: Event) -> Place:
        return Place(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def note(self, event: Event, key: str, message: str) -> None:
        self.found.append(problem(self.place(event), key, message))

    def refusal(self, event: Event, key: str, message: str) -> _Refused:
        return _Refused(problem(self.place(event), key, message))


def _document(events: _Events) -> Node:
    from ruamel.yaml.events import DocumentStartEvent, StreamEndEvent

    events.next()
    start = events.next()
    if not isinstance(start, DocumentStartEvent):
        return Node({}, "", Place(events.place(start).path, 1, 1))
    if start.version not in (None, (1, 2)) or start.tags:
        raise events.refusal(start, "", "%YAML and %TAG lines are not allowed; files are YAML 1.2")
    root = _node(events, events.next(), "", None)
    events.next()
    after = events.next()
    if not isinstance(after, StreamEndEvent):
        raise events.refusal(after, "", "a second document begins here; one file holds one")
    if root.content is None:
        return Node({}, "", Place(root.place.path, 1, 1))
    if not isinstance(root.content, dict):
        raise _Refused(problem(root.place, "", "a file is a mapping of keys such as sources: and metrics:"))
    return root


def _node(events: _Events, event: Event, path: str, key_place: Place | None) -> Node:
    from ruamel.yaml.events import AliasEvent, MappingStartEvent, NodeEvent, ScalarEvent

    place = events.place(event)
    if isinstance(event, NodeEvent) and event.anchor is not None:
        events.note(event, path, "anchors and aliases (& and *) are not allowed; use templates")
    if isinstance(event, AliasEvent):
        return Node(None, path, place, key_place)
    if (tag := getattr(event, "tag", None)) is not None:
        events.note(event, path, f"tags such as {str(tag)[:60]} are not allowed")
    if isinstance(event, ScalarEvent):
        return Node(_scalar(events, event, path), path, place, key_place)
    events.depth += 1
    if events.depth > DEEPEST:
        raise events.refusal(event, path.partition("[0][0]")[0], f"is nested deeper than {DEEPEST} levels")
    content = _mapping(events, path) if isinstance(event, MappingStartEvent) else _list(events, path)
    events.depth -= 1
    return Node(content, path, place, key_place)


def _mapping(events: _Events, path: str) -> dict[str, Node]:
    from ruamel.yaml.events import MappingEndEvent, ScalarEvent

    content: dict[str, Node] = {}
    while not isinstance(event := events.next(), MappingEndEvent):
        if not isinstance(event, ScalarEvent):
            raise events.refusal(event, path, "a key is a single word or text")
        key = str(event.value)
        inner = f"{path}.{key}" if path else key
        refusal = _refusal_of_key(event, content)
        if refusal:
            events.note(event, inner if key in content else path, refusal)
        noted = len(events.found)
        value = _node(events, events.next(), inner, _node(events, event, inner, None).place)
        if refusal:
            del events.found[noted:]  # one line for one mistake
        else:
            content[key] = value
    return content


def _refusal_of_key(event: ScalarEvent, content: dict[str, Node]) -> str | None:
    key, is_plain = str(event.value), event.style is None
    if key == "<<" and is_plain:
        return "merge keys (<<) are not allowed; use templates"
    if key == "" and is_plain:
        return "a key is missing before ':'"
    if key in content:
        first = content[key].key_place
        return f"stands here twice; first in line {first.line if first else '?'}"
    return None


def _list(events: _Events, path: str) -> tuple[Node, ...]:
    from ruamel.yaml.events import SequenceEndEvent

    content: list[Node] = []
    while not isinstance(event := events.next(), SequenceEndEvent):
        content.append(_node(events, event, f"{path}[{len(content)}]", None))
    return tuple(content)


def _scalar(events: _Events, event: ScalarEvent, path: str) -> Scalar:
    text = str(event.value)
    if event.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= 40:
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    if _NOT_FINITE.fullmatch(text):
        events.note(event, path, f"{text} is not a number one can use here")
        return None
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number) or len(text) > 40:
            events.note(event, path, f"{text[:40]} is too large a number")
            return None
        return number
    return text


def _reason(exc: Any) -> str:
    parts = [str(part) for part in (exc.problem, exc.context) if part]
    return ", ".join(parts).replace("\n", " ") or _first_line(exc)


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]


def _place_of_index(text: str, path: str, index: int) -> Place:
    before = text[:index]
    return Place(path, before.count("\n") + 1, index - before.rfind("\n"))
