"""Addresses of databases: which driver they mean, and how they are printed.

``sqlite:///x.db`` and ``duckdb:///x.duckdb`` are relative to the working directory, with four slashes absolute.
"""

from __future__ import annotations

import re

_SCHEME = re.compile(r"([a-z][a-z0-9_]*)(\+[a-z0-9_]+)?://", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{(?:env|file):[^}]+\}")
_USER_INFO = re.compile(r"(://[^/?#@:]*):([^/?#]*)@")
_SECRET_PARAMETER = re.compile(
    r"([?&](?:password|passwd|pwd|token|secret|access_token|private_key|credentials_base64)=)([^&#]+)", re.IGNORECASE
)
_HIDDEN = "***"
_STANDS_FOR_REFERENCE = "\x00"


def normalised(url: str) -> str:
    """The address with the driver that metricwatch ships: ``postgres`` and ``postgresql`` mean psycopg 3.

    >>> normalised("postgres://app@db/shop")
    'postgresql+psycopg://app@db/shop'
    """
    return re.sub(r"^(postgres|postgresql)://", "postgresql+psycopg://", url.strip(), flags=re.IGNORECASE)


def masked(url: str) -> str:
    """The address without its secrets.

    >>> masked("postgresql://app:s3cret@db/shop")
    'postgresql://app:***@db/shop'
    """
    hidden = _USER_INFO.sub(lambda match: f"{match[1]}:{_HIDDEN}@", url)
    return _SECRET_PARAMETER.sub(lambda match: match[1] + _HIDDEN, hidden)


def dialect(url: str) -> str | None:
    """``postgresql``, ``duckdb``, …; None where the text is no address of a database.

    >>> dialect("postgres://db/shop"), dialect("duckdb:///x.duckdb"), dialect("shop")
    ('postgresql', 'duckdb', None)
    """
    match = _SCHEME.match(normalised(url))
    return match[1].lower() if match else None


def literal_secrets(written: str) -> bool:
    """True where a password stands in the text itself, not as a reference."""
    text = _REFERENCE.sub(_STANDS_FOR_REFERENCE, written)
    found = [match[2] for match in (*_USER_INFO.finditer(text), *_SECRET_PARAMETER.finditer(text))]
    return any(secret.replace(_STANDS_FOR_REFERENCE, "") for secret in found)
