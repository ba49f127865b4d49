from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from detectors.stl import stl
from detectors.stl.linear import Composed
from detectors.stl.plans import SHELF, Shelf
from detectors.stl.recipe import Choices


@dataclass(frozen=True)
class Made:
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Other:
    size_bytes: int = 1


def test_plan_is_made_once() -> None:
    shelf, asked = Shelf(100), list[str]()
    plans = [shelf.plan(Made, "hourly", lambda: made(asked, "hourly", 40)) for _ in range(3)]
    assert asked == ["hourly"]
    assert plans[0] is plans[1] is plans[2]


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    shelf, asked = Shelf(100), list[str]()
    for name in ("a", "b", "a", "c", "a", "b"):
        shelf.plan(Made, name, making(asked, name, 40))
    assert asked == ["a", "b", "c", "b"]
    assert shelf.size_bytes == 80


def test_plan_larger_than_the_shelf_is_used_and_not_kept() -> None:
    shelf, asked = Shelf(100), list[str]()
    for name, size in (("small", 60), ("large", 101), ("small", 60)):
        assert shelf.plan(Made, name, making(asked, name, size)).name == name
    assert asked == ["small", "large"]
    assert shelf.size_bytes == 60


def test_kinds_do_not_share_their_keys() -> None:
    shelf = Shelf(100)
    assert shelf.plan(Made, "x", lambda: Made("x", 1)) == Made("x", 1)
    assert shelf.plan(Other, "x", Other) == Other()


def test_threads_share_plans_and_agree() -> None:
    values = np.random.default_rng(0).normal(size=(90, 5))
    expected = stl(values, 11, robust=True).trend
    with ThreadPoolExecutor(4) as pool:
        for trend in pool.map(lambda _: stl(values, 11, robust=True).trend, range(8)):
            assert np.array_equal(trend, expected)


def test_shelf_of_the_engine_stays_within_its_limit() -> None:
    for period in range(2, 40):
        stl(np.zeros((400, 2)), period, robust=True)
    assert 0 < SHELF.size_bytes <= 256 * 2**20


def test_inner_blocks_share_their_arrays() -> None:
    """Four weeks of five minutes without sharing: 8,064 × 686 × 8 bytes = 44 MB for the trend alone."""
    assert Composed.of(Choices().recipe(8_064, 288, 7)).size_bytes < 12e6


def made(asked: list[str], name: str, size_bytes: int) -> Made:
    asked.append(name)
    return Made(name, size_bytes)


def making(asked: list[str], name: str, size_bytes: int) -> Callable[[], Made]:
    return lambda: made(asked, name, size_bytes)
