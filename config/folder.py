"""The files of a configuration: all ``*.yaml``, ``*.yml`` and ``*.sql`` below a folder, hidden ones left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from config.problems import Place, Problem, problem
from config.yaml_text import LARGEST_BYTES

YAML_SUFFIXES = (".yaml", ".yml")
SQL_SUFFIX = ".sql"


@dataclass(frozen=True)
class Folder:
    """Texts by path (relative, with slashes). ``is_lost`` where there is no folder, or no YAML file in it."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    is_lost: bool = False

    def hides(self, path: str) -> bool:
        """True where the file, or a folder above it, is there and cannot be read."""
        return any(path == found.path or path.startswith(f"{found.path}/") for found in self.problems)


def is_yaml(path: str) -> bool:
    return path.endswith(YAML_SUFFIXES)


def read_folder(folder: Path) -> Folder:
    """Everything below the folder that counts. Never raises."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "there is no such folder"
        return _lost(folder, f"{what}; make a first one with: metricwatch init")
    texts: dict[str, str] = {}
    paths, problems = _paths(folder)
    for path in sorted(paths):
        name = path.relative_to(folder).as_posix()
        text = _text(path, name)
        if isinstance(text, Problem):
            problems.append(text)
        else:
            texts[name] = text
    if not problems and not any(is_yaml(name) for name in texts):
        return _lost(folder, "holds no YAML file; make a first one with: metricwatch init")
    return Folder(texts, tuple(problems), is_lost=any(found.path == str(folder) for found in problems))


def _lost(folder: Path, message: str) -> Folder:
    return Folder({}, (problem(Place(str(folder)), "", message),), is_lost=True)


def _paths(folder: Path) -> tuple[list[Path], list[Problem]]:
    problems: list[Problem] = []

    def note(error: OSError) -> None:
        # A folder that cannot be listed is not one without files: their rules must not end.
        where = Path(error.filename or folder)
        name = where.relative_to(folder).as_posix() if where != folder else str(folder)
        problems.append(problem(Place(name), "", f"cannot be read: {error.strerror}"))

    found = []
    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if _counts(name)]
    return found, problems


def _counts(name: str) -> bool:
    # Kubernetes mounts a ConfigMap as links into hidden folders (..data): only the visible names count.
    return not name.startswith(".") and name.endswith((*YAML_SUFFIXES, SQL_SUFFIX))


def _text(path: Path, name: str) -> str | Problem:
    try:
        if not path.is_file():
            return problem(Place(name), "", "is not a regular file")
        if path.stat().st_size > LARGEST_BYTES:
            return problem(Place(name), "", f"is larger than {LARGEST_BYTES // 1_000_000} MB; split it")
        content = path.read_bytes()
    except OSError as exc:
        return problem(Place(name), "", f"cannot be read: {exc.strerror}")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        before = content[: exc.start]
        column = exc.start - before.rfind(b"\n")
        return problem(Place(name, before.count(b"\n") + 1, column), "", "is not UTF-8 text")
