from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.seasonal import Seasonal
from detectors.seasonal.recipe import RECIPE
from tests.accuracy.ablation import VARIANTS, Variant, begun, markdown, measured
from tests.accuracy.labelled import Series, collection
from tests.accuracy.made import series
from tests.accuracy.ours import judged
from tests.accuracy.together import judged_together, side_by_side


def test_a_variant_changes_what_it_names_and_nothing_else() -> None:
    detector = Variant("one", {"lags": 0}, {"seasons": ["day"]}).detector()
    assert detector.recipe == replace(RECIPE, lags=0)
    assert detector.seasons == ("day",)
    assert Seasonal.recipe == RECIPE


def test_every_variant_but_the_first_leaves_something_out() -> None:
    assert VARIANTS[0].recipe == VARIANTS[0].parameters == {}
    for variant in VARIANTS[1:]:
        detector = variant.detector()
        assert detector.recipe != RECIPE or dict(detector) != dict(Seasonal())


@pytest.fixture(scope="module")
def purchases() -> list[Series]:
    return [one for one in collection("mscloud") if one.name.startswith("app1-0")][:4]


def test_series_judged_together_get_the_verdicts_they_get_alone(purchases: list[Series]) -> None:
    for one, together in zip(purchases, judged_together(Seasonal(), purchases), strict=True):
        alone = judged(Seasonal(), one)
        np.testing.assert_array_equal(together.alert, alone.alert)
        np.testing.assert_array_equal(np.isfinite(together.score), np.isfinite(alone.score))
        known = np.isfinite(alone.score)
        np.testing.assert_allclose(together.score[known], alone.score[known], rtol=0, atol=1e-9)


def test_a_series_moves_by_whole_weeks_only(purchases: list[Series]) -> None:
    panel, _ = side_by_side(purchases)
    for place, one in enumerate(purchases):
        first = panel.times[np.flatnonzero(np.isfinite(panel.values[:, place]))[0]]
        began = one.times_s[np.isfinite(one.values)][0].astype("datetime64[s]")
        assert (first - began) % np.timedelta64(7, "D") == np.timedelta64(0, "D")


def test_series_of_different_steps_are_no_panel() -> None:
    hourly = series(10, values=np.arange(10.0))
    with pytest.raises(ValueError, match="different steps"):
        side_by_side([hourly, replace(hourly, step_s=60, times_s=hourly.times_s // 60)])


def test_the_beginning_of_a_series_keeps_the_windows_inside_it() -> None:
    whole = replace(series(100, values=np.arange(100.0)), windows=((10, 12), (60, 70)), warmup=20)
    cut = begun(whole, 50)
    assert (len(cut), cut.windows, cut.warmup) == (50, ((10, 12),), 10)
    assert begun(whole, 100) is whole


def test_the_table_has_a_row_for_each_variant() -> None:
    row = measured(Variant("short"), ["mscloud"], most=200)
    header, _, line = markdown([row]).strip().splitlines()
    assert line.startswith("| short | ")
    assert len(header.split("|")) == len(line.split("|"))
