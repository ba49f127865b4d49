"""Readings, states and walks for the tests of the core: one letter is one bucket.

``.`` ok · ``a`` anomaly (warning) · ``C`` anomaly (critical) · ``?`` unknown · ``_`` no data
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from alerting.core.incidents import Incident, Reading, SeriesState, Transition
from alerting.core.lifecycle import advance
from config.model import IncidentRules, NoData

START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

_NAN = float("nan")


def reading(letter: str, hour: int, score: float | None = None) -> Reading:
    bucket = START + hour * HOUR
    if letter in "?_":
        status = "unknown" if letter == "?" else "no_data"
        return Reading(bucket, status, reason="12 of 40 buckets" if letter == "?" else "no reading")  # type: ignore[arg-type]  # a literal by the line above
    height = {".": 0.3, "a": 1.5, "C": 3.0}[letter] if score is None else score
    observed = {".": 1000.0, "a": 800.0, "C": 600.0}[letter]
    return Reading(
        bucket,
        "ok" if letter == "." else "anomaly",
        severity="critical" if letter == "C" else "warning",
        observed=observed,
        expected=1040.0,
        lower=980.0,
        upper=1140.0,
        score=height,
        direction=0 if letter == "." else -1,
        detector="seasonal",
        reason="" if letter == "." else "low",
    )


def readings(letters: str, first_hour: int = 0) -> list[Reading]:
    return [reading(letter, first_hour + hour) for hour, letter in enumerate(letters)]


def rules(open_after: int = 2, resolve_after: int = 3, no_data: NoData = "keep") -> IncidentRules:
    return IncidentRules(open_after, resolve_after, no_data)


def walk(
    state: SeriesState | None,
    these: Sequence[Reading],
    how: IncidentRules | None = None,
    *,
    now: datetime = NOW,
    opens_from: datetime | None = None,
    width: timedelta | None = None,
) -> tuple[SeriesState | None, list[Transition]]:
    return advance(
        state,
        these,
        how or rules(),
        subject="subscription:checkout-health",
        fingerprint="f" * 64,
        metric="checkout.orders",
        labels={"country": "DE"},
        kind="metric",
        now=now,
        opens_from=opens_from,
        width=width,
    )


def incident_after(letters: str, how: IncidentRules | None = None) -> Incident:
    state, _ = walk(None, readings(letters), how)
    assert state is not None
    assert state.incident is not None
    return state.incident
