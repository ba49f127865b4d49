from __future__ import annotations

import numpy as np
import pytest

from alerting.app import App
from alerting.app.reading_metrics import metrics
from tests.app.world import HOSTILE, HOUR, NOW


def test_metrics_come_worst_first_and_say_why(app: App) -> None:
    found = {line.name: (line.standing, line.reason) for line in metrics(app, NOW)}
    assert list(found) == ["shop.orders", "shop.hidden", "shop.unwatched", "shop.by_country", "shop.weight"]
    assert found["shop.orders"] == ("critical", "3 of 4 series unusual")
    assert found["shop.hidden"][0] == "error"
    assert "no such column: secret_column" in found["shop.hidden"][1]
    assert found["shop.unwatched"] == ("unwatched", "no subscription watches it")
    assert found["shop.weight"] == ("normal", "")


def test_a_spark_is_the_total_or_the_largest_series(app: App) -> None:
    orders, hidden, _, by_country, _ = metrics(app, NOW)
    assert (dict(orders.labels), orders.series, len(orders.spark)) == ({}, 4, 48)
    assert orders.newest == 202 + 100 + 102, "the last hour of three countries"
    assert dict(by_country.labels) == {"country": HOSTILE}, "it halved last"
    assert (len(hidden.spark), hidden.series) == (0, 0)
    assert np.isnan(hidden.newest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ORDERS", ["shop.orders"]),
        ("floor", ["shop.hidden", "shop.by_country", "shop.weight"]),
        ("kg shop", ["shop.unwatched", "shop.weight"]),
        ("nothing like it", []),
    ],
)
def test_the_filter_looks_for_every_word_in_names_units_teams_and_subscriptions(
    app: App, text: str, expected: list[str]
) -> None:
    assert [line.name for line in metrics(app, NOW, text)] == expected


def test_a_metric_whose_query_stays_away_is_late(app: App) -> None:
    weight = next(line for line in metrics(app, NOW + 24 * HOUR) if line.name == "shop.weight")
    assert weight.standing == "late"
    assert "late: nothing since" in weight.reason
