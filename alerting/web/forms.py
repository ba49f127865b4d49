"""Bodies of posts: bounded, and forms only from a page of ours.

A page's forms send back the token that the page's cookie holds (double submit): no other site can read or set it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import Message, Receive

COOKIE = "metricwatch_form"
FIELD = "form_token"
LONGEST_BYTES = 65_536
_TOKEN = re.compile(r"[\w-]{43}")


def token_of(request: Request) -> str:
    """The token of the reader's cookie; empty where it has none."""
    found = request.cookies.get(COOKIE, "")
    return found if _TOKEN.fullmatch(found) else ""


def new_token() -> str:
    return secrets.token_urlsafe(32)


def is_ours(form: Mapping[str, str], token: str) -> bool:
    """True where the form holds the token of the cookie."""
    return bool(token) and hmac.compare_digest(form.get(FIELD, "").encode("utf-8", "replace"), token.encode())


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form; of one that stands twice the last.

    >>> fields(b"length=1h&comment=the+deploy")
    {'length': '1h', 'comment': 'the deploy'}
    """
    try:
        return dict(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}


async def body_of(receive: Receive) -> bytes | None:
    """The whole body; None where it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LONGEST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """What the routes receive after the body was read here."""
    is_told = False

    async def again() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
