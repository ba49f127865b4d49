"""Several detect entries, one reading: who speaks, who is stopped by a guard, and what nobody knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pytest

from alerting.core.incidents import Severity
from alerting.core.readings import Combined, combine
from config.model import Detect, Guard, Require
from detectors.contract import Bools, Detector, Event, Explanation, Panel, Verdicts

NAN = float("nan")
T0 = np.datetime64("2026-01-05T00", "us")
HOUR = np.timedelta64(1, "h")


class Silent(Detector):
    """A detector whose verdicts are written by hand in these tests."""

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        raise AssertionError("combining asks no detector: its verdicts are written by hand")

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        raise AssertionError("combining asks no detector for an explanation")


@dataclass(frozen=True)
class Say:
    """One entry's word on one point."""

    status: str
    score: float = NAN
    expected: float = NAN
    direction: int = 0
    reason: str = ""


SEASONAL = Detect("seasonal", "seasonal", Silent())
THRESHOLD = Detect("threshold", "threshold", Silent(), severity="critical")
FINE = Say("ok", 0.2, 100.0)
LOW = Say("anomaly", 1.4, 100.0, -1, "4 times the usual error")
UNSURE = Say("unknown", reason="12 of 40 buckets")


def verdicts(
    rows: Sequence[Sequence[Say]], observed: Sequence[Sequence[float]] | None = None, first: int = 0
) -> Verdicts:
    shape = (len(rows), len(rows[0]))

    def numbers(name: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        return np.array([[getattr(say, name) for say in row] for row in rows], dtype=float).reshape(shape)

    return Verdicts(
        times=T0 + (first + np.arange(len(rows))) * HOUR,
        observed=np.zeros(shape) if observed is None else np.array(observed, dtype=float),
        expected=numbers("expected"),
        lower=numbers("expected") - 10,
        upper=numbers("expected") + 10,
        score=numbers("score"),
        status=np.array([[say.status for say in row] for row in rows], dtype=object),
        direction=numbers("direction").astype(np.int8),
        reason=np.array([[say.reason for say in row] for row in rows], dtype=object),
    )


def panel(values: Sequence[Sequence[float]]) -> Panel:
    grid = np.array(values, dtype=float)
    labels = tuple({"country": name} for name in ("DE", "FR", "US")[: grid.shape[1]])
    return Panel(T0 + np.arange(len(grid)) * HOUR, grid, labels, "1h", "UTC")


def one(
    *said: tuple[Detect, Say],
    observed: float = 80.0,
    guard: Guard | None = None,
    better: str | None = "higher",
    require: Require = "any",
) -> Combined:
    return combine(
        [(detect, verdicts([[say]]), [0]) for detect, say in said],
        panel=panel([[observed]]),
        since=T0,
        guard=guard or Guard(),
        better=better,  # type: ignore[arg-type]  # "higher", "lower" or None, as the callers write it
        require=require,
    )


@pytest.mark.parametrize(
    ("said", "observed", "status", "detector", "reason"),
    [
        ([(SEASONAL, FINE)], 80.0, "ok", "seasonal", ""),
        ([(SEASONAL, LOW)], 80.0, "anomaly", "seasonal", "4 times the usual error"),
        ([(SEASONAL, UNSURE)], 80.0, "unknown", "seasonal", "12 of 40 buckets"),
        # one entry that knows is enough
        ([(SEASONAL, UNSURE), (THRESHOLD, FINE)], 80.0, "ok", "threshold", ""),
        ([(SEASONAL, UNSURE), (THRESHOLD, LOW)], 80.0, "anomaly", "threshold", "4 times the usual error"),
        # any anomaly wins over ok
        ([(SEASONAL, FINE), (THRESHOLD, LOW)], 80.0, "anomaly", "threshold", "4 times the usual error"),
        # the most severe wins over the higher score
        ([(SEASONAL, replace(LOW, score=1.9)), (THRESHOLD, LOW)], 80.0, "anomaly", "threshold", LOW.reason),
        # then the highest score, then the first
        (
            [(SEASONAL, LOW), (replace(SEASONAL, key="s-2"), replace(LOW, score=1.5))],
            80.0,
            "anomaly",
            "s-2",
            LOW.reason,
        ),
        ([(SEASONAL, LOW), (replace(SEASONAL, key="s-2"), LOW)], 80.0, "anomaly", "seasonal", LOW.reason),
        # an empty bucket is no data, unless a detector calls the gap an anomaly
        ([(SEASONAL, UNSURE)], NAN, "no_data", "seasonal", "no reading"),
        ([(SEASONAL, FINE)], NAN, "no_data", "seasonal", "no reading"),
        ([(SEASONAL, Say("anomaly", 1.2, reason="gap"))], NAN, "anomaly", "seasonal", "gap"),
        # nobody judges it
        ([], 80.0, "unknown", "", "no detect entry judges this series"),
        ([], NAN, "unknown", "", "no detect entry judges this series"),
    ],
)
def test_entries_speak_with_one_voice(
    said: list[tuple[Detect, Say]], observed: float, status: str, detector: str, reason: str
) -> None:
    reading = one(*said, observed=observed).reading(0, 0)
    assert (reading.status, reading.detector, reading.reason) == (status, detector, reason)


@pytest.mark.parametrize(
    ("critical", "fixed", "score", "severity"),
    [
        (2.0, None, 1.99, "warning"),
        (2.0, None, 2.0, "critical"),
        (None, None, 99.0, "warning"),
        (2.0, "info", 99.0, "info"),
        (2.0, "critical", 1.1, "critical"),
    ],
)
def test_severity_follows_the_score_unless_it_is_fixed(
    critical: float | None, fixed: Severity | None, score: float, severity: Severity
) -> None:
    detect = replace(SEASONAL, critical=critical, severity=fixed)
    assert one((detect, replace(LOW, score=score))).reading(0, 0).severity == severity


@pytest.mark.parametrize(
    ("guard", "better", "observed", "direction", "expected", "reason"),
    [
        (Guard(min_change=0.08), "higher", 96.0, -1, 100.0, "guard: 4 % < 8 %"),
        (Guard(min_change=0.08), "higher", 92.0, -1, 100.0, None),
        (Guard(min_change=0.08), "higher", -96.0, 1, -100.0, "guard: 4 % < 8 %"),
        (Guard(min_change=0.08), "higher", 5.0, 1, 0.0, None),
        (Guard(min_change=0.08), "higher", 5.0, 1, NAN, None),
        (Guard(min_difference=10), "higher", 96.0, -1, 100.0, "guard: 4 < 10"),
        (Guard(min_difference=4), "higher", 96.0, -1, 100.0, None),
        (Guard(direction="worse"), "higher", 120.0, 1, 100.0, "guard: up is not worse"),
        (Guard(direction="worse"), "higher", 80.0, -1, 100.0, None),
        (Guard(direction="worse"), "lower", 80.0, -1, 100.0, "guard: down is not worse"),
        (Guard(direction="worse"), None, 80.0, -1, 100.0, None),
        (Guard(direction="up"), None, 80.0, -1, 100.0, "guard: down is not up"),
        (Guard(direction="down"), None, 80.0, -1, 100.0, None),
        (Guard(direction="down"), None, NAN, 0, 100.0, None),
        # all guards must be met
        (Guard("worse", 0.08, 3.0), "higher", 96.0, -1, 100.0, "guard: 4 % < 8 %"),
        (Guard("worse", 0.03, 3.0), "higher", 96.0, -1, 100.0, None),
    ],
)
def test_a_guarded_anomaly_is_ok_and_says_so(
    guard: Guard,
    better: Literal["higher", "lower"] | None,
    observed: float,
    direction: int,
    expected: float,
    reason: str | None,
) -> None:
    say = Say("anomaly", 1.4, expected, direction, "low")
    reading = one((SEASONAL, say), observed=observed, guard=guard, better=better).reading(0, 0)
    assert (reading.status, reading.reason) == (("anomaly", "low") if reason is None else ("ok", reason))
    assert reading.score == 1.4


def test_a_guard_stops_each_entry_by_itself() -> None:
    stopped, passes = Say("anomaly", 9.0, 82.0, -1, "near"), Say("anomaly", 1.1, 200.0, -1, "far")
    reading = one((SEASONAL, stopped), (replace(SEASONAL, key="s-2"), passes), guard=Guard(min_change=0.08)).reading(
        0, 0
    )
    assert (reading.status, reading.detector, reading.expected) == ("anomaly", "s-2", 200.0)


SECOND, THIRD = replace(SEASONAL, key="s-2"), replace(SEASONAL, key="s-3")
STOPPED = replace(LOW, expected=82.0)


@pytest.mark.parametrize(
    ("require", "said", "status", "reason"),
    [
        ("any", [(SEASONAL, LOW), (SECOND, FINE)], "anomaly", LOW.reason),
        ("all", [(SEASONAL, LOW), (SECOND, FINE)], "ok", "require: 1 of 2 detectors needed"),
        ("all", [(SEASONAL, LOW), (SECOND, LOW)], "anomaly", LOW.reason),
        ("all", [(SEASONAL, LOW)], "anomaly", LOW.reason),
        (2, [(SEASONAL, LOW), (SECOND, FINE), (THIRD, LOW)], "anomaly", LOW.reason),
        (2, [(SEASONAL, LOW), (SECOND, FINE), (THIRD, FINE)], "ok", "require: 1 of 2 detectors needed"),
        # a number is meant as it is
        (2, [(SEASONAL, LOW)], "ok", "require: 1 of 2 detectors needed"),
        # who does not know does not agree, but may turn out to
        ("all", [(SEASONAL, LOW), (SECOND, UNSURE)], "unknown", "require: 1 of 2 detectors needed"),
        ("all", [(SEASONAL, LOW), (SECOND, UNSURE), (THIRD, FINE)], "ok", "require: 1 of 3 detectors needed"),
        ("all", [(SEASONAL, FINE), (SECOND, UNSURE)], "ok", ""),
        # whom a guard stops does not agree either
        (2, [(SEASONAL, LOW), (SECOND, STOPPED)], "ok", "require: 1 of 2 detectors needed"),
    ],
)
def test_an_anomaly_counts_where_enough_entries_say_so(
    require: Require, said: list[tuple[Detect, Say]], status: str, reason: str
) -> None:
    reading = one(*said, require=require, guard=Guard(min_change=0.08)).reading(0, 0)
    assert (reading.status, reading.reason) == (status, reason)


def test_the_loudest_of_those_who_agree_speaks() -> None:
    reading = one((SEASONAL, replace(LOW, score=1.9)), (THRESHOLD, LOW), require="all").reading(0, 0)
    assert (reading.detector, reading.severity) == ("threshold", "critical")


def test_all_means_all_entries_that_judge_the_series() -> None:
    combined = combine(
        [(SEASONAL, verdicts([[LOW, LOW, LOW]]), [0, 1, 2]), (THRESHOLD, verdicts([[FINE, LOW]]), [2, 0])],
        panel=panel([[80.0, 80.0, 80.0]]),
        since=T0,
        guard=Guard(),
        better=None,
        require="all",
    )
    assert [combined.reading(0, s).status for s in range(3)] == ["anomaly", "anomaly", "ok"]


def test_an_empty_bucket_that_too_few_call_a_gap_is_no_data() -> None:
    gap = Say("anomaly", 1.2, reason="gap")
    assert one((SEASONAL, gap), (SECOND, UNSURE), observed=NAN, require="all").reading(0, 0).status == "no_data"


def test_an_entry_narrowed_to_some_series_leaves_the_others_alone() -> None:
    combined = combine(
        [
            (SEASONAL, verdicts([[FINE, FINE, FINE]] * 2), [0, 1, 2]),
            (THRESHOLD, verdicts([[LOW, LOW]] * 2), [2, 0]),
        ],
        panel=panel([[80.0, 80.0, 80.0]] * 2),
        since=T0,
        guard=Guard(),
        better=None,
    )
    statuses = [[combined.reading(j, s).status for s in range(3)] for j in range(2)]
    assert statuses == [["anomaly", "ok", "anomaly"]] * 2
    assert combined.reading(1, 2).reason == LOW.reason


def test_an_entry_that_began_later_says_nothing_of_earlier_buckets() -> None:
    combined = combine(
        [(SEASONAL, verdicts([[FINE]] * 2, first=2), [0])],
        panel=panel([[80.0]] * 4),
        since=T0 + HOUR,
        guard=Guard(),
        better=None,
    )
    assert [combined.reading(j, 0).status for j in range(3)] == ["unknown", "ok", "ok"]
    assert [bucket.hour for bucket in combined.buckets] == [1, 2, 3]


def test_verdicts_before_since_are_left_out() -> None:
    combined = combine(
        [(SEASONAL, verdicts([[LOW], [FINE]]), [0])],
        panel=panel([[80.0]] * 2),
        since=T0 + HOUR,
        guard=Guard(),
        better=None,
    )
    assert combined.status.shape == (1, 1)
    assert combined.reading(0, 0).status == "ok"


def test_a_reading_carries_the_numbers_of_the_entry_that_speaks() -> None:
    reading = one((SEASONAL, FINE), (THRESHOLD, LOW)).reading(0, 0)
    assert (reading.observed, reading.expected, reading.lower, reading.upper) == (80.0, 100.0, 90.0, 110.0)
    assert (reading.score, reading.direction, reading.bucket.isoformat()) == (1.4, -1, "2026-01-05T00:00:00+00:00")


def on_days(*events: Event, said: Sequence[Say] = (LOW, LOW, FINE, UNSURE)) -> Combined:
    values = [[80.0], [80.0], [100.0], [NAN]]
    return combine(
        [(SEASONAL, verdicts([[say] for say in said]), [0])],
        panel=replace(panel(values), events=events),
        since=T0,
        guard=Guard(),
        better=None,
    )


def active(*hours: int) -> Bools:
    return np.isin(np.arange(4), hours)


def test_an_anomaly_on_a_muted_day_holds_and_names_the_day() -> None:
    found = on_days(Event("Thanksgiving Day", "mute", active(1, 2, 3), "us"), Event("Sale", "mute", active(1), "shop"))
    readings = [found.reading(j, 0) for j in range(4)]
    assert [one.status for one in readings] == ["anomaly", "unknown", "ok", "unknown"]
    assert [one.reason for one in readings] == [
        LOW.reason,
        "muted by calendar us: Thanksgiving Day; shop: Sale",
        "",
        "muted by calendar us: Thanksgiving Day",
    ]
    assert [one.score for one in readings[:2]] == [LOW.score, LOW.score], "what was judged stays"
    assert [one.calendar for one in readings[:2]] == ["", "Thanksgiving Day, Sale"]


@pytest.mark.parametrize("effect", ["model", "widen", "annotate"])
def test_days_of_other_effects_are_named_and_change_nothing(effect: Literal["model", "widen", "annotate"]) -> None:
    found = on_days(Event("Sale", effect, active(0), "shop"))
    assert [found.reading(j, 0).status for j in range(4)] == ["anomaly", "anomaly", "ok", "no_data"]
    assert [found.reading(j, 0).calendar for j in range(2)] == ["Sale", ""]


def test_a_part_of_combined_readings_keeps_its_days() -> None:
    found = on_days(Event("Sale", "mute", active(1), "shop"))
    assert found.part(1, 2).reading(0, 0) == found.reading(1, 0)


def test_days_before_since_are_left_out() -> None:
    event = Event("Sale", "mute", active(1), "shop")
    found = combine(
        [(SEASONAL, verdicts([[LOW]] * 4), [0])],
        panel=replace(panel([[80.0]] * 4), events=(event,)),
        since=T0 + HOUR,
        guard=Guard(),
        better=None,
    )
    assert [found.reading(j, 0).status for j in range(3)] == ["unknown", "anomaly", "anomaly"]
