"""Where each entry of the files is written, and its text as people wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from textwrap import dedent

from config.folder import is_yaml
from config.nodes import Node
from config.problems import Place
from config.yaml_text import read


@dataclass(frozen=True)
class Origin:
    """One entry: its file, the line of its key (from 1), and its text from the key on, without anything around it."""

    path: str
    line: int
    text: str


def origin(texts: Mapping[str, str], section: str, name: str) -> Origin | None:
    """Where ``section: {name: …}`` is written; ``texts`` by path. None where no file has it.

    >>> origin({"a.yaml": "metrics:\\n  rides: {unit: km}\\n  tips: {unit: USD}\\n"}, "metrics", "rides")
    Origin(path='a.yaml', line=2, text='rides: {unit: km}')
    """
    for path, text in texts.items():
        if is_yaml(path):
            found = _origins(path, text, section).get(name)
            if found is not None:
                return found
    return None


@lru_cache(maxsize=256)
def _origins(path: str, text: str, section: str) -> Mapping[str, Origin]:
    root = read(text, path).root
    entries = root.entries[section].entries if root and section in root.entries else {}
    if root is None or not entries:
        return {}
    lines = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
    starts = sorted({lines[place.line - 1] + place.column - 1 for place in _keys(root, section)} | {len(text)})
    found = {}
    for name, node in entries.items():
        place = node.key_place or node.place
        begin = lines[place.line - 1] + place.column - 1
        end = next(start for start in starts if start > begin)
        found[name] = Origin(path, place.line, _own(text[begin:end], place.column - 1))
    return found


def _keys(root: Node, section: str) -> Iterator[Place]:
    """The places of the sections, and of the entries of this one."""
    for node in (*root.entries.values(), *root.entries[section].entries.values()):
        if node.key_place is not None:
            yield node.key_place


def _own(text: str, indent: int) -> str:
    """Without what belongs to the next entry: comments before it, and brackets of what surrounds them both."""
    lines = text.splitlines()
    while len(lines) > 1 and _is_foreign(lines[-1], indent):
        lines.pop()
    plain = dedent(" " * indent + "\n".join(lines)).rstrip(" ,\n")
    while plain.endswith("}") and plain.count("}") > plain.count("{"):
        plain = plain[:-1].rstrip(" ,\n")
    return plain


def _is_foreign(line: str, indent: int) -> bool:
    bare = line.strip()
    return not bare or (bare.startswith("#") and len(line) - len(line.lstrip()) <= indent)
