from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from tests.accuracy.contender import NotAvailable
from tests.accuracy.made import series
from tests.accuracy.rivals import RIVALS
from tests.accuracy.rivals.control import Random
from tests.accuracy.rivals.rival import Rival, season_of, week_of
from tests.accuracy.rivals.statsforecast_mstl import StatsforecastMstl

WITHOUT_EXTRAS = [rival for rival in RIVALS if rival.library in ("", "statsmodels")]
HOURS = 24 * 7 * 6


def waves() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    clock = np.arange(HOURS)
    return np.asarray(100 + 20 * np.sin(clock * 2 * np.pi / 24) + np.random.default_rng(3).normal(0, 1, HOURS))


def test_the_rivals_that_people_use_take_part() -> None:
    assert {rival.name for rival in RIVALS} >= {
        *("rolling_z", "z_500", "week_over_week_mad", "stl_mad", "spectral_residual"),
        *("pyod_pca_knn", "half_space_trees", "adtk_seasonal", "prophet"),
    }


@pytest.mark.parametrize("rival", WITHOUT_EXTRAS, ids=lambda one: one.name)
def test_a_rival_finds_a_reading_far_outside(rival: type[Rival]) -> None:
    values = waves()
    values[900] = 400
    found = rival().judge(series(HOURS, values=values))
    assert found.alert[900]
    assert found.alert.mean() < 0.3


@pytest.mark.parametrize("rival", WITHOUT_EXTRAS, ids=lambda one: one.name)
@pytest.mark.parametrize("cut", [400, 801])
def test_a_rival_does_not_look_ahead(rival: type[Rival], cut: int) -> None:
    values = waves()
    whole = rival().judge(series(HOURS, values=values))
    values[cut:] = 1e4
    wrecked = rival().judge(series(HOURS, values=values))
    np.testing.assert_allclose(whole.score[:cut], wrecked.score[:cut], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rival", WITHOUT_EXTRAS, ids=lambda one: one.name)
def test_a_rival_says_nothing_of_a_missing_reading(rival: type[Rival]) -> None:
    values = waves()
    values[500:520] = np.nan
    found = rival().judge(series(HOURS, values=values))
    assert not found.alert[500:520].any()
    assert np.isfinite(found.score).all()


def test_the_control_draws_the_same_for_a_name_whatever_the_readings_are() -> None:
    values = waves()
    whole = Random().judge(series(HOURS, values=values))
    values[400:] = 1e4
    np.testing.assert_array_equal(Random().judge(series(HOURS, values=values)).score, whole.score)
    assert not np.array_equal(Random().judge(series(HOURS, values=values, name="other")).score, whole.score)
    longer = Random().judge(series(HOURS + 50, values=np.append(values, np.ones(50))))
    np.testing.assert_array_equal(longer.score[:HOURS], whole.score)


def test_the_control_alerts_at_one_reading_in_a_thousand_and_never_where_none_is() -> None:
    values = np.ones(100_000)
    values[:50_000] = np.nan
    found = Random().judge(series(100_000, values=values))
    assert found.alert[50_000:].sum() == pytest.approx(50, abs=30)
    assert np.isneginf(found.score[:50_000]).all()
    assert not found.alert[:50_000].any()


def test_a_rival_whose_library_is_missing_says_which() -> None:
    with pytest.raises(NotAvailable, match="no_such_library cannot be imported"):
        Missing().judge(series(100))


def test_statsforecast_is_told_as_absent_where_it_cannot_be_installed() -> None:
    if find_spec("statsforecast"):
        pytest.skip("statsforecast is installed here")
    with pytest.raises(NotAvailable, match="pandas < 3"):
        StatsforecastMstl().judge(series(100))


@pytest.mark.parametrize(("step_s", "season", "week"), [(60, 1440, 2016), (3600, 24, 168), (86400, 7, 28)])
def test_a_season_is_a_day_and_for_days_a_week(step_s: int, season: int, week: int) -> None:
    assert (season_of(step_s), week_of(step_s)) == (season, week)


class Missing(Rival):
    name, about, threshold, library = "missing", "", 1.0, "no_such_library"

    def scores(
        self,
        times_s: np.ndarray[tuple[int], np.dtype[np.int64]],
        values: np.ndarray[tuple[int], np.dtype[np.float64]],
        step_s: int,
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        self.module("no_such_library")
        return values
