"""Entries of ``detect``: which detector, with which parameters, narrowed to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from config.documents import DetectDocument
from config.model import Detect
from config.nodes import Node, plain
from config.plug_ins import PlugIns, UnusablePlugIn
from config.problems import Problem, suggestion
from config.validation import checked, translated
from detectors import Detector

_SHARED = set(DetectDocument.model_fields)


@dataclass(frozen=True)
class DetectEntry:
    """One entry, the node of its parameters, where later checks point, and what it becomes (None: a mistake)."""

    options: DetectDocument
    node: Node
    detect: Detect | None


@dataclass(frozen=True)
class Entries:
    entries: tuple[DetectEntry, ...] = ()
    problems: tuple[Problem, ...] = ()


def detect_entries(node: Node, timezone: str, plug_ins: PlugIns) -> Entries:
    """The entries of a ``detect`` list. ``timezone`` fills a detector's own where that is not written."""
    found: list[DetectEntry] = []
    problems: list[Problem] = []
    seen: Counter[str] = Counter()
    for item in node.items:
        if not isinstance(item.content, Mapping):
            continue  # told by the document
        if len(item.entries) != 1:
            problems.append(item.problem("should be one detector with its parameters, such as seasonal: {}"))
            continue
        ((name, parameters),) = item.entries.items()
        seen[name] += 1
        key = name if seen[name] == 1 else f"{name}-{seen[name]}"
        entry, wrong = _entry(key, name, parameters, timezone, plug_ins)
        problems.extend(wrong)
        found.extend([entry] if entry else [])
    return Entries(tuple(found), tuple(problems))


def _entry(
    key: str, name: str, written: Node, timezone: str, plug_ins: PlugIns
) -> tuple[DetectEntry | None, tuple[Problem, ...]]:
    try:
        kind = plug_ins.detector(name)
    except UnusablePlugIn as exc:
        return None, (written.problem(str(exc), at_key=True),)
    if written.content is None:
        written = replace(written, content={})
    if not isinstance(written.content, Mapping):
        return None, (written.problem("should be a mapping of parameters such as {}"),)
    shared = checked(DetectDocument, written.only(_SHARED))
    detector, wrong = _detector(kind, written.without(*_SHARED), timezone)
    problems = (*shared.problems, *wrong)
    if shared.document is None:
        return None, problems
    detect = _detect(key, name, detector, shared.document) if detector and not problems else None
    return DetectEntry(shared.document, written, detect), problems


def _detect(key: str, name: str, detector: Detector, options: DetectDocument) -> Detect:
    critical = None if options.critical == "never" else options.critical
    return Detect(key, name, detector, options.metric, options.where, options.severity, critical)


def _detector(kind: type[Detector], written: Node, timezone: str) -> tuple[Detector | None, tuple[Problem, ...]]:
    parameters = plain(written)
    assert isinstance(parameters, dict)
    if "timezone" in kind.model_fields and "timezone" not in parameters:
        parameters["timezone"] = timezone
    unknown = set(written.entries) - set(kind.model_fields)
    known = [*kind.model_fields, *sorted(_SHARED)]
    refused = tuple(
        written.entries[key].problem(f"unknown key{suggestion(key, known)}", at_key=True) for key in sorted(unknown)
    )
    try:
        detector = kind.model_validate({key: value for key, value in parameters.items() if key not in unknown})
    except ValidationError as exc:
        return None, (*refused, *translated(exc.errors(include_url=False), kind, written))
    confused = _confused_types(detector, written)
    return (None if refused or confused else detector), (*refused, *confused)


def _is_numeral(content: object) -> bool:
    """Whether a text is nothing but a number; ``2/month`` is a rate, which detectors keep as a number."""
    try:
        return isinstance(content, str) and float(content) is not None
    except ValueError:
        return False


def _confused_types(detector: Detector, written: Node) -> tuple[Problem, ...]:
    """Numbers in quotes and true/false for numbers: a lax detector takes them, the file may not say them."""
    found = []
    for key in set(written.entries) & set(type(detector).model_fields):
        node, value = written.entries[key], getattr(detector, key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and (isinstance(node.content, bool) or _is_numeral(node.content)):
            found.append(node.problem(f"should be a number, not {node.content!r}"))
    return tuple(found)
