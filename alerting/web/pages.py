"""Pages as text. Names and reasons come from elsewhere: everything is escaped, and nothing in a page can run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerting.app.reading import IncidentLine, IncidentPage
from alerting.core.explain import instant
from notifiers.clean import clean
from notifiers.console import SIGNS
from notifiers.quantities import duration

_SIGNS = {state: sign for state, (sign, _) in SIGNS.items()}
_MARKS = {True: "✓", False: "✗", None: "·"}
_MEANINGS = {True: "passed", False: "not passed", None: "not reached"}
_TITLES = {403: "Not from here", 404: "Not found", 405: "Not like this", 503: "Not now"}


def incidents_page(lines: Sequence[IncidentLine], now: datetime) -> str:
    open_ones = [line for line in lines if line.incident.is_open]
    ended = [line for line in lines if not line.incident.is_open]
    return _rendered("incidents.html", open_ones=open_ones, ended=ended, now=now)


def incident_page(page: IncidentPage) -> str:
    return _rendered(
        "incident.html", page=page, line=page.line, incident=page.line.incident, runbook=_web_address(page.runbook)
    )


def error_page(status: int, reason: str) -> str:
    return _rendered("error.html", title=_TITLES.get(status, "Not possible"), reason=reason)


def _web_address(url: str | None) -> str | None:
    """A link that a browser may follow: a ``javascript:`` address is text, not a link."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def _short(at: datetime, timezone: str) -> str:
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(instant=instant, short=_short, clean=clean, duration=duration)
    made.globals.update(signs=_SIGNS, marks=_MARKS, meanings=_MEANINGS)
    return made


_PAGES = _environment()


def _rendered(template: str, **values: object) -> str:
    return _PAGES.get_template(template).render(**values)
