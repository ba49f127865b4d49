"""The configuration of a folder: what it says, what is wrong with it, and what was last good where it is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from config.assembly import Assembled, Assembler
from config.folder import Folder, read_folder
from config.model import Config
from config.plug_ins import PlugIns
from config.problems import Problem


@dataclass(frozen=True)
class Loaded:
    """A configuration without any error in it, whatever is wrong with the files.

    ``problems`` are those of the files as they are now, by place. ``texts`` are the texts in use by path: what to keep
    as last good. ``fallen_back`` are the files whose text in use is not the one in the folder.
    """

    config: Config
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    fallen_back: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if not problem.is_warning)


def load(
    folder: Path,
    *,
    last_good: Mapping[str, str] = MappingProxyType({}),
    environment: Mapping[str, str] = os.environ,
    plug_ins: PlugIns = PlugIns(),  # noqa: B008  # frozen
) -> Loaded:
    """Reads the folder; never raises for what is written in it."""
    found = read_folder(folder)
    assembler = Assembler(environment, plug_ins)
    current = assembler.assemble(found.texts)
    problems = (*found.problems, *current.problems)
    if all(problem.is_warning for problem in problems):
        return Loaded(current.config, problems, found.texts)
    texts, used = _settled(assembler, found, last_good)
    changed = {path for path in {*found.texts, *texts} if texts.get(path) != found.texts.get(path)}
    return Loaded(used.config, problems, texts, tuple(sorted(changed & set(texts))))


def _settled(assembler: Assembler, found: Folder, last_good: Mapping[str, str]) -> tuple[dict[str, str], Assembled]:
    """The texts to use: bad files give way to their last good text, file by file, then all of them together.

    A file can be bad because another one changed (a source was renamed); its own last good text does not help then,
    so the whole set that once loaded together comes back, deleted files included.
    """
    kept = {path: text for path, text in last_good.items() if found.is_lost or found.hides(path)}
    texts = {**found.texts, **kept}
    has_tried_all_together = False
    assembled = assembler.assemble(texts)
    while assembled.faulty_paths:
        following = _with_last_good(texts, assembled.faulty_paths, last_good)
        if following == texts and not has_tried_all_together:
            following, has_tried_all_together = dict(last_good), True
        if following == texts:
            # The last good set does not load any more (a newer program, a missing plug-in): what is faulty goes.
            following = {path: text for path, text in texts.items() if path not in assembled.faulty_paths}
        texts, assembled = following, assembler.assemble(following)
    return texts, assembled


def _with_last_good(texts: Mapping[str, str], faulty: set[str], last_good: Mapping[str, str]) -> dict[str, str]:
    following = {}
    for path, text in texts.items():
        if path not in faulty:
            following[path] = text
        elif path in last_good:
            following[path] = last_good[path]
    return following
