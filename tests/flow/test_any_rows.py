"""Whatever rows a warehouse brings: a result that is refused by its query's name, or verdicts that claim no more."""

from __future__ import annotations

from datetime import date, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.core.panels import panel
from alerting.warehouse.errors import SourceError
from config.model import Metric
from detectors import UNKNOWN
from detectors.threshold import Threshold
from tests.figures import Figure
from tests.warehouse.test_readings import DAY, HOURLY, table, taken

CASES = 1_300
HOURS = 24
START = DAY.since
NUMBERS = st.floats() | st.integers() | st.booleans()
DECIMALS = st.decimals(allow_nan=True, allow_infinity=True) | st.none()
STRANGE = st.sampled_from(["", "12", "nan", b"1", [1], 1j, timedelta(1), date(2026, 1, 5), "\ud800"])
ON_TIME = st.integers(0, HOURS - 1).map(lambda hour: START + timedelta(hours=hour))
ZONES = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
MIXED = st.one_of(
    ON_TIME,
    st.builds(lambda at, zone: at.astimezone(zone), ON_TIME, ZONES),
    st.builds(lambda at, zone: at.astimezone(zone).isoformat(), ON_TIME, ZONES),
    ON_TIME.map(lambda at: at.replace(tzinfo=None)),
    ON_TIME.map(lambda at: int(at.timestamp())),
)
NO_TIMES = st.sampled_from([None, "noon", True, float("nan"), float("inf"), 10**18, b"", [1], Decimal("sNaN")])
Rows = list[tuple[object, object]]


def once(values: st.SearchStrategy[object], times: st.SearchStrategy[object] = ON_TIME) -> st.SearchStrategy[Rows]:
    """Rows in any order, with gaps, none at all too; no bucket twice."""
    return st.lists(st.tuples(times, values), max_size=HOURS, unique_by=lambda row: str(row[0]))


KINDS: dict[str, st.SearchStrategy[Rows]] = {
    "NaN, inf, large": once(NUMBERS),
    "None and Decimal": once(DECIMALS),
    "strings and worse": once(NUMBERS | STRANGE),
    "duplicates": st.lists(st.tuples(ON_TIME, NUMBERS), max_size=12).map(lambda rows: [*rows, *rows[:1]]),
    "mixed zones": once(NUMBERS, MIXED),
    "no times": once(NUMBERS, MIXED | NO_TIMES),
    "constant": st.builds(lambda rows, value: [(at, value) for at, _ in rows], once(st.none()), NUMBERS | DECIMALS),
    "gaps and empty": st.lists(st.tuples(ON_TIME, st.none() | NUMBERS), max_size=3, unique_by=lambda row: row[0]),
}


def is_number(value: object) -> bool:
    """Whether this cell is a reading."""
    if not isinstance(value, bool | int | float | Decimal) or (isinstance(value, Decimal) and not value.is_finite()):
        return False
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_any_rows_are_refused_by_name_or_judged_as_far_as_they_say_something(kind: str, figure: Figure) -> None:
    seen = {"judged": 0, "refused": 0}

    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(rows=KINDS[kind])
    def holds(rows: Rows) -> None:
        seen["refused" if is_refused(rows) else "judged"] += 1

    holds()
    assert sum(seen.values()) >= CASES
    figure("T19", f"{kind}: {seen['judged']:,} judged, {seen['refused']:,} refused by name, 0 silently fine")


def is_refused(rows: Rows) -> bool:
    """From rows to verdicts; what could not be read is unknown, and what is unknown could not be read."""
    metric = Metric("shop.orders", "orders_hourly", "n", (), None)
    try:
        found = taken(table(time=[at for at, _ in rows], n=[value for _, value in rows]))
    except SourceError as refusal:
        if "orders_hourly" not in str(refusal):
            raise
        return True
    series = panel(metric, HOURLY, found.block, since=START, until=DAY.until)
    verdicts = Threshold(below=50).judge(series, since=series.times[0])
    is_unknown = np.asarray(verdicts.status == UNKNOWN)
    assert np.isnan(series.values[is_unknown]).all()
    assert is_unknown[np.isnan(series.values)].all(), "no reading is never ok"
    assert int((~np.isnan(series.values)).sum()) == sum(is_number(value) for _, value in rows)
    return False
