from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import Floats
from tests.accuracy.injected import KINDS, LENGTHS, SIZED, Copy, Incident, found, injected
from tests.accuracy.labelled import Series
from tests.accuracy.made import at, series
from tests.accuracy.measures.injection import at_default, at_rate
from tests.accuracy.outcome import Outcome

HOURS = 24 * 7 * 40
NOISE = 2.0


def seasonal(seed: int = 0, collection: str = "plain_hourly") -> Series:
    clock = np.arange(HOURS)
    noise = np.random.default_rng(seed).normal(0, NOISE, HOURS)
    values: Floats = 100 + 20 * np.sin(clock * 2 * np.pi / 24) + noise
    return series(HOURS, values=values, collection=collection, name=f"waves_{seed}")


COPIES = [injected(seasonal(seed), copy) for seed in range(4) for copy in range(3)]


def test_a_copy_differs_from_the_untouched_series_inside_its_incidents_only() -> None:
    for copy in COPIES:
        allowed = np.zeros(len(copy.untouched), dtype=bool)
        for one in copy.incidents:
            allowed[one.first : one.last + 1] = True
        same = copy.altered.values == copy.untouched.values
        assert not np.any(~same & ~allowed)


def test_every_kind_comes_and_incidents_keep_their_distance() -> None:
    assert {one.kind for copy in COPIES for one in copy.incidents} == set(KINDS)
    for copy in COPIES:
        gaps = [after.first - before.last for before, after in zip(copy.incidents, copy.incidents[1:], strict=False)]
        assert min(gaps) >= LENGTHS[3600].recovery
        assert copy.incidents[0].first >= copy.untouched.warmup


def test_a_spike_is_as_many_deviations_as_it_says() -> None:
    spikes = [(copy, one) for copy in COPIES for one in copy.incidents if one.kind == "spike"]
    assert spikes
    for copy, one in spikes:
        change = copy.altered.values[one.first] - copy.untouched.values[one.first]
        assert change / one.size == pytest.approx(NOISE, rel=0.35)  # 1.25 for the bias of the medians included


def test_a_gap_has_no_readings_and_a_flatline_one_value() -> None:
    for copy in COPIES:
        for one in copy.incidents:
            inside = copy.altered.values[one.first : one.last + 1]
            if one.kind == "gap":
                assert np.isnan(inside).all()
            if one.kind == "flatline":
                assert np.unique(inside).tolist() == [copy.untouched.values[one.first - 1]]


def test_the_same_seed_makes_the_same_copy() -> None:
    again = injected(seasonal(1), 2)
    assert again.incidents == injected(seasonal(1), 2).incidents
    assert again.incidents != injected(seasonal(1), 1).incidents


def test_counts_stay_counts() -> None:
    clock = np.arange(HOURS)
    counts = np.maximum(np.round(3 + 3 * np.sin(clock * 2 * np.pi / 24) + clock % 3), 0)
    copy = injected(series(HOURS, values=counts, name="counts"), 0)
    known = copy.altered.values[np.isfinite(copy.altered.values)]
    assert known.min() >= 0
    assert np.all(known == np.round(known))


def test_an_alert_after_the_deadline_is_a_miss() -> None:
    spike = Incident("spike", 6.0, 10, 10, 12)
    assert found(spike, at(20, [12]))
    assert not found(spike, at(20, [9, 13]))


def test_recall_is_told_beside_luck_and_false_alerts_at_one_threshold() -> None:
    copies = [(copy, knowing(copy, copy.altered), knowing(copy, copy.untouched)) for copy in COPIES]
    default = at_default(copies)
    assert default.recall(KINDS) == 1.0
    assert default.luck == 0.0
    assert default.false_a_week == 0.0
    assert at_rate(copies).recall(SIZED) == 1.0


def knowing(copy: Copy, judged: Series) -> Outcome:
    """A detector that knows the untouched series and alerts at any difference."""
    same = (judged.values == copy.untouched.values) | (np.isnan(judged.values) & np.isnan(copy.untouched.values))
    first = {one.first: 1.0 for one in copy.incidents if judged is copy.altered}
    score = np.where(same, 0.0, 1.0)
    score[list(first)] = list(first.values())
    return Outcome.of(score, score > 0)
