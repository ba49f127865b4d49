from __future__ import annotations

import numpy as np
import pytest

from tests.accuracy.labelled import WEEK_S
from tests.accuracy.synthetic import LAWS, WEEKS, synthetic


@pytest.mark.parametrize("step_s", [300, 3600, 86400])
@pytest.mark.parametrize("law", LAWS)
def test_a_law_makes_the_same_weeks_of_readings_for_the_same_seed(law: str, step_s: int) -> None:
    made = synthetic(law, step_s, 0)
    assert len(made) == WEEKS[step_s] * WEEK_S // step_s
    np.testing.assert_array_equal(made.values, synthetic(law, step_s, 0).values)
    assert not np.array_equal(made.values, synthetic(law, step_s, 1).values)
    assert made.windows == ()


def test_laws_have_the_spread_season_and_tails_they_are_named_for() -> None:
    white, seasonal, heavy = (synthetic(law, 300, 0).values for law in LAWS)
    assert white.std() == pytest.approx(50, rel=0.02)
    by_hour = seasonal.reshape(-1, 288).mean(axis=0)
    assert by_hour.max() - by_hour.min() == pytest.approx(600, rel=0.05)
    far = np.abs(heavy - 1000) > 5 * 50
    assert far.mean() > 20 * (np.abs(white - 1000) > 5 * 50).mean()
    assert far.any()
