"""The sections of all files together, with ``defaults`` and ``templates`` laid under the entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from config.documents import DefaultsDocument, MetricDocument, QueryDocument, SubscriptionDocument
from config.nodes import Node, merged
from config.problems import Place, Problem, suggestion
from config.scalars import NAME
from config.validation import checked

VERSION = 1
ENTRIES = ("sources", "receivers", "calendars", "templates", "queries", "metrics", "subscriptions")
_KEYS = ("version", "defaults", "canary", *ENTRIES)
_OF_QUERIES = set(QueryDocument.model_fields)
_OF_METRICS = set(MetricDocument.model_fields)
_OF_SUBSCRIPTIONS = set(SubscriptionDocument.model_fields)


@dataclass(frozen=True)
class Sections:
    """Entries by section and name, in the order of the files; ``defaults`` and ``canary`` may be None."""

    entries: Mapping[str, Mapping[str, Node]]
    defaults: Node | None = None
    canary: Node | None = None
    problems: tuple[Problem, ...] = ()
    lost: frozenset[str] = frozenset()
    """Names under misspelt sections."""


@dataclass
class _Gathering:
    entries: dict[str, dict[str, Node]] = field(default_factory=lambda: {name: {} for name in ENTRIES})
    defaults: Node | None = None
    canary: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)


def gathered(roots: Mapping[str, Node]) -> Sections:
    """All files as one; a name that stands twice keeps its first place."""
    found = _Gathering()
    for root in roots.values():
        for key, node in root.entries.items():
            _add(found, key, node)
    _check_defaults_and_templates(found)
    return Sections(found.entries, found.defaults, found.canary, tuple(found.problems), frozenset(found.lost))


def laid_over(sections: Sections, section: str, entry: Node) -> tuple[Node, tuple[Problem, ...]]:
    """The entry on its template on the defaults."""
    template, problems = _template(sections, section, entry)
    own = merged(template, entry) if template else entry
    keys = _OF_SUBSCRIPTIONS if section == "subscriptions" else _OF_QUERIES
    if section == "metrics" and "query" in own.entries:
        keys = {"max_series"}
    if sections.defaults is None:
        return own.without("template"), problems
    return merged(sections.defaults.only(keys), own).without("template"), problems


def _add(found: _Gathering, key: str, node: Node) -> None:
    if key not in _KEYS:
        found.problems.append(node.problem(f"unknown key{suggestion(key, _KEYS)}", at_key=True))
        found.lost.update(node.entries)
    elif key == "version":
        if node.content != VERSION or isinstance(node.content, bool):
            found.problems.append(node.problem(f"should be {VERSION}, the only version there is"))
    elif node.content is None:
        return
    elif key == "canary":
        _add_canary(found, node)
    elif not isinstance(node.content, Mapping):
        found.problems.append(node.problem("should be a mapping of names to entries"))
    elif key == "defaults":
        found.defaults = _joined(found, found.defaults, node) if found.defaults else node
    else:
        _add_entries(found, key, node)


def _add_canary(found: _Gathering, node: Node) -> None:
    if not isinstance(node.content, Mapping):
        found.problems.append(node.problem("should be a mapping such as {notify: [data-ops], every: 1d}"))
    elif found.canary is not None:
        found.problems.append(node.problem(f"is already set: first at {found.canary.key_place}", at_key=True))
    else:
        found.canary = node


def _add_entries(found: _Gathering, section: str, node: Node) -> None:
    known = found.entries[section]
    for name, entry in node.entries.items():
        if not NAME.fullmatch(name):
            message = "a name is made of letters, digits, dots, hyphens and underscores, 100 at most"
            found.problems.append(entry.problem(message, at_key=True))
        elif name in known:
            first = known[name].key_place
            found.problems.append(entry.problem(f"this name is taken: first at {first}", at_key=True))
        elif entry.content is not None and not isinstance(entry.content, Mapping):
            found.problems.append(entry.problem("should be a mapping such as {key: value}"))
            known[name] = replace(entry, content=None)
        else:
            known[name] = replace(entry, content=entry.content or {})


def _joined(found: _Gathering, first: Node, second: Node) -> Node:
    together = dict(first.entries)
    for name, node in second.entries.items():
        if name not in together:
            together[name] = node
        elif isinstance(node.content, Mapping) and isinstance(together[name].content, Mapping):
            together[name] = _joined(found, together[name], node)
        else:
            place = together[name].key_place or Place(node.place.path)
            found.problems.append(node.problem(f"is already set: first at {place}", at_key=True))
    return replace(first, content=together)


def _check_defaults_and_templates(found: _Gathering) -> None:
    if found.defaults is not None:
        found.problems.extend(checked(DefaultsDocument, found.defaults).problems)
    for template in found.entries["templates"].values():
        found.problems.extend(_problems_of_template(template))


def _problems_of_template(template: Node) -> tuple[Problem, ...]:
    unknown = template.without(*_OF_METRICS, *_OF_SUBSCRIPTIONS)
    problems = [
        node.problem(f"unknown key{suggestion(key, _OF_METRICS | _OF_SUBSCRIPTIONS)}", at_key=True)
        for key, node in unknown.entries.items()
    ]
    if "template" in template.entries:
        problems.append(template.entries["template"].problem("a template cannot use another one", at_key=True))
    problems.extend(checked(MetricDocument, template.only(_OF_METRICS - {"template"})).problems)
    problems.extend(checked(SubscriptionDocument, template.only(_OF_SUBSCRIPTIONS - {"template"})).problems)
    return tuple(problems)


def _template(sections: Sections, section: str, entry: Node) -> tuple[Node | None, tuple[Problem, ...]]:
    written = entry.entries.get("template")
    if written is None:
        return None, ()
    if not isinstance(written.content, str):
        return None, (written.problem("should be the name of a template"),)
    templates = sections.entries["templates"]
    if written.content not in templates:
        return None, (
            written.problem(f"no template is called {written.content!r}{suggestion(written.content, templates)}"),
        )
    template = templates[written.content].without("template")
    keys = {"queries": _OF_QUERIES, "metrics": _OF_METRICS, "subscriptions": _OF_SUBSCRIPTIONS}[section]
    foreign = [key for key in template.entries if key not in keys and key in _OF_METRICS | _OF_SUBSCRIPTIONS]
    if foreign:
        message = f"this template is not for {section}: it sets {', '.join(foreign)}"
        return template.only(keys), (written.problem(message),)
    return template.only(keys), ()
