from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from alerting.app import App, reading
from alerting.app.reading_chart import BadSpan, chart
from tests.app.world import DROP_DE, DROP_FR, HOSTILE, HOUR, NOW

FRANCE = {"country": "FR"}
READ_UNTIL = NOW.replace(minute=0)


def test_a_chart_has_readings_and_the_band_as_it_was_judged(app: App) -> None:
    found = chart(app, "shop.orders", series=FRANCE)
    shown = reading.show(app, "shop.orders", timedelta(days=21))
    (judged,) = [one.trace for one in shown.series if one.labels == FRANCE]
    assert (found.subscription, found.entry, found.unit, found.decimated) == ("health", "seasonal", "orders", False)
    np.testing.assert_array_equal(found.times, judged.times)
    for name in ("observed", "expected", "lower", "upper"):
        np.testing.assert_array_equal(getattr(found, name), getattr(judged, name))
    assert list(found.anomalies) == np.flatnonzero(judged.anomalies).tolist()


def test_incidents_are_marked_with_the_words_of_their_messages(app: App) -> None:
    (still_open,) = chart(app, "shop.orders", series=FRANCE).incidents
    assert (still_open.opened, still_open.ended) == (DROP_FR, None)
    assert still_open.headline == "Orders, FR: 50 % below expected"
    (ended,) = chart(app, "shop.orders", series={"country": "DE"}).incidents
    assert ended.opened == DROP_DE
    assert ended.ended is not None
    assert ended.headline.startswith("Orders, DE: resolved after")


def test_the_total_is_the_sum_of_what_the_query_brought(app: App) -> None:
    total = chart(app, "shop.orders")
    parts = [chart(app, "shop.orders", series={"country": one}).observed for one in ("DE", "FR", HOSTILE)]
    assert total.labels == {}
    np.testing.assert_array_equal(total.observed, np.sum(parts, axis=0))


def test_a_decimated_chart_keeps_every_extreme_and_every_anomaly(app: App) -> None:
    whole, coarse = (chart(app, "shop.orders", series=FRANCE, points=points) for points in (4000, 24))
    assert coarse.decimated
    assert len(coarse.times) == 24
    width = -(-len(whole.times) // 24)
    assert np.nanmin(coarse.low) == np.nanmin(whole.observed)
    assert np.nanmax(coarse.high) == np.nanmax(whole.observed)
    assert coarse.observed[0] == pytest.approx(np.nanmean(whole.observed[:width]))
    assert list(coarse.anomalies) == sorted({place // width for place in whole.anomalies})


def test_a_chart_begins_and_ends_where_it_is_told(app: App) -> None:
    found = chart(app, "shop.orders", series=FRANCE, since=DROP_FR + HOUR / 2, until=DROP_FR + 2 * HOUR)
    assert found.times.tolist() == [(DROP_FR + n * HOUR).replace(tzinfo=None) for n in range(2)]
    beyond = chart(app, "shop.orders", series=FRANCE, since=DROP_FR, until=NOW + timedelta(days=900))
    assert beyond.times[-1].item() == (READ_UNTIL - HOUR).replace(tzinfo=None)


def test_the_band_of_one_detect_entry_can_be_asked_for(app: App) -> None:
    found = chart(app, "shop.orders", entry="threshold")
    assert found.entry == "threshold"
    assert np.nanmin(found.lower) == 20
    assert np.isnan(found.upper).all()


def test_a_series_that_nobody_judges_has_no_band(app: App) -> None:
    found = chart(app, "shop.unwatched")
    assert (found.subscription, found.entry, found.anomalies, found.incidents) == ("", "", (), ())
    assert np.isfinite(found.observed).any()
    assert np.isnan(found.upper).all()


def test_a_span_without_readings_says_where_they_are(app: App) -> None:
    for since, until in ((NOW, None), (None, DROP_DE - timedelta(days=900)), (DROP_FR, DROP_DE)):
        with pytest.raises(BadSpan, match="readings go from 2025-12-04 00:00 until 2026-02-03 13:00 UTC"):
            chart(app, "shop.orders", since=since, until=until)


def test_what_is_not_there_says_what_is(app: App) -> None:
    with pytest.raises(reading.UnknownMetric, match=r"shop\.orders"):
        chart(app, "shop.order")
    with pytest.raises(reading.UnknownSeries, match="country=FR"):
        chart(app, "shop.orders", series={"country": "XX"})
    with pytest.raises(reading.UnknownSeries, match="has no series yet"):
        chart(app, "shop.hidden")
