"""Health of queries (late, failing, empty, schema changed), files and receivers: told to ``on_error.notify``.

Each kind is a series of its own that goes through the lifecycle of every incident: bad opens at once, good resolves at
once. Its readings are named by the instant of evaluation, not by a bucket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from alerting.core.blocks import fingerprint
from alerting.core.figures import count, length
from alerting.core.incidents import IncidentKind, Reading, SeriesState, Severity, Transition
from alerting.core.lifecycle import advance
from config.model import IncidentRules, Late, Query
from detectors.buckets import Bucket

ReceiverKind = Literal["receiver", "undelivered", "canary"]
"""It is out of order as a whole; or a delivery to it was given up; or the canary did not come out there."""
AT_ONCE = IncidentRules(open_after=1, resolve_after=1)
RETRY_FIRST = timedelta(minutes=1)
RETRY_MOST = timedelta(minutes=15)
LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True)
class QueryState:
    """What we know of one query. Instants are aware UTC; None = never.

    ``watermark`` end of the newest bucket taken as final (pulls go on from there) · ``backfilled`` start of the oldest
    bucket pulled · ``newest`` start of the newest bucket with any row · ``restated`` when the restatement window was
    last pulled · ``attempted`` last evaluation that was recorded · ``succeeded`` last pull that brought readings ·
    ``failures`` in a row · ``columns`` of the last result.
    """

    name: str
    digest: str
    added: datetime
    watermark: datetime | None = None
    backfilled: datetime | None = None
    newest: datetime | None = None
    restated: datetime | None = None
    attempted: datetime | None = None
    succeeded: datetime | None = None
    failures: int = 0
    error: str = ""
    columns: tuple[str, ...] = ()
    schema_change: str = ""
    """What changed in the columns, until a person accepts it or it changes back; empty = nothing."""


def readings(
    query: Query, state: QueryState, now: datetime, *, zero_filled: bool = False, broken: Sequence[str] = ()
) -> dict[IncidentKind, Reading]:
    """What is wrong with the query right now, by kind; ``ok`` where nothing is, ``unknown`` where nobody can tell.

    ``zero_filled``: every metric of the query has ``fill: zero``, so that hours without a row are normal and only a
    ``late`` that somebody wrote counts. ``broken``: what could not be judged, and why.
    """
    return {
        "late": _late(query, state, now, zero_filled=zero_filled),
        "failing": _failing(query, state, now),
        "empty": _empty(query, state, now),
        "schema": _schema(state, now),
        "judging": _judging(broken, now),
    }


def judge(
    query: Query,
    state: QueryState,
    series: Mapping[str, SeriesState],
    now: datetime,
    *,
    zero_filled: bool = False,
    broken: Sequence[str] = (),
) -> tuple[list[SeriesState], list[Transition]]:
    """The health series of the query that changed, and how; ``series`` are the stored ones by fingerprint."""
    changed: list[SeriesState] = []
    transitions: list[Transition] = []
    for kind, reading in readings(query, state, now, zero_filled=zero_filled, broken=broken).items():
        name = fingerprint(f"health:{kind}", {"query": query.name})
        after, told = _advanced(f"query:{query.name}", name, query.name, kind, reading, series.get(name), now)
        changed += [after] if after is not None and after is not series.get(name) else []
        transitions += told
    return changed, transitions


def judge_file(
    path: str, error: str, before: SeriesState | None, now: datetime
) -> tuple[SeriesState | None, list[Transition]]:
    """The health of one file of the configuration: ``error`` says why it does not load, empty = it does."""
    name = file_fingerprint(path)
    reading = _bad(now, error, "warning") if error else _fine(now)
    return _advanced(f"config:{path}", name, path, "config", reading, before, now)


def judge_receiver(
    name: str, trouble: str, before: SeriesState | None, now: datetime, kind: ReceiverKind = "receiver"
) -> tuple[SeriesState | None, list[Transition]]:
    """The health of one receiver: ``trouble`` says what it cannot be told, and why; empty = it can be told."""
    reading = _bad(now, trouble, "warning") if trouble else _fine(now)
    return _advanced(f"{kind}:{name}", receiver_fingerprint(name, kind), name, kind, reading, before, now)


def receiver_fingerprint(name: str, kind: ReceiverKind = "receiver") -> str:
    """Names a health series of one receiver."""
    return fingerprint(f"health:{kind}", {"receiver": name})


def file_fingerprint(path: str) -> str:
    """Names the health series of one file."""
    return fingerprint("health:config", {"path": path})


def retry_delay(bucket: Bucket, failures: int) -> timedelta:
    """How long to wait after the n-th failure in a row: 1 minute, doubling up to min(bucket, 15 minutes)."""
    most = max(RETRY_FIRST, min(bucket.nominal, RETRY_MOST))
    # 16 minutes is past every limit: more doublings would only overflow.
    doublings = min(max(failures - 1, 0), 4)
    return min(RETRY_FIRST * (1 << doublings), most)


def due(query: Query, state: QueryState, now: datetime) -> datetime:
    """When the query must next be pulled and judged; in the past: it is overdue.

    After an evaluation that died, and where the last one is in the future because the clock was set back: at once.
    After a failure: the back-off, whatever else is due.
    Otherwise the first of: the next bucket (its end + ``delay``),
    buckets that were due but had not arrived (every min(bucket, 5 minutes)), the restatement window, and the rest of an
    unfinished first pull (after a minute).
    """
    if state.attempted is None:
        return state.added
    if is_interrupted(state) or state.attempted > now:
        return min(state.attempted, now)
    if state.failures:
        return state.attempted + retry_delay(query.bucket, state.failures)
    moments = [_next_bucket(query, state, state.attempted)]
    if query.restate is not None:
        moments.append((state.restated or state.attempted) + query.restate.every)
    if not is_backfilled(query, state, now):
        moments.append(state.attempted + RETRY_FIRST)
    return min(moments)


def is_interrupted(state: QueryState) -> bool:
    """True where readings were stored by an evaluation whose decisions were not: it died, or somebody was faster."""
    return state.succeeded is not None and state.attempted is not None and state.succeeded > state.attempted


def is_backfilled(query: Query, state: QueryState, now: datetime) -> bool:
    """True once the first pull has reached back as far as ``history`` says (to within a bucket)."""
    reach = now - query.history
    return state.backfilled is not None and state.backfilled <= _after(query, query.bucket.start(reach, query.timezone))


def _next_bucket(query: Query, state: QueryState, attempted: datetime) -> datetime:
    again = attempted + min(query.bucket.nominal, LOOK_AGAIN)
    if state.watermark is None or state.watermark > attempted:  # the clock was set back: what is next is not known
        return again
    arrives = _after(query, state.watermark) + query.delay
    return arrives if arrives > attempted else again


def _late(query: Query, state: QueryState, now: datetime, *, zero_filled: bool) -> Reading:
    late = query.late or (None if zero_filled else _default_late(query))
    if late is None:
        return _fine(now)
    # While pulls fail nobody knows what has arrived: that is one incident (failing), not two.
    if state.newest is None or state.failures:
        return _unknown(now, "no pull has brought a row yet" if state.newest is None else "the last pull failed")
    missing = _after(query, state.newest)
    was_due = _after(query, missing) + query.delay
    severity = _severity_of(late, now - was_due)
    if severity is None:
        return _fine(now)
    reason = f"{length(now - was_due)} late: nothing since the bucket of {state.newest:%Y-%m-%d %H:%M} UTC"
    return _bad(now, f"{reason}, the next one was due at {was_due:%H:%M} UTC", severity)


def _default_late(query: Query) -> Late:
    return Late(warning=max(3 * query.bucket.nominal, timedelta(hours=3)), critical=None)


def _severity_of(late: Late, by: timedelta) -> Severity | None:
    if late.critical is not None and by >= late.critical:
        return "critical"
    return "warning" if late.warning is not None and by >= late.warning else None


def _failing(query: Query, state: QueryState, now: datetime) -> Reading:
    if not state.failures:
        return _fine(now) if state.succeeded else _unknown(now, "not pulled yet")
    if state.failures < query.on_error.after:
        return _unknown(now, f"{count(state.failures, 'failed pull')} of {query.on_error.after}: {state.error}")
    return _bad(now, f"{count(state.failures, 'pull')} failed in a row: {state.error}", "warning")


def _empty(query: Query, state: QueryState, now: datetime) -> Reading:
    if state.newest is not None:
        return _fine(now)
    if state.succeeded is None or not is_backfilled(query, state, now):
        return _unknown(now, "the first pull has not ended")
    return _bad(now, f"no row in {length(query.history)} of history: check the table and the time condition", "warning")


def _schema(state: QueryState, now: datetime) -> Reading:
    return _bad(now, f"columns changed: {state.schema_change}", "warning") if state.schema_change else _fine(now)


def _judging(broken: Sequence[str], now: datetime) -> Reading:
    if not broken:
        return _fine(now)
    more = f", and {len(broken) - 1:,} more" if len(broken) > 1 else ""
    return _bad(now, f"{broken[0]}{more}", "warning")


def _advanced(
    subject: str,
    name: str,
    metric: str,
    kind: IncidentKind,
    reading: Reading,
    before: SeriesState | None,
    now: datetime,
) -> tuple[SeriesState | None, list[Transition]]:
    return advance(
        before,
        [reading],
        AT_ONCE,
        subject=subject,
        fingerprint=name,
        metric=metric,
        labels={},
        kind=kind,
        now=now,
    )


def _after(query: Query, start: datetime) -> datetime:
    return query.bucket.next(start, query.timezone)


def _fine(now: datetime) -> Reading:
    return Reading(now, "ok", detector="health")


def _unknown(now: datetime, reason: str) -> Reading:
    return Reading(now, "unknown", detector="health", reason=reason)


def _bad(now: datetime, reason: str, severity: Severity) -> Reading:
    return Reading(now, "anomaly", severity=severity, detector="health", reason=reason)
