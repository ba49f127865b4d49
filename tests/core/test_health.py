"""What is wrong with a query, and when it is looked at again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerting.core.health import (
    QueryState,
    due,
    file_fingerprint,
    is_backfilled,
    judge,
    judge_file,
    readings,
    retry_delay,
)
from alerting.core.incidents import SeriesState, Status
from config.model import Late, OnError, Query, Restate
from detectors.buckets import Bucket

H = timedelta(hours=1)
M = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = at("2026-03-10T12:00")
QUERY = Query(
    name="orders_hourly",
    source="shop",
    sql="SELECT 1",
    bucket=Bucket.parse("1h"),
    timezone="UTC",
    delay=20 * M,
    late=Late(90 * M, 3 * H),
    history=timedelta(days=30),
    on_error=OnError(3, ("data-ops",)),
)
STATE = QueryState(
    name="orders_hourly",
    digest=QUERY.digest,
    added=at("2026-01-01T00:00"),
    watermark=NOON,
    backfilled=at("2026-01-01T00:00"),
    newest=NOON - H,
    attempted=NOON + 20 * M,
    succeeded=NOON + 20 * M,
)


def said(
    query: Query, state: QueryState, now: datetime, kind: str, *, zero_filled: bool = False
) -> tuple[str, str, str]:
    reading = readings(query, state, now, zero_filled=zero_filled)[kind]  # type: ignore[index]  # a kind, as the tables write it
    return reading.status, reading.severity, reading.reason


# The newest row is of 11:00; the bucket of 12:00 ends at 13:00 and is due at 13:20.
@pytest.mark.parametrize(
    ("now", "late", "zero_filled", "status", "severity"),
    [
        (NOON, QUERY.late, False, "ok", "warning"),
        (NOON + 80 * M + 89 * M, QUERY.late, False, "ok", "warning"),
        (NOON + 80 * M + 90 * M, QUERY.late, False, "anomaly", "warning"),
        (NOON + 80 * M + 3 * H, QUERY.late, False, "anomaly", "critical"),
        (NOON + 80 * M + 3 * H, Late(90 * M, None), False, "anomaly", "warning"),
        (NOON + 80 * M + 2 * H, Late(None, 3 * H), False, "ok", "warning"),
        (NOON + 80 * M + 3 * H, Late(None, 3 * H), False, "anomaly", "critical"),
        # without `late`: a warning after max(3 buckets, 3 hours)
        (NOON + 80 * M + 179 * M, None, False, "ok", "warning"),
        (NOON + 80 * M + 180 * M, None, False, "anomaly", "warning"),
        # where every metric fills zeros, empty hours are normal unless somebody wrote `late`
        (NOON + 80 * M + 30 * H, None, True, "ok", "warning"),
        (NOON + 80 * M + 90 * M, QUERY.late, True, "anomaly", "warning"),
    ],
)
def test_a_query_is_late_when_a_bucket_that_was_due_has_no_row(
    now: datetime, late: Late | None, zero_filled: bool, status: str, severity: str
) -> None:
    found = said(replace(QUERY, late=late), STATE, now, "late", zero_filled=zero_filled)
    assert found[:2] == (status, severity)


def test_lateness_says_how_late_and_since_when() -> None:
    assert said(QUERY, STATE, NOON + 80 * M + 3 * H, "late")[2] == (
        "3 h late: nothing since the bucket of 2026-03-10 11:00 UTC, the next one was due at 13:20 UTC"
    )


def test_wide_buckets_may_be_three_buckets_late_by_default() -> None:
    daily = replace(QUERY, bucket=Bucket.parse("1d"), late=None)
    state = replace(STATE, newest=at("2026-03-09T00:00"))
    # The day of the 10th ends on the 11th and is due 20 minutes later.
    assert said(daily, state, at("2026-03-14T00:19"), "late")[0] == "ok"
    assert said(daily, state, at("2026-03-14T00:20"), "late")[0] == "anomaly"


def test_while_pulls_fail_nobody_knows_whether_the_data_is_late() -> None:
    failing = replace(STATE, failures=1, error="connection refused")
    assert said(QUERY, failing, NOON + 30 * H, "late")[0] == "unknown"


@pytest.mark.parametrize(
    ("failures", "status", "reason"),
    [
        (0, "ok", ""),
        (2, "unknown", "2 failed pulls of 3: connection refused"),
        (3, "anomaly", "3 pulls failed in a row: connection refused"),
        (9, "anomaly", "9 pulls failed in a row: connection refused"),
    ],
)
def test_a_query_fails_after_as_many_attempts_as_on_error_says(failures: int, status: str, reason: str) -> None:
    state = replace(STATE, failures=failures, error="connection refused")
    assert said(QUERY, state, NOON, "failing") == (status, "warning", reason)


def test_a_first_pull_without_any_row_is_empty_only_when_it_has_reached_all_of_history() -> None:
    state = replace(STATE, newest=None, backfilled=NOON - timedelta(days=7))
    assert said(QUERY, state, NOON, "empty")[0] == "unknown"
    everything = replace(state, backfilled=NOON - timedelta(days=30))
    assert said(QUERY, everything, NOON, "empty") == (
        "anomaly",
        "warning",
        "no row in 30 d of history: check the table and the time condition",
    )
    assert said(QUERY, replace(everything, succeeded=None), NOON, "empty")[0] == "unknown"
    assert said(QUERY, STATE, NOON, "empty")[0] == "ok"


def test_a_schema_change_is_told_until_it_is_gone() -> None:
    changed = replace(STATE, schema_change="column revenue is gone")
    assert said(QUERY, changed, NOON, "schema") == ("anomaly", "warning", "columns changed: column revenue is gone")
    assert said(QUERY, STATE, NOON, "schema")[0] == "ok"


def test_a_health_incident_opens_at_once_rises_and_ends_at_once() -> None:
    series: dict[str, SeriesState] = {}
    story = []
    for now, state in (
        (NOON, STATE),
        (NOON + 80 * M + 2 * H, STATE),
        (NOON + 80 * M + 3 * H, STATE),
        (NOON + 80 * M + 4 * H, STATE),
        (NOON + 6 * H, replace(STATE, newest=NOON + 5 * H)),
    ):
        changed, transitions = judge(QUERY, state, series, now)
        series |= {item.fingerprint: item for item in changed}
        story += [(told.after, told.severity_rose, told.incident) for told in transitions]
    assert [(after, rose) for after, rose, _ in story] == [
        (Status.FIRING, False),
        (Status.FIRING, True),
        (Status.RESOLVED, False),
    ]
    incident = story[-1][2]
    assert incident is not None
    assert (incident.kind, incident.subject, incident.metric) == ("late", "query:orders_hourly", "orders_hourly")
    assert incident.severity == "critical"


def test_each_kind_is_an_incident_of_its_own() -> None:
    broken = replace(STATE, failures=3, error="refused", schema_change="column revenue is gone")
    changed, transitions = judge(QUERY, broken, {}, NOON)
    assert {told.incident.kind for told in transitions if told.incident} == {"failing", "schema"}
    assert len({state.fingerprint for state in changed}) == 2


def test_a_healthy_query_leaves_no_trace() -> None:
    assert judge(QUERY, STATE, {}, NOON) == ([], [])


def test_one_moment_is_judged_once() -> None:
    late = NOON + 80 * M + 2 * H
    changed, _ = judge(QUERY, STATE, {}, late)
    assert judge(QUERY, STATE, {state.fingerprint: state for state in changed}, late) == ([], [])


def test_a_file_that_does_not_load_is_one_incident_until_it_does() -> None:
    state, (opened,) = judge_file("metrics/shop.yaml", "line 3: unknown key", None, NOON)
    assert state is not None
    assert opened.incident is not None
    assert (opened.incident.subject, opened.incident.kind) == ("config:metrics/shop.yaml", "config")
    assert opened.incident.last.reason == "line 3: unknown key"
    assert state.fingerprint == file_fingerprint("metrics/shop.yaml")
    same, nothing = judge_file("metrics/shop.yaml", "line 3: unknown key", state, NOON + M)
    assert nothing == []
    _, (ended,) = judge_file("metrics/shop.yaml", "", same, NOON + 2 * M)
    assert ended.after is Status.RESOLVED
    assert judge_file("metrics/shop.yaml", "", None, NOON) == (None, [])


@pytest.mark.parametrize(
    ("bucket", "minutes"),
    [("1h", [1, 2, 4, 8, 15, 15, 15]), ("5m", [1, 2, 4, 5, 5]), ("1m", [1, 1, 1]), ("1d", [1, 2, 4, 8, 15, 15])],
)
def test_failed_pulls_back_off_up_to_a_bucket_or_fifteen_minutes(bucket: str, minutes: list[int]) -> None:
    waits = [retry_delay(Bucket.parse(bucket), failures) for failures in range(1, len(minutes) + 1)]
    assert waits == [minute * M for minute in minutes]
    assert retry_delay(Bucket.parse("1h"), 10_000) == 15 * M


@pytest.mark.parametrize(
    ("query", "state", "expected"),
    [
        # never pulled: due since it was added
        (QUERY, replace(STATE, attempted=None), STATE.added),
        # the bucket of 12:00 ends at 13:00, and its delay is 20 minutes
        (QUERY, STATE, NOON + 80 * M),
        # pulled after that, but nothing had arrived: look again every five minutes
        (QUERY, replace(STATE, attempted=NOON + 81 * M), NOON + 86 * M),
        (QUERY, replace(STATE, attempted=NOON + 80 * M), NOON + 85 * M),
        (
            replace(QUERY, bucket=Bucket.parse("1m"), delay=0 * M),
            replace(STATE, attempted=NOON + 5 * M, succeeded=NOON + 5 * M),
            NOON + 6 * M,
        ),
        # readings were stored and nothing was recorded: the evaluation died
        (QUERY, replace(STATE, attempted=NOON + 5 * M), NOON + 5 * M),
        # restatement comes first where it is due first
        (
            replace(QUERY, restate=Restate(48 * H, 6 * H)),
            replace(STATE, restated=NOON - 5 * H - 30 * M),
            NOON + 30 * M,
        ),
        (replace(QUERY, restate=Restate(48 * H, 6 * H)), replace(STATE, restated=NOON), NOON + 80 * M),
        # after a failure only the back-off counts
        (QUERY, replace(STATE, failures=1), NOON + 21 * M),
        (QUERY, replace(STATE, failures=5), NOON + 35 * M),
        # the rest of an unfinished first pull follows soon
        (QUERY, replace(STATE, backfilled=NOON - timedelta(days=7)), NOON + 21 * M),
        (QUERY, replace(STATE, watermark=None, backfilled=None), NOON + 21 * M),
        # a calendar bucket ends when the local day does: 23 hours on the day of the clock change
        (
            replace(QUERY, bucket=Bucket.parse("1d"), timezone="Europe/Berlin"),
            replace(STATE, watermark=at("2026-03-28T23:00"), attempted=at("2026-03-28T23:20")),
            at("2026-03-29T22:20"),
        ),
    ],
)
def test_a_query_is_due_when_something_new_can_be_there(query: Query, state: QueryState, expected: datetime) -> None:
    assert due(query, state, max(NOON + 30 * M, state.attempted or NOON + 30 * M)) == expected


def test_after_the_clock_was_set_back_a_query_is_due_at_once_and_looked_at_often() -> None:
    ahead = replace(STATE, attempted=NOON + 240 * H, succeeded=NOON + 240 * H, watermark=NOON + H)
    assert due(QUERY, ahead, NOON) == NOON
    assert due(QUERY, replace(ahead, attempted=NOON, succeeded=NOON), NOON) == NOON + timedelta(minutes=5)


def test_history_is_reached_to_within_a_bucket_and_grows_with_its_setting() -> None:
    reached = replace(STATE, backfilled=NOON - timedelta(days=30))
    assert is_backfilled(QUERY, reached, NOON)
    assert is_backfilled(QUERY, reached, NOON + 100 * H)
    assert not is_backfilled(replace(QUERY, history=timedelta(days=400)), reached, NOON)
    assert not is_backfilled(QUERY, replace(STATE, backfilled=None), NOON)
