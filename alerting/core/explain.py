"""The text of ``why`` as values: every gate that a point or an incident passed or failed, down to each receiver.

Pure assembly: whoever asks fetches the facts (points, explanations, states, outbox rows) and prints the gates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from alerting.core.figures import amount, count, series_name
from alerting.core.incidents import Incident, Reading, Transition
from alerting.core.lifecycle import effect_of
from config.model import IncidentRules, Require
from detectors.contract import Explanation
from notifiers.contract import Kind


@dataclass(frozen=True)
class Gate:
    """One question on the way from a value to a message. ``passed`` None: nobody could tell, or never reached."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class Why:
    """An answer: what was asked about, the verdict in a sentence, and the gates in order."""

    title: str
    verdict: str
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class Opinion:
    """What one detect entry says of the point. ``explanation`` None: it does not judge this series."""

    entry: str
    explanation: Explanation | None


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: a row of the outbox. ``state`` as the outbox names it (``sent``, ``muted``, …).

    ``owed`` why it was planned, ``reason`` what happened to it since; ``at`` when it was settled, else when it is due.
    """

    receiver: str
    kind: Kind
    sequence: int
    state: str
    owed: str
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Point:
    """One bucket of one series in one subscription, with everything known of it.

    ``pulled`` when the bucket was first seen (None: never) · ``observed`` NaN = no reading · ``versions`` the values
    before each restatement, oldest first · ``combined`` what the entries together say after the guards · ``trail`` the
    combined readings up to and including the point, ascending, enough for a streak · ``calendar`` the named days that
    the bucket is part of, with calendar and effect.
    """

    subscription: str
    metric: str
    labels: Mapping[str, str]
    bucket: datetime
    timezone: str
    unit: str | None
    pulled: datetime | None
    observed: float
    versions: tuple[float, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    combined: Reading | None = None
    trail: tuple[Reading, ...] = ()
    opens_from: datetime | None = None
    calendar: str = ""
    require: Require = "any"


def why_point(
    point: Point, rules: IncidentRules, incident: Incident | None, outcomes: Sequence[Outcome], told: Sequence[str]
) -> Why:
    """Every gate of one point. ``incident``: the one that holds this bucket; ``told``: receivers of its severity."""
    gates = [_pulled(point), _reading(point), *(_opinion(opinion, point.unit) for opinion in point.opinions)]
    gates += [
        _guards(point),
        *_calendar(point),
        *_agreement(point),
        _new_enough(point),
        _streak(point, rules),
        _incident(incident, point.timezone),
    ]
    if incident is not None:
        gates += _receivers(outcomes, told, point.timezone)
    name = series_name(point.metric, point.labels)
    title = f"{name} at {instant(point.bucket, point.timezone)} in {point.subscription}"
    return Why(title, _verdict(gates, incident), tuple(gates))


def why_incident(
    incident: Incident,
    timeline: Sequence[Transition],
    outcomes: Sequence[Outcome],
    told: Sequence[str],
    *,
    timezone: str = "UTC",
    unit: str | None = None,
) -> Why:
    """The story of one incident and what each receiver got. ``timeline``: its transitions, ascending."""
    name = series_name(incident.metric, incident.labels)
    gates = [
        Gate("first anomaly", True, f"{instant(incident.first.bucket, timezone)}: {_numbers(incident.first, unit)}"),
        Gate("worst", True, f"{instant(incident.worst.bucket, timezone)}: {_numbers(incident.worst, unit)}"),
    ]
    gates += [
        Gate(str(transition.after), True, f"{instant(transition.at, timezone)}: {transition.cause}")
        for transition in timeline
    ]
    gates += _receivers(outcomes, told, timezone)
    return Why(f"{incident.id}: {name} ({incident.subject})", _standing(incident, timezone), tuple(gates))


def instant(moment: datetime, timezone: str) -> str:
    """An instant in the reader's zone, UTC behind it where that differs."""
    local = moment.astimezone(ZoneInfo(timezone))
    text = f"{local:%a %Y-%m-%d %H:%M}"
    return (
        f"{text} UTC"
        if not local.utcoffset()
        else f"{text} {timezone} ({moment.astimezone(ZoneInfo('UTC')):%H:%M} UTC)"
    )


def _pulled(point: Point) -> Gate:
    if point.pulled is None:
        return Gate("pulled", False, "this bucket has not been pulled from the warehouse")
    return Gate("pulled", True, f"first seen {instant(point.pulled, point.timezone)}")


def _reading(point: Point) -> Gate:
    if point.pulled is None:
        return Gate("reading", None, "not pulled")
    if math.isnan(point.observed):
        return Gate("reading", False, "the warehouse had no row for this series")
    before = "".join(f"{amount(value)} → " for value in point.versions)
    return Gate("reading", True, f"{before}{amount(point.observed, point.unit)}{' (restated)' if before else ''}")


def _opinion(opinion: Opinion, unit: str | None) -> Gate:
    """A detect entry's gate is passed where it calls the point anomalous."""
    said = opinion.explanation
    name = f"detect {opinion.entry}"
    if said is None:
        return Gate(name, None, "does not judge this series")
    if said.status == "unknown":
        return Gate(name, None, f"unknown: {said.reason}")
    parts = [_expectation(said, unit), _components(said, unit)]
    if not math.isnan(said.score):
        parts.append(f"score {said.score:.2f} (1 is on the bound)")
    if not math.isnan(said.expected_per_month):
        parts.append(f"expected {amount(said.expected_per_month)} times a month")
    parts.append(said.reason)
    return Gate(name, said.status == "anomaly", f"{said.status}: {'; '.join(part for part in parts if part)}")


def _expectation(said: Explanation, unit: str | None) -> str:
    # Within its bounds a threshold expects whatever is there: that says nothing.
    is_known = not math.isnan(said.expected) and (said.residual != 0 or said.seasons)
    expected = f"expected {amount(said.expected, unit)}" if is_known else ""
    lower, upper = not math.isnan(said.lower), not math.isnan(said.upper)
    if lower and upper:
        band = f"band {amount(said.lower)} – {amount(said.upper, unit)}"
    elif lower or upper:
        band = f"at least {amount(said.lower, unit)}" if lower else f"at most {amount(said.upper, unit)}"
    else:
        band = ""
    return ", ".join(part for part in (expected, band) if part)


def _components(said: Explanation, unit: str | None) -> str:
    parts = {"level": said.level, **said.seasons, "calendar": said.calendar, "residual": said.residual}
    known = {name: value for name, value in parts.items() if not math.isnan(value)}
    if abs(known.get("calendar", 0.0)) <= 1e-9 * abs(said.level):  # what sums of floats leave over is no effect
        known.pop("calendar", None)
    return " + ".join(f"{name} {amount(value, unit)}" for name, value in known.items()) if len(known) > 1 else ""


def _guards(point: Point) -> Gate:
    combined = point.combined
    if combined is not None and (combined.status == "anomaly" or _is_muted(combined)):
        return Gate("guard", True, f"{combined.severity} by {combined.detector}")
    if combined is not None and combined.reason.startswith("guard: "):
        return Gate("guard", False, combined.reason.removeprefix("guard: "))
    if _is_outvoted(combined):
        return Gate("guard", True, "lets the anomaly through")
    return Gate("guard", None, "no detect entry calls it anomalous")


def _calendar(point: Point) -> list[Gate]:
    """No gate on an ordinary day."""
    if point.combined is not None and _is_muted(point.combined):
        return [Gate("calendar", False, point.combined.reason)]
    return [Gate("calendar", True, point.calendar)] if point.calendar else []


def _is_muted(reading: Reading) -> bool:
    return reading.reason.startswith("muted by calendar ")


def _is_outvoted(combined: Reading | None) -> bool:
    return combined is not None and combined.reason.startswith("require: ")


def _agreement(point: Point) -> tuple[Gate, ...]:
    """Whether enough detect entries agree; no gate where one is enough."""
    if point.require == "any":
        return ()
    name, combined = f"require {point.require}", point.combined
    if combined is not None and _is_outvoted(combined):
        return (Gate(name, False, combined.reason.removeprefix("require: ")),)
    if combined is None or combined.status != "anomaly":
        return (Gate(name, None, "no detect entry calls it anomalous"),)
    said = [one.explanation.status for one in point.opinions if one.explanation is not None]
    return (Gate(name, True, f"{said.count('anomaly')} of {count(len(said), 'detector')} agree"),)


def _new_enough(point: Point) -> Gate:
    if point.opens_from is None or point.bucket >= point.opens_from:
        return Gate("watched then", True, "the subscription was there when the bucket ended")
    added = instant(point.opens_from, point.timezone)
    return Gate("watched then", False, f"buckets before {added} open nothing: the subscription is newer")


def _streak(point: Point, rules: IncidentRules) -> Gate:
    streak = 0
    for reading in reversed(point.trail):
        effect = effect_of(reading, rules.no_data)
        if effect == "clean":
            break
        streak += effect == "bad"
    name = f"open_after {rules.open_after}"
    if not streak:
        return Gate(name, None, "no anomalous bucket")
    return Gate(name, streak >= rules.open_after, f"{count(streak, 'anomalous bucket')} in a row")


def _incident(incident: Incident | None, timezone: str) -> Gate:
    if incident is None:
        return Gate("incident", False, "no incident holds this bucket")
    return Gate("incident", True, f"{incident.id}, {_standing(incident, timezone)}")


def _standing(incident: Incident, timezone: str) -> str:
    begun = f"{incident.severity} since {instant(incident.opened, timezone)}"
    if incident.resolved is None:
        return f"{incident.status}, {begun}"
    return f"{incident.status} {instant(incident.resolved, timezone)}: {incident.cause}; was {begun}"


def _receivers(outcomes: Sequence[Outcome], told: Sequence[str], timezone: str) -> list[Gate]:
    gates = []
    for outcome in outcomes:
        when = "" if outcome.at is None else f" {instant(outcome.at, timezone)}"
        reason = f" ({outcome.reason})" if outcome.reason else ""
        detail = f"{outcome.kind} {outcome.sequence} {outcome.state}{when}{reason}; owed because: {outcome.owed}"
        gates.append(Gate(f"receiver {outcome.receiver}", _arrived(outcome.state), detail))
    silent = [name for name in told if name not in {outcome.receiver for outcome in outcomes}]
    gates += [Gate(f"receiver {name}", False, "nothing was planned for it") for name in silent]
    return gates or [Gate("receivers", False, "nobody is told of this severity")]


def _arrived(state: str) -> bool | None:
    # A merged row arrives inside the one that replaced it; what is still on its way has not failed.
    return {"sent": True, "merged": True, "dead": False, "muted": False}.get(state)


def _numbers(reading: Reading, unit: str | None) -> str:
    parts = [amount(reading.observed, unit)] if not math.isnan(reading.observed) else []
    parts += [f"expected {amount(reading.expected, unit)}"] if not math.isnan(reading.expected) else []
    parts += [f"score {reading.score:.2f}"] if not math.isnan(reading.score) else []
    parts += [said for said in (reading.reason, reading.calendar) if said]
    return ", ".join(parts) + (f" [{reading.detector}]" if reading.detector else "")


def _verdict(gates: Sequence[Gate], incident: Incident | None) -> str:
    if incident is not None:
        return f"part of incident {incident.id}"
    required = [gate for gate in gates if not gate.name.startswith("detect ")]
    stopped = next((gate for gate in required if gate.passed is not True), None)
    return f"no incident: {stopped.name}: {stopped.detail}" if stopped else "no incident"
