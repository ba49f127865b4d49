"""Silences: what they match, how long they may last, and whom they keep quiet. A resolve is never kept quiet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from alerting.core.figures import length
from alerting.core.incidents import Incident

LONGEST = timedelta(days=30)
SUBJECTS = ("subscription", "query", "config")
"""Matchers with these names match the subject of an incident; ``metric`` its metric; all others its dimensions."""


class BadSilence(ValueError):
    """The silence may not be made; the message says what to change."""


@dataclass(frozen=True)
class Silence:
    """Incidents that every matcher matches are kept quiet from ``starts`` until ``ends``.

    ``expired_by`` who ended it early. ``told_end`` when whoever was owed something heard that it ended: until then it
    holds, so that nobody is told by chance a moment before everybody is told on purpose.
    """

    id: str
    matchers: Mapping[str, str]
    starts: datetime
    ends: datetime
    author: str
    comment: str
    created: datetime
    expired_by: str = ""
    told_end: datetime | None = None

    def is_running(self, now: datetime) -> bool:
        """True while it was asked for."""
        return self.starts <= now < self.ends

    def holds(self, now: datetime) -> bool:
        """True while it keeps quiet: from its start until its end was told."""
        return self.starts <= now and self.told_end is None

    def text(self) -> str:
        """As a reason: until when, by whom, why."""
        return f"silenced until {self.ends:%a %Y-%m-%d %H:%M} UTC by {self.author}: {self.comment}"


def silence(
    matchers: Mapping[str, str], starts: datetime, ends: datetime, *, author: str, comment: str, now: datetime
) -> Silence:
    """A silence with an id of its own. Raises BadSilence."""
    canonical = json.dumps([sorted(matchers.items()), starts.isoformat(), ends.isoformat(), author, now.isoformat()])
    name = f"{now:%Y%m%dT%H%M}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"
    return checked(Silence(name, dict(matchers), starts, ends, author.strip(), comment.strip(), now), now)


def checked(one: Silence, now: datetime) -> Silence:
    """The silence itself, if it may be made. Raises BadSilence."""
    if not one.matchers:
        raise BadSilence("a silence of everything is not possible: name a metric, a subscription or a dimension")
    if not one.author:
        raise BadSilence("who silences? name the author")
    if not one.comment:
        raise BadSilence("why? a silence needs a comment, for those who wonder later")
    if one.ends <= max(one.starts, now):
        raise BadSilence(
            f"a silence that ends at {one.ends:%Y-%m-%d %H:%M} UTC would be over already: choose a later end"
        )
    if one.ends - max(one.starts, now) > LONGEST:
        asked = length(one.ends - max(one.starts, now))
        raise BadSilence(f"a silence lasts at most {length(LONGEST)}, not {asked}: extend it when it is nearly over")
    return one


def matches(matchers: Mapping[str, str], subject: str, metric: str, labels: Mapping[str, str]) -> bool:
    """True where every matcher matches. ``metric`` may be a pattern (``checkout.*``); a dimension that the series
    lacks is empty text."""
    kind, _, name = subject.partition(":")

    def agrees(matcher: str, wanted: str) -> bool:
        if matcher in SUBJECTS:
            return matcher == kind and name == wanted
        return fnmatchcase(metric, wanted) if matcher == "metric" else labels.get(matcher, "") == wanted

    return all(agrees(matcher, wanted) for matcher, wanted in matchers.items())


def is_match(one: Silence, incident: Incident) -> bool:
    return matches(one.matchers, incident.subject, incident.metric, incident.labels)


def concerning(incident: Incident, silences: Iterable[Silence]) -> tuple[Silence, ...]:
    """Those that kept it quiet or still do, oldest first."""
    end = incident.resolved
    matching = (one for one in silences if is_match(one, incident) and one.ends > incident.detected)
    return tuple(sorted((one for one in matching if end is None or one.starts <= end), key=lambda one: one.starts))


def preview(one: Silence, incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    """Which of these incidents the silence would keep quiet."""
    return tuple(incident for incident in incidents if is_match(one, incident))


def silenced_by(incident: Incident, silences: Iterable[Silence], now: datetime) -> Silence | None:
    """Of the silences that hold and match, the one that ends last; None: it is not silenced."""
    found = [one for one in silences if one.holds(now) and is_match(one, incident)]
    return max(found, key=lambda one: (one.ends, one.id), default=None)


def ended(silences: Iterable[Silence], now: datetime) -> tuple[Silence, ...]:
    """Those whose time is over and whose end nobody was told of."""
    return tuple(one for one in silences if one.ends <= now and one.told_end is None)
