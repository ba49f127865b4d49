"""What people send with a form, and how the page that they see next says what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from alerting.app.actions import UnknownTarget
from alerting.core.silences import BadSilence
from alerting.web import cookies
from config import durations
from notifiers.clean import clean

LENGTHS = (("1h", "1 hour"), ("4h", "4 hours"), ("1d", "1 day"))
_SAID = "metricwatch_said"
_SAID_SECONDS = 60


class Unclear(ValueError):
    """A field does not say what is needed; the message says what to write."""


WRONG = (Unclear, BadSilence, UnknownTarget)
"""What an action may say of what was sent: it belongs at the form."""


@dataclass(frozen=True)
class Trouble:
    """Which form was not done, why, and what was written in it, so that nobody writes it twice."""

    form: str
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)


def _fields(request: Request) -> dict[str, str]:
    form: dict[str, str] = request.state.form
    return form


Fields = Annotated[dict[str, str], Depends(_fields)]
"""The fields of the form by name, as the gate read them; of several with one name the last."""


def comment_of(fields: Mapping[str, str]) -> str:
    """What was written as the reason, on one line."""
    return clean(fields.get("comment", ""), 1000)


def length_of(fields: Mapping[str, str]) -> timedelta:
    """How long; what was written by hand counts before what was chosen. Raises Unclear."""
    text = fields.get("own", "").strip() or fields.get("length", "").strip()
    if not text or text == "own":
        raise Unclear("how long? choose one, or write a duration such as 2h or 3d")
    try:
        length = durations.parse(text)
    except ValueError as exc:
        raise Unclear(str(exc)) from exc
    if not length:
        raise Unclear("a silence should be longer than nothing: write a duration such as 2h or 3d")
    return length


def done(request: Request, text: str, address: str) -> Response:
    """Leads to the page, which then says in a sentence what was done."""
    # A cookie and not a part of the address: a link could otherwise put words into the page's mouth.
    sentence = quote(clean(text[:1].upper() + text[1:], 300) + ".")
    cookie = cookies.written(request, _SAID, sentence, lasts_s=_SAID_SECONDS)
    return RedirectResponse(address, 303, headers={"Set-Cookie": cookie})


def said(request: Request) -> str:
    """The sentence that is still to be said; empty: nothing was done."""
    return clean(unquote(request.cookies.get(_SAID, "")), 310)


def forget_said(request: Request, answer: Response) -> None:
    """Once is enough."""
    answer.headers.append("Set-Cookie", cookies.written(request, _SAID, "", lasts_s=0))
