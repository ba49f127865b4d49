from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import detectors
from tests.accuracy.made import series
from tests.accuracy.ours import Ours, bucket_of, judged, on_grid


@pytest.mark.parametrize(
    ("step_s", "bucket"),
    [(60, "1m"), (300, "5m"), (600, "10m"), (1800, "30m"), (3600, "1h"), (21600, "6h"), (86400, "1d")],
)
def test_a_step_has_the_bucket_of_the_same_width(step_s: int, bucket: str) -> None:
    assert bucket_of(step_s).text == bucket


def test_a_step_of_seconds_has_no_bucket() -> None:
    with pytest.raises(ValueError, match="no bucket of 90 s"):
        bucket_of(90)


def test_a_hole_in_the_readings_is_nan_on_the_grid() -> None:
    whole = series(6, values=np.arange(6.0))
    kept = [0, 1, 4, 5]
    panel, places = on_grid(replace(whole, times_s=whole.times_s[kept], values=whole.values[kept]))
    np.testing.assert_array_equal(panel.values[:, 0], [0, 1, np.nan, np.nan, 4, 5])
    assert places.tolist() == kept


def test_of_several_readings_in_a_bucket_only_the_last_is_judged() -> None:
    made = series(4, values=np.array([1.0, 50.0, 2.0, 60.0]))
    crowded = replace(made, times_s=np.array([0, 3600, 3700, 7200], dtype=np.int64))
    found = judged(detectors.load("threshold", above=10), crowded)
    assert found.alert.tolist() == [False, False, False, True]
    assert found.score[1] == -np.inf


def test_a_detector_of_ours_is_judged_at_its_parameters() -> None:
    values = np.array([1.0, 30.0, 5.0])
    found = Ours("limit", "threshold", (("above", "20"),)).judge(series(3, values=values))
    assert found.alert.tolist() == [False, True, False]
    assert found.score[1] == pytest.approx(1.5)
    assert Ours("limit", "threshold", (("above", "20"),)).digest() != Ours("limit", "threshold").digest()
