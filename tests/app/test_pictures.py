from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.image import imread

from alerting.app.pictures import trace
from alerting.charts import ChartError
from notifiers.contract import Notification
from tests.flow.conftest import Made, make
from tests.flow.test_life import DAYS, quiet
from tests.flow.world import HOUR, NOON, World

__all__ = ["make"]


@dataclass(frozen=True)
class Told:
    world: World
    notification: Notification


@pytest.fixture
def told(make: Made) -> Told:
    """A drop of two hours, told."""
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    return Told(world, world.told()[0])


def test_a_picture_is_a_png_of_the_worst_incident(told: Told) -> None:
    picture = told.world.app.picture(told.notification)
    assert picture is not None
    assert picture.startswith(b"\x89PNG\r\n")


def test_a_sketch_marks_the_anomalous_buckets(told: Told) -> None:
    sketch = told.world.app.sketch(told.notification)
    assert sketch is not None
    assert sketch.observed[-3:] == (100.0, 30.0, 30.0)
    assert sketch.anomalies[-3:] == (False, True, True)
    assert sketch.lower[-1] == 50.0


def test_a_trace_is_the_series_beside_the_band_as_it_was_judged(told: Told) -> None:
    bench = told.world.app.bench()
    subscription = bench.config.subscriptions["health"]
    found = trace(
        bench, subscription, "shop.orders", {"country": "DE"},
        entry="threshold", since=NOON - 2 * HOUR, until=NOON + 4 * HOUR,
    )  # fmt: skip
    assert found.observed.tolist()[:4] == [100.0, 100.0, 30.0, 30.0]
    assert np.isnan(found.observed[4:]).all(), "not pulled yet"
    assert found.lower.tolist()[:4] == [50.0] * 4
    assert found.anomalies.tolist() == [False, False, True, True, False, False]


def test_a_trace_of_nothing_says_what_is_missing(told: Told) -> None:
    bench = told.world.app.bench()
    with pytest.raises(ChartError, match=r"no readings of shop\.orders"):
        trace(
            bench, bench.config.subscriptions["health"], "shop.orders", {"country": "XX"},
            entry="threshold", since=NOON - 2 * HOUR, until=NOON,
        )  # fmt: skip


def test_an_ailment_and_a_rule_that_is_gone_have_no_picture(told: Told) -> None:
    view = told.notification.incidents[0]
    ailment = told.notification.model_copy(update={"incidents": (view.model_copy(update={"kind": "late"}),)})
    gone = told.notification.model_copy(update={"subscription": "gone"})
    for notification in (ailment, gone):
        assert told.world.app.picture(notification) is None
        assert told.world.app.sketch(notification) is None


def test_several_open_incidents_are_small_charts_in_one_picture(make: Made) -> None:
    world = quiet(make())
    for country in ("DE", "FR", "IT"):
        world.shop.open_hours(NOON - DAYS, NOON, country=country)
        world.shop.open_hours(NOON, NOON + 2 * HOUR, 30, country=country)
    world.shop.load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    told = world.told()[0]
    assert len(told.incidents) == 3
    together = world.app.picture(told)
    alone = world.app.picture(told.model_copy(update={"incidents": told.incidents[:1]}))
    assert together is not None
    assert alone is not None
    heights = [imread(io.BytesIO(png), format="png").shape[0] for png in (together, alone)]
    assert heights == [346, 480]


def test_one_that_cannot_be_drawn_is_left_out_of_the_picture(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    told = world.told()[0]
    lost = told.incidents[0].model_copy(update={"dimensions": {"country": "XX"}})
    picture = world.app.picture(told.model_copy(update={"incidents": (*told.incidents, lost)}))
    assert picture is not None
    assert imread(io.BytesIO(picture), format="png").shape[0] == 480
