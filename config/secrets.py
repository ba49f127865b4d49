"""Secrets by reference: ``${env:NAME}`` and ``${file:PATH}``, resolved when used, never printed.

>>> Secret("postgresql://app:${env:SHOP_PASSWORD}@db/shop")
Secret('postgresql://app:${env:SHOP_PASSWORD}@db/shop')
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")


class MissingSecret(LookupError):
    """A reference names a variable that is not set, or a file that cannot be read."""


@dataclass(frozen=True)
class Secret:
    """A text with references in it; ``written`` is what stands in the YAML and is safe to print."""

    written: str

    def __repr__(self) -> str:
        return f"Secret({self.written!r})"

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        return tuple((kind, name) for kind, name in _REFERENCE.findall(self.written))

    def reveal(self, environment: Mapping[str, str] = os.environ) -> str:
        """The text with each reference replaced. Raises MissingSecret."""
        return _REFERENCE.sub(lambda match: _look_up(match[1], match[2], environment), self.written)


def _look_up(kind: str, name: str, environment: Mapping[str, str]) -> str:
    if kind == "env":
        if name not in environment:
            raise MissingSecret(f"environment variable {name} is not set")
        return environment[name]
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise MissingSecret(f"secret file {name} cannot be read: {exc.strerror}") from exc
