"""What every detector owes: checks that a registered detector passes, or is exempted from with a written reason.

Use it for your own: ``for check in CHECKS: check(MyDetector(...))``; a failed check raises AssertionError.
Run the checks with warnings as errors: a detector that warns pages nobody, but fills the log.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import ANOMALY, OK, UNKNOWN, Detector, Panel, Verdicts
from detectors.buckets import Bucket
from detectors.contract import Floats, Instants

Check = Callable[[Detector], None]
NUMBERS = ("expected", "lower", "upper", "score")
TOLERANCE = 1e-9


def panel(bucket: str = "3h", timezone: str = "Europe/Berlin", days: int = 33) -> Panel:
    """Three seasonal series with a spike, a drop and holes, over the clock change of 25 October 2026."""
    until = datetime(2026, 11, 2, tzinfo=UTC)
    since = datetime.fromtimestamp(until.timestamp() - days * 86_400, UTC)
    times = Bucket.parse(bucket).starts(since, until, timezone)
    rng = np.random.default_rng(3)
    days_passed = (times - times[0]) / np.timedelta64(1, "D")
    daily = 40 * np.sin(2 * np.pi * days_passed)[:, None] + 10 * np.sin(2 * np.pi * days_passed / 7)[:, None]
    values = 300 + daily * [1, 2, 0] + rng.normal(0, 4, (len(times), 3))
    values[-7, 0], values[-5, 1] = 1500, 2
    values[len(times) // 2 : len(times) // 2 + 5, 2] = np.nan
    values[-3, 2] = np.nan
    labels: tuple[dict[str, str], ...] = ({"country": "DE"}, {"country": "US"}, {})
    values.flags.writeable = False
    return Panel(times, values, labels, bucket, timezone)


def judged(detector: Detector, given: Panel, rows: int = 24, state: bytes | None = None) -> Verdicts:
    """The verdicts of the last ``rows`` buckets."""
    return detector.judge(given, since=given.times[max(0, len(given.times) - rows)], state=state)


def with_values(given: Panel, values: Floats) -> Panel:
    return replace(given, values=values)


def rows_of(given: Panel, begin: int, end: int | None = None) -> Panel:
    return replace(given, times=given.times[begin:end], values=given.values[begin:end])


def series_of(given: Panel, order: list[int]) -> Panel:
    return replace(given, values=given.values[:, order], labels=tuple(given.labels[k] for k in order))


def assert_same(one: Verdicts, other: Verdicts, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_array_equal(one.times, other.times)
    np.testing.assert_array_equal(one.status, other.status)
    np.testing.assert_array_equal(one.direction, other.direction)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=tolerance, atol=tolerance)


def part(verdicts: Verdicts, rows: slice, series: list[int] | slice = slice(None)) -> Verdicts:
    return _mapped(lambda name: getattr(verdicts, name)[rows][:, series], verdicts.times[rows])


def stacked(parts: list[Verdicts]) -> Verdicts:
    times = np.concatenate([one.times for one in parts])
    return _mapped(lambda name: np.concatenate([getattr(one, name) for one in parts]), times)


def _mapped(pick: Callable[[str], NDArray[Any]], times: Instants) -> Verdicts:
    return Verdicts(
        times=times,
        observed=pick("observed"),
        expected=pick("expected"),
        lower=pick("lower"),
        upper=pick("upper"),
        score=pick("score"),
        status=pick("status"),
        direction=pick("direction"),
        reason=pick("reason"),
    )


def shapes_and_words_are_those_of_the_contract(detector: Detector) -> None:
    given = panel()
    found = judged(detector, given)
    np.testing.assert_array_equal(found.times, given.times[-24:])
    np.testing.assert_array_equal(found.observed, given.values[-24:])
    for name in (*NUMBERS, "status", "direction", "reason"):
        assert getattr(found, name).shape == (24, 3), name
    assert set(np.unique(found.status.astype(str))) <= {OK, ANOMALY, UNKNOWN}
    assert isinstance(found.state, bytes)


def an_anomaly_is_a_score_above_one_with_a_direction_and_a_reason(detector: Detector) -> None:
    found = judged(detector, panel())
    anomalous = found.status == ANOMALY
    assert anomalous.any(), "the suite's spike or drop is found with these parameters"
    np.testing.assert_array_equal(anomalous, found.score > 1)
    np.testing.assert_array_equal(anomalous, found.direction != 0)
    assert all(reason.strip() for reason in found.reason[found.status != OK])


def no_reading_is_unknown_and_its_numbers_are_not_known(detector: Detector) -> None:
    found = judged(detector, panel())
    assert found.status[-3, 2] == UNKNOWN
    assert found.reason[-3, 2]
    unknown = found.status == UNKNOWN
    for name in NUMBERS:
        assert np.isnan(getattr(found, name)[unknown]).all(), name
    assert np.isfinite(found.score[~unknown]).all()
    assert np.isfinite(found.expected[~unknown]).all()


def a_verdict_depends_on_its_bucket_and_those_before(detector: Detector) -> None:
    given = panel()
    whole = judged(detector, given)
    for kept, wreck in ((6, 1e6), (11, np.nan), (17, 0.0), (23, -5e3)):
        values = given.values.copy()
        cut = len(values) - 24 + kept
        values[cut:] = wreck
        assert_same(part(judged(detector, with_values(given, values)), slice(0, kept)), part(whole, slice(0, kept)))
        assert_same(judged(detector, rows_of(given, 0, cut), kept), part(whole, slice(0, kept)))


def adding_a_constant_changes_no_score(detector: Detector) -> None:
    given = panel()
    whole = judged(detector, given)
    for constant in (-300.0, 12_345.0):
        moved = judged(detector, with_values(given, given.values + constant))
        np.testing.assert_allclose(moved.score, whole.score, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(moved.status, whole.status)


def scaling_by_a_positive_factor_changes_no_score(detector: Detector) -> None:
    given = panel()
    whole = judged(detector, given)
    for factor in (1e-15, 0.37, 1e15):
        scaled = judged(detector, with_values(given, given.values * factor))
        np.testing.assert_allclose(scaled.score, whole.score, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(scaled.status, whole.status)


def a_constant_series_is_no_anomaly_of_its_own_past(detector: Detector) -> None:
    given = panel()
    typical = np.full(given.values.shape, 300.0)
    assert not (judged(detector, with_values(given, typical)).status == ANOMALY).any()


def huge_and_tiny_values_are_judged_or_unknown(detector: Detector) -> None:
    given = panel()
    for size in (1e15, 1e-15, 1e300, 0.0, -1e15):
        found = judged(detector, with_values(given, given.values * size))
        assert not np.isinf([getattr(found, name) for name in NUMBERS]).any()
        np.testing.assert_array_equal(np.isnan(found.score), found.status == UNKNOWN)


def infinities_are_no_readings(detector: Detector) -> None:
    given = panel()
    holes, infinite = given.values.copy(), given.values.copy()
    holes[-40:-20:3], infinite[-40:-20:3] = np.nan, np.inf
    assert_same(judged(detector, with_values(given, infinite)), judged(detector, with_values(given, holes)))


def one_bucket_no_bucket_and_no_series_are_panels(detector: Detector) -> None:
    given = panel()
    assert judged(detector, rows_of(given, 0, 1)).status.shape == (1, 3)
    nothing = rows_of(given, 0, 0)
    assert detector.judge(nothing, since=given.times[0]).status.shape == (0, 3)
    assert judged(detector, series_of(given, [])).status.shape == (24, 0)
    beyond = given.times[-1] + np.timedelta64(1, "D")
    assert detector.judge(given, since=beyond).status.shape == (0, 3)
    all_missing = judged(detector, with_values(given, np.full(given.values.shape, np.nan)))
    assert (all_missing.status == UNKNOWN).all()


def the_order_of_series_changes_nothing(detector: Detector) -> None:
    given = panel()
    turned = judged(detector, series_of(given, [2, 0, 1]))
    assert_same(turned, part(judged(detector, given), slice(None), [2, 0, 1]))


def chunks_of_series_change_nothing(detector: Detector) -> None:
    given = panel()
    whole = judged(detector, given)
    assert_same(judged(detector, series_of(given, [0])), part(whole, slice(None), [0]))
    assert_same(judged(detector, series_of(given, [1, 2])), part(whole, slice(None), [1, 2]))


def bucket_by_bucket_equals_one_go(detector: Detector) -> None:
    for given in _panels_of_many_zones():
        whole = judged(detector, given, 16)
        count = len(given.times)
        single = [judged(detector, rows_of(given, 0, end), 1) for end in range(count - 15, count + 1)]
        assert_same(stacked(single), whole)


def any_beginning_equals_one_go(detector: Detector) -> None:
    given = panel()
    whole = judged(detector, given, len(given.times))
    for rows in (1, 7, 60):
        assert_same(judged(detector, given, rows), part(whole, slice(len(given.times) - rows, None)))


def saved_state_equals_one_go(detector: Detector) -> None:
    for given in _panels_of_many_zones():
        whole = judged(detector, given, 20)
        begin = len(given.times) - 20
        found = detector.judge(rows_of(given, 0, begin), since=given.times[begin - 1])
        parts = []
        for row in range(begin, len(given.times)):
            found = detector.judge(
                _with_enough(detector, given, row, found.state), since=given.times[row], state=found.state or None
            )
            parts.append(found)
        assert_same(stacked(parts), whole)


def a_panel_cut_to_its_history_equals_all_of_it(detector: Detector) -> None:
    given = panel(days=130)
    whole = judged(detector, given, 10)
    begin = int(np.searchsorted(given.times, given.times[-10] - detector.history(given.bucket)))
    assert begin > 0, "the suite's long panel is longer than the history"
    assert_same(judged(detector, rows_of(given, begin), 10), whole)


def a_restated_reading_counts_more_than_the_state(detector: Detector) -> None:
    given = panel()
    state = judged(detector, given).state
    values = given.values.copy()
    values[-60:-20] += 150
    restated = with_values(given, values)
    assert_same(judged(detector, restated, 24, state or None), judged(detector, restated, 24))


def a_damaged_or_foreign_state_is_no_state(detector: Detector) -> None:
    given = panel()
    whole = judged(detector, given)
    foreign = judged(detector, panel("1h", "UTC", 9)).state
    for state in (b"", b"{", b"\x00\xff" * 40, foreign):
        assert_same(judged(detector, given, 24, state), whole)


def masked_readings_teach_nothing_and_are_judged(detector: Detector) -> None:
    given = panel()
    masked = np.zeros(given.values.shape, dtype=bool)
    masked[-80:-30] = True
    wrecked = given.values.copy()
    wrecked[-80:-30] *= 7
    quiet = replace(given, masked=masked)
    assert_same(judged(detector, replace(quiet, values=wrecked)), judged(detector, quiet))
    masked = np.zeros(given.values.shape, dtype=bool)
    masked[-1] = True
    assert_same(judged(detector, replace(given, masked=masked), 1), judged(detector, given, 1))


def nothing_given_is_changed(detector: Detector) -> None:
    given = panel()
    before = pickle.dumps((given.times, given.values))
    parameters = detector.model_dump()
    judged(detector, given)
    detector.explain(given, 0, given.times[-7])
    assert pickle.dumps((given.times, given.values)) == before
    assert detector.model_dump() == parameters


def explain_agrees_with_judge_and_adds_up(detector: Detector) -> None:
    given = panel()
    found = judged(detector, given, 8)
    for row in range(8):
        for series in range(3):
            told = detector.explain(given, series, found.times[row])
            assert told.status == found.status[row, series]
            assert told.reason == found.reason[row, series]
            for name in NUMBERS:
                np.testing.assert_allclose(getattr(told, name), getattr(found, name)[row, series], rtol=1e-9)
            if told.status != UNKNOWN:
                total = told.level + sum(told.seasons.values()) + told.calendar + told.residual
                np.testing.assert_allclose(total, given.values[len(given.times) - 8 + row, series], rtol=TOLERANCE)


def lower_and_upper_are_where_the_score_is_one(detector: Detector) -> None:
    given = panel()
    found = judged(detector, given, 1)
    for bound in (found.lower, found.upper):
        values = given.values.copy()
        values[-1] = np.where(np.isnan(bound[0]), values[-1], bound[0])
        score = judged(detector, with_values(given, values), 1).score
        np.testing.assert_allclose(score[~np.isnan(bound)], 1, rtol=1e-6)


def every_width_and_zone_is_judged(detector: Detector) -> None:
    widths = (("1m", 1), ("5m", 4), ("30m", 5), ("12h", 60), ("1d", 90), ("1w", 400), ("1mo", 900))
    for bucket, days in widths:
        found = judged(detector, panel(bucket, "Australia/Lord_Howe", days), 5)
        assert found.status.shape == (5, 3), bucket


def it_is_documented_and_a_value(detector: Detector) -> None:
    kind = type(detector)
    assert (kind.__doc__ or "").strip(), "the class says what it does"
    for name, field in kind.model_fields.items():
        assert field.description, f"{name} has no description: that text is the manual"
    assert kind.model_validate_json(detector.model_dump_json()) == detector
    assert pickle.loads(pickle.dumps(detector)) == detector
    assert detector.history("1h") >= np.timedelta64(0, "us")


def _panels_of_many_zones() -> Iterator[Panel]:
    """Zones with a clock change of half an hour, an offset of 45 minutes, and one that changes at midnight."""
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"):
        yield panel("3h", zone)


def _with_enough(detector: Detector, given: Panel, row: int, state: bytes) -> Panel:
    """Only the bucket after the last judged one; a detector that keeps no state gets its history instead."""
    if state:
        return rows_of(given, row, row + 1)
    begin = int(np.searchsorted(given.times, given.times[row] - detector.history(given.bucket)))
    return rows_of(given, begin, row + 1)


CHECKS: tuple[Check, ...] = (
    shapes_and_words_are_those_of_the_contract,
    an_anomaly_is_a_score_above_one_with_a_direction_and_a_reason,
    no_reading_is_unknown_and_its_numbers_are_not_known,
    a_verdict_depends_on_its_bucket_and_those_before,
    adding_a_constant_changes_no_score,
    scaling_by_a_positive_factor_changes_no_score,
    a_constant_series_is_no_anomaly_of_its_own_past,
    huge_and_tiny_values_are_judged_or_unknown,
    infinities_are_no_readings,
    one_bucket_no_bucket_and_no_series_are_panels,
    the_order_of_series_changes_nothing,
    chunks_of_series_change_nothing,
    bucket_by_bucket_equals_one_go,
    any_beginning_equals_one_go,
    saved_state_equals_one_go,
    a_panel_cut_to_its_history_equals_all_of_it,
    a_restated_reading_counts_more_than_the_state,
    a_damaged_or_foreign_state_is_no_state,
    masked_readings_teach_nothing_and_are_judged,
    nothing_given_is_changed,
    explain_agrees_with_judge_and_adds_up,
    lower_and_upper_are_where_the_score_is_one,
    every_width_and_zone_is_judged,
    it_is_documented_and_a_value,
)
