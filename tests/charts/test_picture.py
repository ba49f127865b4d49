from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from alerting import charts
from alerting.charts.curves import ChartError, curves, named_days, ticks, zone_of
from detectors.contract import Event, Floats
from tests.charts.example import Example, three_weeks

ALARM = (217, 45, 32)
BAND = (207, 224, 244)


def pixels(png: bytes) -> Floats:
    """``[height, width, 4]``, 0 to 255."""
    return np.asarray(imread(io.BytesIO(png), format="png"), dtype=np.float64) * 255


def share(png: bytes, colour: tuple[int, int, int]) -> float:
    """How much of the picture has this colour."""
    return float((np.abs(pixels(png)[:, :, :3] - colour).max(axis=2) < 6).mean())


def draw(example: Example, **options: object) -> bytes:
    return charts.png(*example, **({"title": "Orders, Germany", "unit": "orders/h"} | options))  # type: ignore[arg-type]  # mixed


def test_a_picture_has_the_size_asked_for_and_fits_a_message() -> None:
    png = draw(three_weeks())
    assert pixels(png).shape == (480, 1200, 4)
    assert len(png) < 200_000


def test_the_band_is_shaded_and_the_anomaly_is_red() -> None:
    png = draw(three_weeks())
    assert share(png, BAND) > 0.02
    assert share(png, ALARM) > 0.0005


def test_without_an_anomaly_nothing_is_red() -> None:
    calm = three_weeks()._replace(anomalies=np.zeros(496, dtype=bool))
    assert share(draw(calm), ALARM) == 0


def test_a_gap_in_the_readings_is_a_gap_in_the_line() -> None:
    example = three_weeks()
    gappy = example._replace(observed=np.where(np.arange(496) % 100 < 60, np.nan, example.observed))
    ink = (29, 39, 51)
    assert share(draw(gappy), ink) < 0.7 * share(draw(example), ink)


def test_a_reading_between_two_gaps_is_seen() -> None:
    lone = np.full(496, np.nan)
    lone[100] = 800.0
    blank = np.full(496, np.nan)
    none = np.zeros(496, dtype=bool)
    seen = Example(three_weeks().times, lone, blank, blank, blank, none)
    assert share(draw(seen, title=""), (29, 39, 51)) > 0


@pytest.mark.parametrize("bound", ["lower", "upper"])
def test_a_bound_without_its_partner_is_a_limit(bound: str) -> None:
    example = three_weeks()
    blank = np.full(496, np.nan)
    one_sided = example._replace(expected=blank, lower=blank, upper=blank, anomalies=np.zeros(496, dtype=bool))
    limited = one_sided._replace(**{bound: np.full(496, 300.0)})
    assert share(draw(limited), ALARM) > share(draw(one_sided), ALARM)


def test_of_several_series_the_worst_is_marked_and_the_others_stand_behind() -> None:
    example = three_weeks()
    calm = np.zeros(496, dtype=bool)
    observed, expected, lower, upper = (np.column_stack([part * 1.2, part]) for part in example[1:5])
    both = Example(example.times, observed, expected, lower, upper, np.column_stack([calm, example.anomalies]))
    chosen = curves(*both)
    assert np.array_equal(chosen.observed, example.observed)
    assert chosen.others.shape == (496, 1)
    assert share(draw(both), ALARM) > 0.0005


@pytest.mark.parametrize(
    "spoiled",
    [
        {"observed": np.full(496, np.nan)},
        {"observed": np.full(495, 1.0)},
        {"times": np.array([], dtype="datetime64[us]")},
        {"lower": np.full((496, 2), 1.0)},
    ],
)
def test_what_cannot_be_drawn_is_a_chart_error(spoiled: dict[str, object]) -> None:
    with pytest.raises(charts.ChartError):
        draw(three_weeks()._replace(**spoiled))  # type: ignore[arg-type]  # arrays


def test_a_zone_that_does_not_exist_is_a_chart_error() -> None:
    with pytest.raises(charts.ChartError, match="Nowhere"):
        draw(three_weeks(), timezone="Nowhere/Land")


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e308, -1e308, 0.0, 1e-300, 1e15, np.nan])
def test_an_odd_value_is_drawn_or_left_out(value: float) -> None:
    example = three_weeks()
    for part in ("observed", "lower", "upper", "expected"):
        odd = example._replace(**{part: np.where(np.arange(496) == 50, value, getattr(example, part))})
        assert draw(odd)[:4] == b"\x89PNG"


@pytest.mark.parametrize("title", ["東京 🛒 $x_1$ $", "طلبات \u202e", "<script>", "x" * 10_000, "", "a\nb\x00\ud800"])
def test_any_title_is_drawn_without_a_warning(title: str) -> None:
    assert draw(three_weeks(), title=title, unit=title)[:4] == b"\x89PNG"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_series_of_few_points_is_drawn(count: int) -> None:
    few = Example(*(part[-count:] for part in three_weeks()))  # type: ignore[arg-type]  # arrays
    assert draw(few)[:4] == b"\x89PNG"


def test_a_constant_series_is_drawn() -> None:
    flat = np.full(496, 7.0)
    assert draw(three_weeks()._replace(observed=flat, expected=flat, lower=flat, upper=flat))[:4] == b"\x89PNG"


def test_pictures_may_be_drawn_in_several_threads() -> None:
    alone = draw(three_weeks())
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: draw(three_weeks()), range(8)))
    assert set(drawn) == {alone}


@pytest.mark.parametrize(
    ("hours", "zone", "first", "count"),
    [
        (24, "UTC", "Mon 00:00", 8),
        (48, "America/New_York", "Sat 18:00", 8),
        (24 * 7, "America/New_York", "Tue 27 Jan", 7),
        (24 * 21, "America/New_York", "Mon 19 Jan", 3),
        (24 * 200, "UTC", "Aug 2025", 7),
    ],
)
def test_times_are_marked_at_the_midnights_of_the_reader(hours: int, zone: str, first: str, count: int) -> None:
    marked = ticks(three_weeks(hours).times, zone_of(zone))
    assert marked[0][1] == first
    assert len(marked) == count


def test_a_terminal_shows_line_band_and_how_much_was_unusual() -> None:

    console = Console(width=100, record=True, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(
        charts.terminal(*three_weeks(), title="Orders", unit="orders/h", timezone="America/New_York", width=80)
    )
    console.file.close()
    lines = console.export_text().splitlines()
    assert lines[0] == "Orders  orders/h"
    assert lines[-1].endswith("3 unusual")
    assert max(map(len, lines)) <= 80
    assert lines[-2].startswith("Tue 13 Jan 01:00")
    assert lines[-2].endswith("Mon 2 Feb 16:00")


def test_a_spark_keeps_the_last_points_and_no_nan() -> None:
    example = three_weeks()
    observed = np.where(np.arange(496) == 495, np.nan, example.observed)
    spark = charts.spark(observed, example.lower, example.upper, example.anomalies)
    assert len(spark.observed) == 60
    assert spark.observed[-1] is None
    assert spark.observed[0] == example.observed[-60]
    assert spark.anomalies[-3:] == (True, True, True)


DAY = (248, 241, 222)
NAMED = (138, 109, 31)


def event(name: str, start: int, stop: int, count: int = 496) -> Event:
    places = np.arange(count)
    return Event(name, "annotate", (places >= start) & (places < stop))


def test_a_day_with_a_name_is_shaded_and_named() -> None:
    plain, marked = draw(three_weeks()), draw(three_weeks(), events=(event("Thanksgiving Day", 100, 124),))
    assert share(plain, DAY) < 0.001 < 0.01 < share(marked, DAY)
    assert share(plain, NAMED) == 0 < share(marked, NAMED)


def test_two_names_in_one_place_are_not_written_over_each_other() -> None:
    day, before = event("Sale", 100, 124), event("Sale (day before)", 76, 100)
    both = draw(three_weeks(), events=(before, day))
    assert share(both, NAMED) == pytest.approx(share(draw(three_weeks(), events=(day,)), NAMED), rel=0.05)


def test_days_at_the_edge_and_hostile_names_are_drawn() -> None:
    strange = tuple(event(name, 0, 1) for name in ("$x^2$", "\u4f60\u597d", "x" * 500, "a\nb"))
    assert share(draw(three_weeks(), events=(*strange, event("Sale", 495, 496))), NAMED) > 0


def test_names_of_the_same_buckets_stand_together() -> None:
    events = (event("Sale", 10, 20), event("Pay day", 10, 20), event("Month end", 15, 20))
    shown = curves(*three_weeks(), events)
    assert named_days(shown) == [(10, 19, "Sale, Pay day"), (15, 19, "Month end")]


def test_events_of_another_length_are_refused() -> None:
    with pytest.raises(ChartError):
        draw(three_weeks(), events=(event("Sale", 1, 2, count=3),))


def test_a_terminal_names_the_last_days_as_far_as_they_fit() -> None:
    out = Console(record=True, width=80, file=io.StringIO())
    days = (event("Sale", 10, 34), event("Super Bowl", 466, 490), event("A day of a long name" * 3, 200, 224))
    out.print(charts.terminal(*three_weeks(), title="Orders", timezone="America/New_York", events=days))
    last = out.export_text().splitlines()[-1]
    assert last == "Sun 1 Feb Super Bowl"
