"""Pages as text. Names and reasons come from elsewhere: everything is escaped, and nothing in a page can run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from alerting.core.explain import instant
from alerting.core.figures import amount, count
from alerting.web import static_files
from alerting.web.pages import posted
from notifiers.clean import clean
from notifiers.console import SIGNS
from notifiers.quantities import duration

NAVIGATION = (
    ("/", "Now"),
    ("/incidents", "Incidents"),
    ("/metrics", "Metrics"),
    ("/silences", "Silences"),
    ("/sources", "Sources"),
    ("/subscriptions", "Subscriptions"),
)
_SIGNS = {state: sign for state, (sign, _) in SIGNS.items()}
_MARKS = {True: "✓", False: "✗", None: "·"}
_MEANINGS = {True: "passed", False: "not passed", None: "not reached"}
_TITLES = {403: "Not from here", 404: "Not found", 405: "Not like this", 503: "Not now"}


def page(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page with its frame: where the reader is, who they are, and the token that its forms send back."""
    state, said = request.state, posted.said(request)
    frame = {"path": request.url.path, "actor": state.actor, "form_token": state.form_token, "said": said}
    answer = HTMLResponse(rendered(template, **frame, **values), status)
    if said:
        posted.forget_said(request, answer)
    return answer


def error_page(status: int, reason: str) -> str:
    return rendered("error.html", path="", said="", title=_TITLES.get(status, "Not possible"), reason=reason)


def web_address(url: str | None) -> str | None:
    """A link that a browser may follow: a ``javascript:`` address is text, not a link."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def _short(at: datetime, timezone: str) -> str:
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def time(at: datetime, timezone: str) -> Markup:
    """The instant in the subscription's zone; scripts rewrite it to the reader's. UTC is its title."""
    words = Markup('<time datetime="{}" title="{}">{}</time>')
    return words.format(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", instant(at, "UTC"), _short(at, timezone))


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(amount=amount, clean=clean, counted=count, duration=duration)
    made.filters.update(instant=instant, short=_short, time=time)
    made.globals.update(
        signs=_SIGNS, marks=_MARKS, meanings=_MEANINGS, navigation=NAVIGATION, static=static_files.address
    )
    return made


_PAGES = _environment()


def rendered(template: str, **values: object) -> str:
    return _PAGES.get_template(template).render(**values)
