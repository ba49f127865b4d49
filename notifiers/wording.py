"""The words that people read, the same in every service: what, how bad, since when, against what.

Everything here is plain text on one line, cleaned and bounded; escaping for a service is that service's business.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal

from notifiers.clean import bounded, clean
from notifiers.contract import IncidentView, Notification, TimelineEntry
from notifiers.deviations import against, deviation, magnitude
from notifiers.quantities import day, duration, in_utc, instant, number, numbers, per_bucket, weekdays, width, zone
from notifiers.standing import is_acknowledged, is_open

TITLE, LINE, NAME = 120, 300, 60
_HEALTH = {
    "late": "late",
    "failing": "cannot be pulled",
    "empty": "returns no rows",
    "schema": "columns changed",
    "judging": "cannot be judged",
    "config": "does not load",
    "receiver": "cannot be told anything",
    "undelivered": "a message was given up",
    "canary": "the canary did not come out",
    "state": "does not answer",
}
_TOLD_BELOW = frozenset({"undelivered", "canary"})
"""Their reasons are too long for a headline: the second line holds them."""


def lead(notification: Notification) -> IncidentView | None:
    """The incident that the headline is about: the worst open one, else the worst that was not taken back."""
    incidents = notification.incidents
    still_open = [incident for incident in incidents if is_open(incident)]
    genuine = [incident for incident in incidents if incident.status != "retracted"]
    return next(iter(still_open or genuine or incidents), None)


def headline(notification: Notification) -> str:
    """``Orders, Germany: 41 % below expected``; how it ended, once it has."""
    incident = lead(notification)
    if incident is None:
        return f"{clean(notification.subscription, NAME)}: nothing to report"
    again = " (possible repeat)" if notification.possible_repeat else ""
    return bounded(f"{title(incident)}: {_what(incident, notification)}", LINE - len(again)) + again


def since_line(notification: Notification) -> str:
    """``since Mon 14:00 (18:00 UTC, 2 h): 612 orders/h, usually 980 – 1,140 at this hour on Mondays · also 3 …``.

    A day with a name of its own (Labor Day) stands before the others. A reminder says that it is ``still open``.
    """
    incident = lead(notification)
    if incident is None:
        return ""
    still = "still open " if notification.is_reminder and is_open(incident) else ""
    said = f"{still}{_when(incident, notification)}{_compared(incident, notification)}"
    parts = [said, clean(incident.calendar, TITLE), others(notification), pending(notification)]
    return bounded(" · ".join(part for part in parts if part), LINE)


def summary(notification: Notification) -> str:
    """Headline and since-line in one line, for places that have only one."""
    return " · ".join(part for part in (headline(notification), since_line(notification)) if part)


def title(incident: IncidentView) -> str:
    """``Orders, Germany`` for the series of a metric; the name as written for the health of a query."""
    if incident.kind != "metric":
        return clean(incident.metric, NAME) or "query"
    name = clean(incident.metric.rsplit(".", 1)[-1].replace("_", " "), NAME)
    values = [clean(value, NAME) or "(empty)" for value in list(incident.dimensions.values())[:3]]
    more = len(incident.dimensions) - len(values)
    parts = [(name[:1].upper() + name[1:]) or "Metric", *values, *([f"{more} more dimensions"] if more else [])]
    return bounded(", ".join(parts), TITLE)


def others(notification: Notification) -> str:
    """``also 3 other countries``: how many more are open, counted in what they are."""
    incident = lead(notification)
    rest = [other for other in notification.incidents if other is not incident and is_open(other)]
    if incident is None or not rest:
        return ""
    # Open ones are listed first, so those that are not listed are open only where all the listed ones are.
    hidden = notification.unlisted if len(rest) + 1 == len(notification.incidents) else 0
    count = len(rest) + hidden
    return f"also {count:,} other {_kind_of([incident, *rest], '' if count == 1 else 's')}"


def pending(notification: Notification) -> str:
    """``2 more pending``: series that are bad and not yet for long enough; empty once the group has ended."""
    return f"{notification.pending:,} more pending" if notification.pending and not notification.is_resolved else ""


def other_lines(notification: Notification, limit: int = 8) -> list[str]:
    """One line for each further incident, worst first, and how many are not shown."""
    incident = lead(notification)
    rest = [other for other in notification.incidents if other is not incident]
    lines = [bounded(f"{title(other)}: {_what(other, notification)}", LINE) for other in rest[:limit]]
    hidden = max(len(rest) - limit, 0) + notification.unlisted
    return [*lines, f"and {hidden:,} more"] if hidden else lines


def timeline(notification: Notification, limit: int = 12) -> list[str]:
    """What is new since the last version, oldest first: ``Mon 16:00 (20:00 UTC): …``."""
    where = zone(notification.timezone)
    changes = notification.changes
    lines = [timeline_line(entry, where, notification.created) for entry in changes[:limit]]
    if len(changes) > limit:
        lines.append(f"and {len(changes) - limit:,} more changes")
    return lines


def reminder(notification: Notification) -> str:
    """What a reminder says in the thread: still open, how bad now, and whether anybody has taken it."""
    if not notification.is_reminder or notification.is_resolved:
        return ""
    seen = "" if is_acknowledged(notification) else " · nobody has acknowledged it"
    said = bounded(f"{headline(notification)} · {since_line(notification)}", LINE - len(seen))
    return said + seen


def timeline_line(entry: TimelineEntry, where: tzinfo, now: datetime) -> str:
    return bounded(f"{_clock(entry.at, where, now)}: {clean(entry.text, LINE)}", LINE)


def happened(
    incident: IncidentView, event: Literal["opened", "joined", "rose", "eased", "resolved", "retracted"]
) -> str:
    """The text of a timeline entry: what became of one incident.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 1, 5, 14, tzinfo=UTC)
    >>> orders = IncidentView(id="1", metric="shop.orders", dimensions={"country": "Germany"}, status="firing",
    ...     severity="critical", opened=at, detected=at, latest=at, observed=612.0, expected=1040.0)
    >>> happened(orders, "rose")
    'Orders, Germany: now critical, 41 % below expected'
    """
    if event in ("resolved", "retracted"):
        return bounded(f"{title(incident)}: {_ended(incident, None)}", LINE)
    told = {"opened": "", "joined": "joined, ", "rose": f"now {incident.severity}, ", "eased": "back in range"}[event]
    return bounded(f"{title(incident)}: {told}{'' if event == 'eased' else _deviates(incident)}", LINE)


def detail(notification: Notification) -> str:
    """The small print: full name of the series, who judged it and how far beyond the bound, under which rule."""
    incident = lead(notification)
    if incident is None:
        return clean(notification.subscription, NAME)
    pairs = [f"{clean(key, 30)}={clean(value, NAME)}" for key, value in list(incident.dimensions.items())[:4]]
    name = clean(incident.metric, NAME) + (f" ({', '.join(pairs)})" if pairs else "")
    score = f"{clean(incident.detector, 40)} score {number(incident.score)}" if incident.score is not None else ""
    parts = (name, score, clean(notification.subscription, NAME), f"incident {clean(incident.id, NAME)}")
    # The health of a query is told under the query's own name: once is enough.
    return bounded(" · ".join(dict.fromkeys(part for part in parts if part)), LINE)


def _what(incident: IncidentView, notification: Notification) -> str:
    if not is_open(incident):
        return _ended(incident, notification)
    if incident.flapping:
        return f"flapping{_at_worst(incident)}"
    if incident.status == "recovering":
        return f"recovering{_at_worst(incident)}"
    return _deviates(incident)


def _deviates(incident: IncidentView) -> str:
    if incident.kind != "metric":
        said = "" if incident.kind in _TOLD_BELOW else clean(incident.reason, LINE)
        return said or _HEALTH[incident.kind]
    found = deviation(incident, incident.observed, incident.expected)
    return found or clean(incident.reason, 120) or "unusual"


def _ended(incident: IncidentView, notification: Notification | None) -> str:
    if incident.status == "retracted":
        return _taken_back(incident, notification)
    until = incident.resolved or incident.latest
    return f"resolved after {duration(until - incident.opened)}{_at_worst(incident)}"


def _taken_back(incident: IncidentView, notification: Notification | None) -> str:
    """``retracted: 612 was restated to 1,020 at 16:40``, as far as the numbers are known."""
    if incident.worst_observed is None or incident.observed is None:
        return "retracted: the numbers were restated"
    before, after = numbers([incident.worst_observed, incident.observed])
    where = zone(notification.timezone if notification else "UTC")
    at = f" at {_clock(incident.resolved, where, incident.resolved)}" if incident.resolved else ""
    return f"retracted: {before} was restated to {after}{at}"


def _at_worst(incident: IncidentView) -> str:
    if incident.kind != "metric":
        return ""
    worst = magnitude(incident.worst_observed, incident.worst_expected, incident.unit)
    if worst is None and incident.worst_observed is not None:
        worst = number(incident.worst_observed) + per_bucket(_unit(incident), incident.bucket, incident.additive)
    return f", {worst} at worst" if worst else ""


def _when(incident: IncidentView, notification: Notification) -> str:
    where, now = zone(notification.timezone), notification.created
    until = incident.latest + width(incident.bucket)
    if is_open(incident):
        return f"since {_clock(incident.opened, where, now, _length(incident, until), incident.bucket)}"
    ended = incident.resolved or until
    return f"{_clock(incident.opened, where, now, '', incident.bucket)} to {_clock(ended, where, now)}"


def _compared(incident: IncidentView, notification: Notification) -> str:
    """``: 612 orders/h, usually 980 – 1,140 at this hour on Mondays``; empty where there is nothing to say."""
    if incident.kind in _TOLD_BELOW and is_open(incident):
        return f": {clean(incident.reason, LINE)}" if incident.reason else ""
    if incident.kind != "metric" or not is_open(incident):
        return ""
    place = _season(incident, zone(notification.timezone))
    compared = against(incident, per_bucket(_unit(incident), incident.bucket, incident.additive), place)
    return f": {compared}" if compared else ""


def _season(incident: IncidentView, where: tzinfo) -> str:
    """Which of its like a bucket is compared with; only the seasonal detector compares so."""
    span = width(incident.bucket).total_seconds()
    if not incident.detector.startswith("seasonal") or not 0 < span <= 86_400:
        return ""
    return f" {'on' if span == 86_400 else 'at this hour on'} {weekdays(incident.latest, where)}"


def _clock(at: datetime, where: tzinfo, now: datetime, length: str = "", bucket: str | None = None) -> str:
    """An instant in the reader's zone, with UTC and a length behind; a date alone where buckets are days or more."""
    if bucket in ("1d", "1w", "1mo"):
        return day(at, where, now) + (f" ({length})" if length else "")
    universal = in_utc(at, where)
    behind = ", ".join(part for part in (universal, length) if part)
    return instant(at, where, now) + ("" if universal else " UTC") + (f" ({behind})" if behind else "")


def _length(incident: IncidentView, until: datetime) -> str:
    return duration(until - incident.opened) if until > incident.opened else ""


def _kind_of(incidents: list[IncidentView], plural: str) -> str:
    if any(incident.kind != "metric" for incident in incidents):
        return f"problem{plural}"
    keys = {tuple(incident.dimensions) for incident in incidents}
    if len({incident.metric for incident in incidents}) > 1:
        return f"metric{plural}" if keys == {()} else "series"
    key = next(iter(keys))
    return _plural(clean(key[0], 30).replace("_", " "), plural) if len(keys) == 1 and len(key) == 1 else "series"


def _plural(noun: str, plural: str) -> str:
    if not plural:
        return noun
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _unit(incident: IncidentView) -> str | None:
    return clean(incident.unit, 20) if incident.unit else None
