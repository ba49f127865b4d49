"""Stopping and starting again changes nothing: over every series that comes with the project."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from alerting import sample
from detectors import Event, Panel
from detectors.contract import Floats
from detectors.seasonal import Seasonal
from tests.accuracy import labelled
from tests.accuracy.ours import on_grid
from tests.detectors.seasonal.made import assert_pieces_equal_one_run, judged, panel_of, rows_of, shop

# The newest readings of each series: days of minutes, weeks of five minutes, all of what is slower but the longest.
STRETCH = {"1m": 1200, "5m": 1500, "10m": 1500, "30m": 2000, "1h": 2000, "1d": 420}


def shipped() -> dict[str, list[Panel]]:
    """Every shipped series on its grid, by collection and bucket."""
    found: dict[str, list[Panel]] = {}
    for name in (*labelled.LABELLED_COLLECTIONS, *labelled.PLAIN_COLLECTIONS):
        for one in labelled.collection(name):
            panel, _ = on_grid(one)
            found.setdefault(f"{name} {panel.bucket}", []).append(panel)
    for shown in sample.series():
        times, values = shown.readings()
        step = np.diff(times).min()
        grid = np.arange(times[0], times[-1] + step, step)
        columns = np.full((len(grid), 1), np.nan)
        columns[np.searchsorted(grid, times), 0] = values
        found.setdefault(f"sample {shown.bucket}", []).append(Panel(grid, columns, ({},), shown.bucket, shown.timezone))
    return found


SHIPPED = shipped()


def side_by_side(panels: Sequence[Panel], rows: int) -> Panel:
    """The newest rows of each panel as one, on the times of the longest: shorter ones begin later."""
    longest = max(panels, key=lambda one: len(one.times))
    rows = min(rows, len(longest.times))
    columns: Floats = np.full((rows, len(panels)), np.nan)
    for place, one in enumerate(panels):
        newest = one.values[-rows:, 0]
        columns[rows - len(newest) :, place] = newest
    labels = tuple({"n": str(place)} for place in range(len(panels)))
    return Panel(longest.times[-rows:], columns, labels, longest.bucket, longest.timezone)


def cuts_of(rows: int, seed: int, stops: int = 5, single: int = 3) -> list[int]:
    """Random places, each followed by panels of one row."""
    begins = np.sort(np.random.default_rng(seed).choice(np.arange(50, rows - 60, single + 1), stops, replace=False))
    return sorted({int(begin) + k for begin in begins for k in range(single + 1)})


@pytest.mark.parametrize("name", SHIPPED)
def test_a_restart_at_any_bucket_changes_no_verdict_of_a_shipped_series(name: str) -> None:
    panel = side_by_side(SHIPPED[name], STRETCH[SHIPPED[name][0].bucket])
    assert_pieces_equal_one_run(panel, cuts_of(len(panel.times), seed=len(name)))


def test_every_shipped_series_is_among_them() -> None:
    assert sum(map(len, SHIPPED.values())) == 29 + 15 + 15 + 15 + 15 + 4


@pytest.mark.parametrize("timezone", ["UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Berlin"])
def test_panels_of_one_row_equal_one_run_over_a_change_of_the_clock(timezone: str) -> None:
    panel = panel_of(shop(21, series=2), "1h", timezone, since=np.datetime64("2026-03-20", "us"))
    assert_pieces_equal_one_run(panel, [*range(210, 270), *range(370, 400)])


def test_masks_are_remembered_by_the_state() -> None:
    values = shop(20, series=2)
    masked = np.zeros(values.shape, dtype=bool)
    masked[300:340, 0] = True
    values[300:340, 0] *= 5
    assert_pieces_equal_one_run(panel_of(values, masked=masked), list(range(290, 360)))


@pytest.mark.parametrize("effect", ["model", "widen", "mute", "annotate"])
def test_an_event_that_begins_at_noon_is_remembered_by_the_state(effect: str) -> None:
    values = shop(30)
    active = np.zeros(len(values), dtype=bool)
    for begin in (300, 540):
        active[begin : begin + 6] = True
        values[begin : begin + 6] *= 2
    event = Event("sale", effect, active)  # type: ignore[arg-type]  # one of the four words
    assert_pieces_equal_one_run(panel_of(values, events=(event,)), list(range(290, 320)) + list(range(530, 570)))


def test_a_count_that_becomes_a_fraction_at_noon_changes_no_verdict_of_the_morning() -> None:
    values = np.random.default_rng(3).poisson(3.0, (24 * 30, 2)).astype(float)
    values[24 * 20 + 12, 0] = 0.5
    assert_pieces_equal_one_run(panel_of(values), list(range(24 * 20 + 6, 24 * 21 + 6)))


def test_a_panel_that_reaches_back_before_the_state_is_learned_anew() -> None:
    panel = panel_of(shop(30, series=2))
    other = panel_of(shop(30, series=2, seed=9))
    found = judged(panel)
    state = judged(other).state

    again = Seasonal().judge(panel, since=panel.times[-24], state=state)
    np.testing.assert_array_equal(again.score, found.score[-24:])


def test_a_restated_day_at_the_end_is_judged_as_if_it_had_always_been_so() -> None:

    panel = panel_of(shop(30))
    state = judged(rows_of(panel, 0, 29 * 24 + 12)).state
    restated = panel.values.copy()
    restated[29 * 24 : 29 * 24 + 12] += 100
    whole = judged(panel_of(restated))
    found = Seasonal().judge(rows_of(panel_of(restated), 29 * 24, 30 * 24), since=panel.times[29 * 24], state=state)
    np.testing.assert_allclose(found.score, whole.score[29 * 24 :], rtol=1e-9, atol=1e-9)
