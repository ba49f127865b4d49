"""Which pages there are: found from the links of the pages themselves, one of each kind."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tests.browser.visitor import Visitor

_PARTS = re.compile(r"^/(metrics|incidents|silences|sources|subscriptions)/[^/]+$")


def one_of_each_kind(visitor: Visitor, start: str = "/") -> dict[str, str]:
    """A path by the kind of its page (``incidents``, ``incidents/…``), as far as links lead from ``start``."""
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop(0)
        if kind_of(path) in found:
            continue
        visitor.go(path)
        arrived = urlsplit(visitor.page.url).path
        found[kind_of(path)] = path
        found.setdefault(kind_of(arrived), arrived)
        links = visitor.page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
        waiting += [urlsplit(one).path for one in links if one.startswith("/") and "." not in urlsplit(one).path[-5:]]
    return found


def kind_of(path: str) -> str:
    """``home``, ``incidents``, ``incidents-one``: also the name of its picture.

    >>> kind_of("/"), kind_of("/incidents"), kind_of("/incidents/20260203T0900-ab")
    ('home', 'incidents', 'incidents-one')
    """
    match = _PARTS.match(path)
    return f"{match[1]}-one" if match else path.strip("/").replace("/", "-") or "home"
