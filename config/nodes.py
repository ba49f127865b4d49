"""What a YAML file says, with the place of every key and value; merging keeps the places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from config.problems import Place, Problem, problem

Scalar = str | int | float | bool | None
Content = Scalar | tuple["Node", ...] | Mapping[str, "Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """One value. ``path`` is the dotted key as written (``subscriptions.a.detect[0]``)."""

    content: Content
    path: str
    place: Place
    key_place: Place | None = None

    @property
    def entries(self) -> Mapping[str, Node]:
        """The keys and values of a mapping; empty for anything else."""
        return self.content if isinstance(self.content, Mapping) else {}

    @property
    def items(self) -> Sequence[Node]:
        """The items of a list; empty for anything else."""
        return self.content if isinstance(self.content, tuple) else ()

    def problem(self, message: str, *, at_key: bool = False, is_warning: bool = False) -> Problem:
        place = self.key_place if at_key and self.key_place else self.place
        return problem(place, self.path, message, is_warning=is_warning)

    def only(self, names: set[str]) -> Node:
        return replace(self, content={name: node for name, node in self.entries.items() if name in names})

    def without(self, *names: str) -> Node:
        return self.only(set(self.entries) - set(names))


def plain(node: Node) -> object:
    """The value as dicts, lists and scalars."""
    if isinstance(node.content, Mapping):
        return {name: plain(child) for name, child in node.content.items()}
    if isinstance(node.content, tuple):
        return [plain(child) for child in node.content]
    return node.content


def merged(below: Node, above: Node) -> Node:
    """``above`` laid over ``below``: maps merge, lists and scalars replace. The places stay those of the text."""
    if not (isinstance(below.content, Mapping) and isinstance(above.content, Mapping)):
        return above
    together = dict(below.content)
    for name, node in above.content.items():
        together[name] = merged(together[name], node) if name in together else node
    return replace(above, content=together)


def nearest(node: Node, location: Sequence[str | int]) -> tuple[Node, tuple[str | int, ...]]:
    """The deepest node on the way to ``location`` and what of the way is not written there.

    Parts that are in no document (pydantic's names of union members and validators) are skipped.
    """
    missing: list[str | int] = []
    for part in location:
        child = _child(node, part)
        if child is None:
            missing.append(part)
        else:
            node, missing = child, []
    return node, tuple(missing)


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(part, int):
        return node.items[part] if part < len(node.items) else None
    return node.entries.get(part)
