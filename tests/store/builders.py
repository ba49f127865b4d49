"""Values as the core would make them, with as little said as a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from alerting.core.blocks import Block, ColumnKey, fingerprint
from alerting.core.groups import Delivery, Group
from alerting.core.health import QueryState
from alerting.core.incidents import Incident, Reading, SeriesState, Status, Transition
from alerting.store import Judged
from detectors.contract import Floats, Verdicts
from notifiers.contract import Kind, Notification, TimelineEntry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUBJECT = "subscription:shop"


def block(values: Sequence[Sequence[float]] | Floats, keys: Sequence[ColumnKey], start: datetime = NOON) -> Block:
    """Hourly readings from ``start`` on."""
    first = np.datetime64(start.replace(tzinfo=None), "us")
    cells = np.array(values, dtype=float).reshape(-1, len(keys)) if len(keys) else np.empty((len(values), 0))
    return Block(first + np.arange(len(cells)) * np.timedelta64(HOUR, "us"), tuple(keys), cells)


def key(country: str, value: str = "orders") -> ColumnKey:
    return ColumnKey(value, (("country", country),))


def query_state(name: str = "orders_hourly", digest: str = "d1") -> QueryState:
    return QueryState(name, digest, added=NOON, watermark=NOON, columns=("time", "orders"))


def reading(hours: int = 0, score: float = 3.0, status: str = "anomaly") -> Reading:
    return Reading(
        bucket=NOON + hours * HOUR,
        status=status,  # type: ignore[arg-type]  # the tests say it by hand
        observed=612.0,
        expected=1037.0,
        score=score,
        direction=-1,
        detector="seasonal",
        calendar="Labor Day",
        reason="41 % below",
    )


def incident(number: int = 1, country: str = "DE", status: str = "firing", subject: str = SUBJECT) -> Incident:
    is_over = status in ("resolved", "retracted")
    return Incident(
        id=f"20260302T12-{number:08x}",
        subject=subject,
        fingerprint=fingerprint("orders", {"country": country}),
        kind="metric",
        metric="orders",
        labels={"country": country},
        status=status,  # type: ignore[arg-type]  # the tests say it by hand
        severity="warning",
        opened=NOON,
        detected=NOON + 2 * HOUR,
        first=reading(),
        last=reading(1),
        worst=reading(1),
        resolved=NOON + 6 * HOUR if is_over else None,
        cause="three clean buckets" if is_over else "",
    )


def state_of(one: Incident, status: Status = Status.FIRING) -> SeriesState:
    return SeriesState(
        subject=one.subject,
        fingerprint=one.fingerprint,
        metric=one.metric,
        labels=one.labels,
        status=status,
        since=one.opened,
        last=one.last.bucket,
        episodes=1,
        incident=one if one.is_open else None,
    )


def transition(one: Incident, before: Status = Status.PENDING, after: Status = Status.FIRING) -> Transition:
    return Transition(
        one.subject, one.fingerprint, before, after, one.detected, one.last, "two buckets in a row", one, True
    )


def group(*members: Incident, number: int = 1, receiver: str = "slack", sequence: int = 1) -> Group:
    return Group(
        id=f"g{number}",
        receiver=receiver,
        key="subscription=shop",
        subject=SUBJECT,
        opened=NOON,
        members=members,
        severity_told="warning",
        sequence=sequence,
        flushed=NOON,
    )


def notification(
    sequence: int = 1, kind: Kind = "trigger", *, number: int = 1, receiver: str = "slack", said: Sequence[str] = ()
) -> Notification:
    return Notification(
        delivery_id=f"{receiver}-g{number}-{sequence}",
        group_id=f"g{number}",
        receiver=receiver,
        sequence=sequence,
        kind=kind,
        severity="warning",
        subscription="shop",
        created=NOON,
        incidents=(),
        changes=tuple(TimelineEntry(at=NOON, text=text) for text in said),
    )


def delivery(
    sequence: int = 1,
    kind: Kind = "trigger",
    *,
    number: int = 1,
    receiver: str = "slack",
    after: timedelta = timedelta(0),
    is_muted: bool = False,
    said: Sequence[str] = (),
) -> Delivery:
    payload = notification(sequence, kind, number=number, receiver=receiver, said=said)
    return Delivery(
        delivery_id=payload.delivery_id,
        receiver=receiver,
        group_id=payload.group_id,
        sequence=sequence,
        kind=kind,
        payload=payload,
        not_before=NOON + after,
        reason=f"{kind} of g{number}",
        is_muted=is_muted,
    )


def judged(
    labels: Sequence[Mapping[str, str]],
    scores: Sequence[Sequence[float]],
    *,
    start: datetime = NOON,
    previous: datetime | None = None,
    state: bytes = b"learned",
) -> Judged:
    """Score above 1 is an anomaly, NaN is unknown; expected 100, bounds 90 and none."""
    score = np.array(scores, dtype=float).reshape(-1, len(labels))
    times = np.datetime64(start.replace(tzinfo=None), "us") + np.arange(len(score)) * np.timedelta64(HOUR, "us")
    expected = np.where(np.isnan(score), np.nan, 100.0)
    verdicts = Verdicts(
        times=times,
        observed=expected * 0.5,
        expected=expected,
        lower=expected * 0.9,
        upper=np.full_like(expected, np.nan),
        score=score,
        status=np.where(np.isnan(score), "unknown", np.where(score > 1, "anomaly", "ok")),
        direction=np.zeros(score.shape, dtype=np.int8),
        reason=np.full(score.shape, "", dtype=object),
        state=state,
    )
    return Judged(
        "shop", "seasonal", "orders", tuple(labels), verdicts, start + len(score) * HOUR, previous, added=NOON
    )


def resolved(one: Incident, cause: str = "three clean buckets") -> Incident:
    return replace(one, status="resolved", resolved=NOON + 6 * HOUR, cause=cause)
