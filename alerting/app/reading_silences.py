"""Silences with what they keep quiet, and what a silence would keep quiet before it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.app.application import App
from alerting.app.reading import IncidentLine
from alerting.app.reading_incidents import lines_of
from alerting.core.incidents import Incident
from alerting.core.silences import Silence, is_match

MOST_OVER = 50


@dataclass(frozen=True)
class SilenceLine:
    """A silence and how many open incidents it matches now."""

    silence: Silence
    matched: int


@dataclass(frozen=True)
class SilenceBoard:
    """The silences as of now: those that end first, those that begin first, those that ended last (at most fifty)."""

    running: tuple[SilenceLine, ...]
    coming: tuple[SilenceLine, ...]
    over: tuple[SilenceLine, ...]


def silences(app: App, now: datetime) -> SilenceBoard:
    """Raises StoreError."""
    everything = app.store.silences.all()
    still_open = app.store.incidents(open_only=True, limit=1_000_000)
    running = sorted((one for one in everything if one.is_running(now)), key=lambda one: one.ends)
    coming = sorted((one for one in everything if one.starts > now), key=lambda one: one.starts)
    over = sorted((one for one in everything if one.ends <= now), key=lambda one: one.ends, reverse=True)
    return SilenceBoard(_lines(running, still_open), _lines(coming, still_open), _lines(over[:MOST_OVER], ()))


def muted_by(app: App, matchers: Mapping[str, str], now: datetime) -> tuple[IncidentLine, ...]:
    """The open incidents that a silence with these matchers would keep quiet. Raises StoreError."""
    return lines_of(app, app.actions.preview(matchers), now)


def _lines(found: Sequence[Silence], still_open: Sequence[Incident]) -> tuple[SilenceLine, ...]:
    return tuple(SilenceLine(one, sum(is_match(one, incident) for incident in still_open)) for one in found)
