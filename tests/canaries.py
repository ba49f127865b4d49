"""Secrets that can be recognised anywhere, and the watch that looks for them while the suite runs at DEBUG.

Every secret of the tests holds ``MARK``. A test fails where the mark turns up in a log line, in a request beyond the
place that is meant for it, in an answer of the web server, in what a process printed, or in a file or database left.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

MARK = "c4n4ry"
SLACK_TOKEN = f"xoxb-{MARK}-bot-token"
SLACK_APP_TOKEN = f"xapp-{MARK}-app-token"
ROUTING_KEY = f"{MARK}R0ST4ND1NR0ST4ND1NR0ST4ND1"
PASSWORD = f"{MARK}-password"
PASSWORD_VARIABLE = "TEST_PASSWORD"
ADDRESS_KEY = f"{MARK}-address"
SIGNING_KEY = f"{MARK}-signing"

KINDS = ("log lines", "payloads", "pages", "outputs", "files", "databases")
_LARGEST = 64_000_000


def referring(url: str) -> str:
    """The URL as it may stand in YAML: with a reference in the place of the password."""
    return url.replace(PASSWORD, f"${{env:{PASSWORD_VARIABLE}}}")


class Request(Protocol):
    """What a stand-in was asked."""

    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


def _forms() -> tuple[bytes, ...]:
    """The mark as it is, in hexadecimal, and what of its base64 does not depend on the bytes around it."""
    encoded = [base64.b64encode(b"\0" * before + MARK.encode()) for before in range(3)]
    return MARK.encode(), MARK.encode().hex().encode(), encoded[0], encoded[1][2:9], encoded[2][3:10]


FORMS = _forms()


class Watch:
    """``searched`` counts what was looked at, by kind; ``hits`` says where the mark was."""

    def __init__(self) -> None:
        self.searched: Counter[str] = Counter()
        self.hits: list[str] = []
        self.databases: list[str] = []
        """URLs of the PostgreSQL databases that the running test made."""

    def look(self, kind: str, where: str, content: str | bytes) -> list[str]:
        """What is wrong with a content of one of ``KINDS``; it is kept in ``hits`` as well."""
        self.searched[kind] += 1
        found = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        hits = [f"{kind}: {where}: {_around(found, form)}" for form in FORMS if form in found]
        hits = [hit.replace(MARK, "[canary]") for hit in hits]
        self.hits += hits
        return hits

    def payload(self, request: Request, *, address_is_secret: bool = False) -> list[str]:
        """A request, but for its Authorization, its ``routing_key`` and an address that is the secret itself."""
        headers = [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "authorization"]
        path = b"" if address_is_secret else request.path.encode()
        return self.look("payloads", "a request", b"\n".join([path, *map(str.encode, headers), _unkeyed(request.body)]))

    def folder(self, folder: Path) -> None:
        """Every file, but for those that hold nothing else than one secret."""
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            content = path.read_bytes()
            if len(content) > 100 or MARK.encode() not in content:
                self.look("files", path.name, content)

    def stored(self) -> None:
        """Every row of the databases made since the last call."""
        urls, self.databases = self.databases, []
        for url in urls:
            for name, rows in _dump(url):
                self.look("databases", name, rows)


WATCH = Watch()


def _around(content: bytes, form: bytes) -> str:
    shown = content.replace(form, b"[canary]")  # the finding itself is no leak
    at = shown.index(b"[canary]")
    return shown[max(at - 60, 0) : at + 40].decode("utf-8", "replace")


def _unkeyed(body: bytes) -> bytes:
    try:
        event = json.loads(body)
    except ValueError:
        return body
    if not isinstance(event, dict) or "routing_key" not in event:
        return body
    return json.dumps({name: value for name, value in event.items() if name != "routing_key"}).encode()


def _dump(url: str) -> Iterator[tuple[str, bytes]]:
    import psycopg

    try:
        connection = psycopg.connect(url.replace("+psycopg", "", 1))
    except psycopg.OperationalError:  # the test took it away, or its server down
        return
    with connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        asked = [f'SELECT t::text FROM "{name}" t'.encode() for (name,) in names]
        rows = [text for statement in asked for (text,) in connection.execute(statement).fetchall()]
    yield ", ".join(name for (name,) in names), "\n".join(rows).encode()
