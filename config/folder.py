"""The files of a configuration: all ``*.yaml``, ``*.yml`` and ``*.sql`` below a folder, hidden ones left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from config.problems import Place, Problem, problem
from config.yaml_text import LARGEST_BYTES

YAML_SUFFIXES = (".yaml", ".yml")
SQL_SUFFIX = ".sql"


@dataclass(frozen=True)
class Folder:
    """Texts by path (relative, with slashes); ``unreadable`` files have a problem and no text."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def unreadable(self) -> set[str]:
        return {found.path for found in self.problems}


def is_yaml(path: str) -> bool:
    return path.endswith(YAML_SUFFIXES)


def read_folder(folder: Path) -> Folder:
    """Everything below the folder that counts. Never raises."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "there is no such folder"
        return Folder({}, (problem(Place(str(folder)), "", f"{what}; make a first one with: metricwatch init"),))
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        paths = sorted(path for path in folder.rglob("*") if _counts(path.relative_to(folder)))
    except OSError as exc:
        return Folder({}, (problem(Place(str(folder)), "", f"cannot be read: {exc.strerror}"),))
    for path in paths:
        name = path.relative_to(folder).as_posix()
        text = _text(path, name)
        if isinstance(text, Problem):
            problems.append(text)
        else:
            texts[name] = text
    if not any(is_yaml(name) for name in texts) and not problems:
        message = "holds no YAML file; make a first one with: metricwatch init"
        problems.append(problem(Place(str(folder)), "", message))
    return Folder(texts, tuple(problems))


def _counts(relative: Path) -> bool:
    # Kubernetes mounts a ConfigMap as links into hidden folders (..data): only the visible names count.
    is_hidden = any(part.startswith(".") for part in relative.parts)
    return not is_hidden and relative.suffix in (*YAML_SUFFIXES, SQL_SUFFIX)


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
