"""What every detector owes whatever the panel: hypothesis looks for one where it does not.

Shapes, causality, invariances, missing and extreme readings; like ``conformance.CHECKS``, to be run on your own.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors import ANOMALY, OK, UNKNOWN, Detector, Panel
from tests.detectors.conformance import NUMBERS, Check, assert_same, judged, part, rows_of, series_of, with_values

BUCKETS = {"15m": 900, "1h": 3600, "6h": 21_600}
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana")
FEW = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    """Up to three series of noise, counts, steps or constants with holes and spikes, over a change of the clock."""
    bucket = draw(st.sampled_from(sorted(BUCKETS)))
    rows, series = draw(st.integers(1, 260)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    laws = {
        "noise": random.normal(100, 10, (rows, series)),
        "counts": random.poisson(3.0, (rows, series)).astype(float),
        "waves": 100 + 40 * np.sin(np.arange(rows)[:, None] * BUCKETS[bucket] * 2 * np.pi / 86_400 + np.arange(series)),
        "constant": np.full((rows, series), 7.0),
        "walk": np.cumsum(random.normal(0, 1, (rows, series)), axis=0),
    }
    values = laws[draw(st.sampled_from(sorted(laws)))]
    values = np.where(random.random(values.shape) < draw(st.sampled_from([0.0, 0.1, 0.8])), np.nan, values)
    for place, height in draw(st.lists(st.tuples(st.integers(0, rows - 1), st.floats(-1e6, 1e6)), max_size=4)):
        values[place, 0] = height
    times = np.datetime64("2026-10-20", "us") + np.arange(rows) * np.timedelta64(BUCKETS[bucket], "s")
    labels = tuple({"n": str(place)} for place in range(series))
    return Panel(times, values, labels, bucket, draw(st.sampled_from(ZONES)))


@FEW
@given(panel=panels())
def any_panel_has_complete_verdicts(detector: Detector, panel: Panel) -> None:
    found = judged(detector, panel, len(panel.times))
    assert found.status.shape == panel.values.shape
    assert set(found.status.ravel()) <= {OK, ANOMALY, UNKNOWN}
    np.testing.assert_array_equal(np.isnan(found.score), found.status == UNKNOWN)
    np.testing.assert_array_equal(found.score > 1, found.status == ANOMALY)
    assert all(found.reason[found.status != OK])
    assert not np.isinf([getattr(found, name) for name in NUMBERS]).any()
    is_band = ~np.isnan(found.lower) & ~np.isnan(found.upper)
    assert (found.lower[is_band] <= found.upper[is_band]).all()


@FEW
@given(panel=panels(), share=st.floats(0, 1), wreck=st.sampled_from([np.nan, 0.0, -3.5, 0.5, 1e9]))
def no_verdict_knows_what_comes_after(detector: Detector, panel: Panel, share: float, wreck: float) -> None:
    kept = max(1, int(share * len(panel.times)))
    values = panel.values.copy()
    values[kept:] = wreck
    whole = part(judged(detector, panel, len(panel.times)), slice(0, kept))
    assert_same(part(judged(detector, with_values(panel, values), len(values)), slice(0, kept)), whole)
    assert_same(judged(detector, rows_of(panel, 0, kept), kept), whole)


@FEW
@given(panel=panels(), cuts=st.lists(st.integers(1, 259), max_size=4))
def any_stops_and_restarts_equal_one_go(detector: Detector, panel: Panel, cuts: list[int]) -> None:
    count = len(panel.times)
    whole = judged(detector, panel, count)
    edges = sorted({0, count, *(cut for cut in cuts if cut < count)})
    state = b""
    for begin, end in pairwise(edges):
        # A detector that keeps no state is given all rows before instead.
        piece = rows_of(panel, begin if state else 0, end)
        found = detector.judge(piece, since=panel.times[begin], state=state or None)
        assert_same(found, part(whole, slice(begin, end)))
        state = found.state


@FEW
@given(panel=panels(), seed=st.integers(0, 1000))
def any_order_of_series_equals_any_other(detector: Detector, panel: Panel, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(panel.labels)).tolist()
    whole = judged(detector, panel, len(panel.times))
    assert_same(judged(detector, series_of(panel, order), len(panel.times)), part(whole, slice(None), order))


@FEW
@given(panel=panels(), size=st.sampled_from([0.0, 1e-300, 1e-15, 1e15, 1e290]))
def any_size_of_readings_is_judged_without_a_warning(detector: Detector, panel: Panel, size: float) -> None:
    found = judged(detector, replace(panel, values=panel.values / 1e6 * size), len(panel.times))
    assert not np.isinf([getattr(found, name) for name in NUMBERS]).any()
    np.testing.assert_array_equal(np.isnan(found.score), found.status == UNKNOWN)


CHECKS: tuple[Check, ...] = (
    any_panel_has_complete_verdicts,
    no_verdict_knows_what_comes_after,
    any_stops_and_restarts_equal_one_go,
    any_order_of_series_equals_any_other,
    any_size_of_readings_is_judged_without_a_warning,
)
