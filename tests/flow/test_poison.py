"""One subscription whose detector breaks: the others are judged on time, and somebody is told once."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Panel, Verdicts, registry
from detectors.threshold import Threshold
from tests.figures import Figure
from tests.flow.conftest import Made
from tests.flow.test_life import DAYS
from tests.flow.world import HOUR, NOON, SHOP, World

OTHERS = 999
"""They tell nobody: a thousand pictures would take minutes and show nothing of who is judged when."""


class Poison(Threshold):
    """Breaks as foreign code does: with an error of its own."""

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        raise ZeroDivisionError("s3cret in a message of foreign code")


ONE = """\
  {name}:
    metrics: [shop.orders]
    detect: [{detector}: {{below: 50}}]
    mode: {mode}
    notify: {{warning: [team]}}
"""


def subscriptions() -> str:
    others = [ONE.format(name=f"s{number:03}", detector="threshold", mode="shadow") for number in range(OTHERS)]
    return "".join([SHOP[: SHOP.index("  health:")], ONE.format(name="bad", detector="poison", mode="live"), *others])


@pytest.mark.timeout(900)  # 40 s of its own, on a machine with others much more
def test_one_that_breaks_stops_no_other_and_is_told_once(
    make: Made, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "poison", "tests.flow.test_poison:Poison")
    world: World = make(subscriptions())
    world.shop.open_hours(NOON - DAYS, NOON).open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.adopt(NOON)
    world.hours(NOON, NOON + 3 * HOUR)
    found = world.incidents()
    assert len(found) == OTHERS
    assert {one.detected for one in found} == {NOON + 2 * HOUR}
    (ailment,) = world.ailments()
    assert (ailment.kind, ailment.is_open) == ("judging", True)
    assert ailment.last.reason.startswith("shop.orders of bad cannot be judged: ZeroDivisionError")
    assert world.kinds("ops") == ["trigger"]
    assert "s3cret" not in world.told("ops")[0].model_dump_json()
    figure("T18", f"1 poison of 1,000: {len(found)} others judged in the evaluation of their hour, 1 notice")

    # Mended, the ailment ends.
    monkeypatch.setitem(registry.BUILT_IN, "poison", "detectors.threshold:Threshold")
    world.restart()
    world.adopt(NOON + 3 * HOUR)
    world.at(NOON + 4 * HOUR)
    assert world.kinds("ops") == ["trigger", "resolve"]
