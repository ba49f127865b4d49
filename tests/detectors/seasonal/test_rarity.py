"""Rates are what counting by hand says, and budgets are checked against the pages that would have been raised."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import Floats
from detectors.seasonal.learner import Method
from detectors.seasonal.rarity import LEVELS, Blocks, Pages, Rarity, corrected, distance_of, surprise, uncorrected
from detectors.seasonal.recipe import Recipe

HOURS, DAYS = Blocks(rows=1, per_week=168.0, hold=24), Blocks(rows=1, per_week=7.0, hold=3)
COUNTED = Recipe(tail_share=0.0, memory_weeks=1e9)


def rate_of(distance: float, maxima: Floats, blocks: Blocks, recipe: Recipe = COUNTED) -> float:
    rarity = Rarity.none(1)
    rarity.learn(maxima[:, None], np.ones((len(maxima), 1), dtype=bool), blocks, recipe)
    found = surprise(np.array([[distance]]), rarity.rates(blocks, recipe))
    return float(10.0 ** -found[0, 0])


def every(period: int, length: int, weeks: int, blocks: Blocks) -> Floats:
    """Distance 10 in ``length`` neighbouring blocks of every ``period``, else 1."""
    return np.where(np.arange(int(weeks * blocks.per_week)) % period >= period - length, 10.0, 1.0)


@pytest.mark.parametrize(
    ("length", "blocks", "a_week"),
    [
        (1, HOURS, 168 / 50),
        (2, HOURS, 168 / 50),  # neighbouring hours are one event
        (7, HOURS, 168 / 50),
        (1, DAYS, 7 / 50),
        (2, DAYS, 14 / 50),  # neighbouring days are two
    ],
)
def test_a_rate_is_the_number_of_events_a_week(length: int, blocks: Blocks, a_week: float) -> None:
    assert rate_of(6.0, every(50, length, 400, blocks), blocks) == pytest.approx(a_week, rel=0.01)


def test_without_history_a_distance_of_five_is_expected_twice_a_week_and_ten_rarely() -> None:
    nothing = Rarity.none(1).rates(HOURS, Recipe())
    five, ten = (float(10.0 ** -surprise(np.array([[d]]), nothing)[0, 0]) for d in (5.0, 10.0))
    assert five == pytest.approx(2.0, rel=0.02)
    assert ten == pytest.approx(2.0 * 2.0**-4.5, rel=0.02)


def test_the_tail_goes_on_as_the_pareto_law_that_made_it() -> None:
    recipe = Recipe(tail_share=1.0, tail_weight=1e-6, memory_weeks=1e9)
    exponent, weeks = 2.0, 600
    maxima = np.random.default_rng(0).pareto(exponent, weeks * 7) + 1.0
    for distance in (3.0, 10.0):
        rate = rate_of(distance, maxima, DAYS, recipe)
        # Hill's sum over a grid of levels is half a step too long, so the tail is a little too heavy.
        assert rate == pytest.approx(7 * distance**-exponent, rel=0.6), distance


def test_a_rarer_distance_has_the_larger_surprise_and_never_an_infinite_one() -> None:
    rarity = Rarity.none(1)
    maxima = np.random.default_rng(1).exponential(1.0, (168 * 20, 1))
    rarity.learn(maxima, np.ones(maxima.shape, dtype=bool), HOURS, Recipe())
    found = surprise(np.geomspace(0.01, 1e9, 400)[:, None], rarity.rates(HOURS, Recipe()))[:, 0]
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()


def test_distance_of_is_the_inverse_of_surprise() -> None:
    falls = np.random.default_rng(2).uniform(0.01, 0.2, (len(LEVELS), 5))
    rates = 2.0 - np.cumsum(falls, axis=0)
    wanted = np.geomspace(0.3, 9e5, 50)
    for distance in wanted:
        row = np.full((1, 5), distance)
        np.testing.assert_allclose(distance_of(surprise(row, rates)[0], rates), distance, rtol=1e-9)


def test_what_was_seen_long_ago_counts_half_after_its_half_life() -> None:
    recipe = Recipe(tail_share=0.0, memory_weeks=26.0)
    rarity = Rarity.none(1)
    known = np.ones((1, 1), dtype=bool)
    for week in range(52):
        for _ in range(7):
            rarity.learn(np.array([[10.0 if week < 26 else 1.0]]), known, DAYS, recipe)
    old = rarity.maxima[np.searchsorted(LEVELS, 9.0) :].sum()
    recent = rarity.maxima.sum() - old
    assert old / recent == pytest.approx(0.5, rel=1e-6)


def pages_by_hand(distances: Floats, level: float, hold: int) -> int:
    """Blocks at or above a level that none of the ``hold`` blocks before reached."""
    places = np.flatnonzero(distances >= level)
    return int(np.sum(np.diff(places, prepend=-hold - 1) > hold))


@pytest.mark.parametrize(("blocks", "spread"), [(HOURS, 0.6), (HOURS, 1.0), (DAYS, 0.5), (DAYS, 1.5)])
def test_the_correction_is_that_of_pages_counted_one_by_one(blocks: Blocks, spread: float) -> None:
    recipe = Recipe(memory_weeks=1e9)
    weeks = 30
    raised = np.random.default_rng(4).normal(-1.0, spread, (int(weeks * blocks.per_week), 3))
    pages = Pages.none(3, blocks.hold)
    for part in np.array_split(raised, 40):  # the count goes on from block to block
        pages.learn(part, np.ones(part.shape, dtype=bool), blocks, recipe)
    quiet = blocks.hold / blocks.per_week
    for series in range(3):
        found = pages.correction(blocks, recipe)[series]
        step = 0.25  # from level to level
        louder, quieter = (
            promised_and_counted(raised[:, series], found + shift, weeks, blocks, recipe) for shift in (-step, step)
        )
        wanted = np.exp(-recipe.quiet_before * quiet)
        assert louder >= wanted or found == -recipe.louder
        assert quieter <= wanted or found == recipe.quieter


def promised_and_counted(raised: Floats, surprise: float, weeks: int, blocks: Blocks, recipe: Recipe) -> float:
    """Pages a week above a surprise, of those counted one by one and of the weeks in which all came as promised."""
    # A lower level is never reached by fewer pages, though there the quiet between them may be missing.
    counted = max(pages_by_hand(raised, level, blocks.hold) for level in np.linspace(surprise, 6.0, 200))
    events = 10.0**-surprise
    promised = events * np.exp(-events * blocks.hold / blocks.per_week)
    start = recipe.calibration_weight
    return float((counted + start * promised) / (weeks + start))


@pytest.mark.parametrize("blocks", [HOURS, DAYS])
def test_without_history_nothing_is_corrected(blocks: Blocks) -> None:
    found = Pages.none(2, blocks.hold).correction(blocks, Recipe(quiet_before=1.0))
    np.testing.assert_allclose(found, 0.0, atol=0.01)
    assert (Pages.none(2, blocks.hold).correction(blocks, Recipe()) < 0.1).all()


@pytest.mark.parametrize("width_s", [60, 540, 1800, 2400, 2700, 3600, 21_600, 86_400])
def test_the_blocks_of_a_week_are_a_week_and_none_is_shorter_than_an_hour(width_s: int) -> None:
    blocks = Method(float(width_s), (), Recipe()).blocks
    assert blocks.rows * width_s * blocks.per_week == pytest.approx(604_800)
    assert blocks.rows * width_s >= 3600


@pytest.mark.parametrize("correction", [-0.8, -0.2, 0.0, 0.15])
def test_a_correction_is_whole_at_one_a_week_and_loud_ones_fade_for_what_is_rarer(correction: float) -> None:
    recipe = Recipe(louder_until=1.0)
    found = [float(corrected(np.array([rare]), np.array([correction]), recipe)[0]) for rare in (-0.8, 1.0, 3.0)]
    assert found[0] == pytest.approx(-0.8 - correction)
    assert found[1:] == pytest.approx([1.0, 3.0] if correction < 0 else [1.0 - correction, 3.0 - correction])


def test_the_correction_keeps_the_order_of_surprises_and_can_be_undone() -> None:
    rare = np.linspace(-4.0, 4.0, 400)[:, None].repeat(3, axis=1)
    correction = np.array([-0.8, 0.0, 0.15])
    found = corrected(rare, correction, Recipe())
    assert (np.diff(found, axis=0) > 0).all()
    np.testing.assert_allclose(uncorrected(found, correction, Recipe()), rare, atol=1e-12)
