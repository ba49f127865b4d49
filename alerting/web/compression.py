"""Answers that are long and hold no secret are compressed; pages with a token are not (their length would tell it)."""

from __future__ import annotations

import gzip

from fastapi import Request
from fastapi.responses import Response

_SHORTEST = 1000
_LEVEL = 5


def compressed(request: Request, text: str, media_type: str) -> Response:
    """The text, compressed where the reader understands it and it is worth it."""
    body = text.encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= _SHORTEST and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=media_type, headers=headers)
