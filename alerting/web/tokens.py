"""API tokens: how one is made, the file that names them, and whom a token belongs to.

The file holds a line ``name scope sha256`` for each, never the token itself. ``#`` begins a comment.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import get_args

from alerting.telemetry import logger
from alerting.web.desk import Scope

SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each may do what those before it may."""
PREFIX = "mw_"
"""Tokens begin like this, so that logs and people recognize one."""
_NAME = re.compile(r"[\w.@-]{1,64}")
_log = logger("web")


class BadTokens(ValueError):
    """The file cannot be read or has bad lines; the message names file and line."""


@dataclass(frozen=True)
class Token:
    """One line of the file. ``sha256``: of the token, in lower-case hexadecimal."""

    name: str
    scope: Scope
    sha256: str

    def may(self, needed: Scope) -> bool:
        return includes(self.scope, needed)

    def line(self) -> str:
        return f"{self.name} {self.scope} {self.sha256}"


def includes(scope: Scope, needed: Scope) -> bool:
    """True where a holder of ``scope`` may do what ``needed`` allows.

    >>> includes("admin", "read"), includes("read", "operate")
    (True, False)
    """
    return SCOPES.index(scope) >= SCOPES.index(needed)


def make(name: str, scope: str) -> tuple[str, Token]:
    """A new secret, and the token as the file names it. Raises ValueError."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, _token(name, scope, _hash(secret))


def parse(text: str, path: Path) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    """The tokens of the good lines, and a message for each bad one."""
    found: dict[str, Token] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            token = _token(*words) if len(words) == 3 else _no_token()
            if token.name in found:
                raise ValueError(f"the name {token.name!r} stands twice: give each token its own")
        except ValueError as exc:
            problems.append(f"{path}:{number}: {exc}")
            continue
        found[token.name] = token
    return tuple(found.values()), tuple(problems)


class Tokens:
    """The tokens of a file, which is read again when it changes.

    Then a bad line lets nobody in and stands in the log, and a file that is gone lets nobody in.
    """

    def __init__(self, path: Path | None) -> None:
        """Raises BadTokens: a program does not start on a file with mistakes."""
        self.path = path
        self._known: tuple[Token, ...] = ()
        self._stamp: object = None
        if path is not None:
            self._known, problems = _read(path)
            self._stamp = _stamp(path)
            if problems:
                raise BadTokens("\n".join(problems))

    def known(self) -> Sequence[Token]:
        if self.path is not None and (stamp := _stamp(self.path)) != self._stamp:
            self._stamp = stamp
            try:
                self._known, problems = _read(self.path)
            except BadTokens as exc:
                self._known, problems = (), (str(exc),)
            for problem in problems:
                _log.error("token ignored", problem=problem)
            _log.info("tokens read", tokens=len(self._known))
        return self._known

    def holder(self, secret: str) -> Token | None:
        """Whom the secret belongs to. Takes as long for every wrong one."""
        given, found = _hash(secret), None
        for token in self.known():
            if compare_digest(token.sha256, given):
                found = token
        return found

    def named(self, name: str) -> Token | None:
        return next((token for token in self.known() if token.name == name), None)


def _token(name: str, scope: str, sha256: str) -> Token:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: write letters, digits, and . _ - @, at most 64")
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is no scope: write {', '.join(SCOPES)}")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("the third word is no SHA-256 in 64 lower-case hexadecimal digits; see: metricwatch token")
    return Token(name, scope, sha256)


def _no_token() -> Token:
    raise ValueError("write: name scope sha256; `metricwatch token NAME SCOPE` makes such a line")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not text"
        raise BadTokens(f"{path}: cannot be read: {reason}; METRICWATCH_TOKENS_FILE names it") from exc
