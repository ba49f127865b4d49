"""``fallback`` of receivers: a name that is there, is somebody else, and leads nowhere in a circle."""

from __future__ import annotations

from collections.abc import Mapping

from config.nodes import Node
from config.problems import Problem, suggestion
from config.pulls import Written


def fallback_problems(written: Written) -> list[Problem]:
    """What is wrong with the fallbacks of all receivers together."""
    named = {
        name: node.entries["fallback"]
        for name, node in written.nodes("receivers").items()
        if "fallback" in node.entries and node.entries["fallback"].content is not None
    }
    found = [_problem(name, node, named, written) for name, node in named.items()]
    return [problem for problem in found if problem is not None]


def _problem(name: str, node: Node, named: Mapping[str, Node], written: Written) -> Problem | None:
    if not isinstance(node.content, str):
        return node.problem("should be the name of a receiver")
    if node.content == name:
        return node.problem("a receiver cannot be its own fallback: name another one")
    if not written.may_name("receivers", node.content):
        others = [other for other in written.nodes("receivers") if other != name]
        return node.problem(f"no receiver is called {node.content!r}{suggestion(node.content, others)}")
    circle = _circle(name, named)
    # Told once, at the member that stands first in the files.
    if circle and name == next(one for one in named if one in circle):
        return node.problem(f"fallbacks lead in a circle: {' → '.join((*circle, name))}; let one of them have none")
    return None


def _circle(name: str, named: Mapping[str, Node]) -> tuple[str, ...]:
    """The receivers that one meets on the way from ``name`` back to it; empty where there is no way back."""
    met: list[str] = []
    at: object = name
    while isinstance(at, str) and at in named and at not in met:
        met.append(at)
        at = named[at].content
    return tuple(met) if at == name else ()
