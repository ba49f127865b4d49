"""Style, scripts and pictures: compressed, and kept by browsers for as long as their content stays the same."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

FOLDER = Path(__file__).with_name("static")
_KEPT = "public, max-age=31536000, immutable"


@cache
def address(name: str) -> str:
    """Where a file is served; another content is another address, so that nobody sees an old one."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def files() -> ASGIApp:
    return GZipMiddleware(_Files(directory=FOLDER), minimum_size=1000)


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        has_version = scope["query_string"].startswith(b"v=") and answer.status_code < 400
        answer.headers["Cache-Control"] = _KEPT if has_version else "no-cache"
        return answer
