"""Texts of files to a configuration and its problems: pure, the same for a first reading and a fallback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from config.calendars import calendars, unknown_calendars
from config.canary import with_canary
from config.fallbacks import fallback_problems
from config.folder import is_yaml
from config.model import Config, Receiver
from config.nodes import Node
from config.plug_ins import PlugIns
from config.problems import Problem
from config.pulls import Written, is_faulty, pulls, unknown_receivers
from config.receivers import read as read_receiver
from config.sections import Sections, gathered
from config.subscriptions import resolved
from config.yaml_text import Reading, read


@dataclass(frozen=True)
class Assembled:
    """Everything that can be used; entries with a mistake are left out of ``config``."""

    config: Config
    problems: tuple[Problem, ...]

    @property
    def faulty_paths(self) -> set[str]:
        return {problem.path for problem in self.problems if not problem.is_warning}


class Assembler:
    """Puts texts together; remembers what it has parsed, because a fallback reads most files again."""

    def __init__(self, environment: Mapping[str, str], plug_ins: PlugIns) -> None:
        self._environment = environment
        self._plug_ins = plug_ins
        self._readings: dict[tuple[str, str], Reading] = {}

    def assemble(self, texts: Mapping[str, str]) -> Assembled:
        readings = {path: self._reading(path, text) for path, text in texts.items() if is_yaml(path)}
        sections = gathered({path: reading.root for path, reading in readings.items() if reading.root})
        sql_files = {path: text for path, text in texts.items() if not is_yaml(path)}
        broken = [texts[path] for path, reading in readings.items() if reading.root is None]
        written = Written(sections, sql_files, self._environment, sections.lost | _words_before_colons(broken))
        found = pulls(written)
        receivers, wrong = self._receivers(written)
        days, unclear = calendars(written)
        config, more = resolved(written, found, receivers, days, self._plug_ins)
        config, unsound = with_canary(config, written, self._plug_ins)
        of_form = [problem for reading in readings.values() for problem in reading.problems]
        of_defaults = _defaults_problems(sections, written)
        of_content = [*sections.problems, *of_defaults, *found.problems, *wrong, *unclear, *more, *unsound]
        return Assembled(config, _once(of_form, of_content))

    def _reading(self, path: str, text: str) -> Reading:
        key = (path, text)
        if key not in self._readings:
            self._readings[key] = read(text, path)
        return self._readings[key]

    def _receivers(self, written: Written) -> tuple[dict[str, Receiver], list[Problem]]:
        receivers: dict[str, Receiver] = {}
        problems: list[Problem] = []
        for name, node in written.nodes("receivers").items():
            if node.content is None:  # already told: it is no mapping
                continue
            receiver, wrong = read_receiver(name, node, self._plug_ins, self._environment)
            problems.extend(wrong)
            if receiver is not None and not is_faulty(wrong):
                receivers[name] = receiver
        return receivers, [*problems, *fallback_problems(written)]


def _words_before_colons(texts: list[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in re.findall(r"([\w.\-]{1,100})[\"']?\s*:", text[:1_000_000]))


def _defaults_problems(sections: Sections, written: Written) -> list[Problem]:
    """Receivers and calendars that only ``defaults`` name: told even while no entry uses them."""
    if sections.defaults is None:
        return []
    problems = []
    for location in (("on_error", "notify"), ("notify", "info"), ("notify", "warning"), ("notify", "critical")):
        told = _texts_at(sections.defaults, location)
        problems.extend(unknown_receivers(sections.defaults, location, told, written))
    named = _texts_at(sections.defaults, ("calendars",))
    return [*problems, *unknown_calendars(sections.defaults, named, written)]


def _texts_at(defaults: Node, location: tuple[str, ...]) -> list[str]:
    node: Node | None = defaults
    for key in location:
        node = node.entries.get(key) if node else None
    return [item.content for item in node.items if isinstance(item.content, str)] if node else []


def _once(of_form: list[Problem], of_content: list[Problem]) -> tuple[Problem, ...]:
    """Each mistake once: what a template says is read for each of its users, what has no form has no content."""
    formless = {(found.path, found.line, found.column) for found in of_form}
    rest = [found for found in of_content if (found.path, found.line, found.column) not in formless]
    return tuple(sorted(set(of_form) | set(rest)))
