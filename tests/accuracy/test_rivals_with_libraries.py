"""Rivals whose libraries come with the dependency group ``accuracy``; ``make accuracy`` runs these first."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest

from tests.accuracy.contender import NotAvailable
from tests.accuracy.made import series
from tests.accuracy.rivals.adtk_seasonal import AdtkPersist, AdtkSeasonal
from tests.accuracy.rivals.half_space_trees import HalfSpaceTrees
from tests.accuracy.rivals.prophet_interval import ProphetInterval
from tests.accuracy.rivals.pyod_anomstack import PyodPcaKnn
from tests.accuracy.rivals.rival import Rival

HOURS = 24 * 7 * 3
SPIKE = 450


def waves() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    clock = np.arange(HOURS)
    values = 100 + 20 * np.sin(clock * 2 * np.pi / 24) + np.random.default_rng(3).normal(0, 1, HOURS)
    values[SPIKE] = 400
    return np.asarray(values)


@pytest.fixture(autouse=True)
def _loud_imports() -> None:
    """Prophet logs at its import that plotly is missing, and libraries warn of each other's future."""
    logging.getLogger("prophet.plot").disabled = True
    warnings.simplefilter("ignore")


@pytest.mark.parametrize("rival", [PyodPcaKnn, HalfSpaceTrees, AdtkSeasonal, ProphetInterval], ids=lambda one: one.name)
def test_a_rival_finds_a_spike_and_does_not_look_ahead(rival: type[Rival]) -> None:
    values = waves()
    whole = rival().judge(series(HOURS, values=values))
    assert whole.alert[SPIKE : SPIKE + 3].any()
    values[SPIKE + 10 :] = 1e4
    wrecked = rival().judge(series(HOURS, values=values))
    cut = SPIKE + 10
    np.testing.assert_allclose(whole.score[:cut], wrecked.score[:cut], rtol=1e-6, atol=1e-6)


def test_adtk_persist_is_told_as_failing_on_pandas_3() -> None:
    with pytest.raises(NotAvailable, match="PersistAD fails on pandas 3"):
        AdtkPersist().judge(series(HOURS, values=waves()))
