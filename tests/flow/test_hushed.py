"""Shadow mode and mute windows: what is judged and shown, and who is told when."""

from __future__ import annotations

import pytest

from alerting.app import reading
from tests.flow.conftest import Made
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, SHOP

LIVE = "    metrics: [shop.orders]\n"
SHADOW = f"{LIVE}    mode: shadow\n"
# The 20th of January 2026 is a Tuesday.
WINDOWED = SHOP.replace(LIVE, f'{LIVE}    mute: ["Tue 14:00-17:00"]\n')
SHADOWED = SHOP.replace(LIVE, SHADOW)


def test_in_shadow_mode_incidents_are_shown_and_nobody_is_told(make: Made) -> None:
    world = quiet(make(SHADOWED))
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).open_hours(NOON + 3 * HOUR, NOON + 8 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 9 * HOUR)
    (incident,) = world.incidents()
    assert incident.status == "resolved"
    assert world.told() == world.told("pager") == []
    story, *_ = reading.why_incident(world.app, incident.id, NOON + 9 * HOUR)
    (trigger, resolve) = [gate for gate in story.gates if gate.name == "receiver team"]
    assert (trigger.passed, resolve.passed) == (False, False)
    assert "trigger 1 muted" in trigger.detail
    assert "shadow: nobody is told; it would have been: 1 incident opened the group" in trigger.detail
    assert "resolve 2 muted" in resolve.detail


def test_what_opened_in_shadow_mode_stays_muted_when_the_subscription_goes_live(make: Made) -> None:
    world = quiet(make(SHADOWED))
    world.shop.open_hours(NOON, NOON + 4 * HOUR, 30).open_hours(NOON + 4 * HOUR, NOON + 8 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    assert len(world.incidents(open_only=True)) == 1
    world.change(SHADOW, LIVE)
    world.reload(NOON + 3 * HOUR)
    world.hours(NOON + 3 * HOUR, NOON + 9 * HOUR)
    assert world.told() == []
    world.shop.open_hours(NOON + 8 * HOUR, NOON + 10 * HOUR, 30).load()
    world.hours(NOON + 9 * HOUR, NOON + 11 * HOUR)
    assert world.kinds() == ["trigger"]


def test_what_was_told_gets_its_resolve_in_shadow_mode(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).open_hours(NOON + 3 * HOUR, NOON + 4 * HOUR, 0)
    world.shop.open_hours(NOON + 4 * HOUR, NOON + 8 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    assert world.kinds() == ["trigger"]
    world.change(LIVE, SHADOW)
    world.reload(NOON + 3 * HOUR)
    world.hours(NOON + 3 * HOUR, NOON + 9 * HOUR)
    assert (world.kinds(), world.kinds("pager")) == (["trigger", "resolve"], [])


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (0, 2, []),  # opens at 14:00, over at 16:00: all of it in the window
        (0, 9, ["trigger"]),  # still firing at 17:00
        (0, 5, ["trigger", "resolve"]),  # told at 17:00, over at 19:00
    ],
)
def test_what_opens_in_a_mute_window_is_told_when_it_still_fires_after_it(
    make: Made, begins: int, ends: int, told: list[str]
) -> None:
    world = quiet(make(WINDOWED))
    low, high = NOON + begins * HOUR, NOON + ends * HOUR
    world.shop.open_hours(NOON, NOON + 9 * HOUR).open_hours(low, high, 30).load()
    world.hours(NOON + HOUR, NOON + 5 * HOUR)
    assert world.told() == []
    (incident,) = world.incidents()
    rows = world.outbox(incident)
    assert (rows[0].state, rows[0].reason) == ("muted", "not sent: mute window Tue 14:00-17:00")
    world.hours(NOON + 5 * HOUR, NOON + 10 * HOUR)
    assert world.kinds() == told
    assert [one.created for one in world.told()] == [NOON + 5 * HOUR, NOON + 7 * HOUR][: len(told)]


def test_what_was_told_before_a_mute_window_is_resolved_in_it(make: Made) -> None:
    world = quiet(make(WINDOWED.replace("Tue 14:00-17:00", "Tue 15:00-20:00")))
    world.shop.open_hours(NOON, NOON + 9 * HOUR).open_hours(NOON, NOON + 3 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 6 * HOUR)
    assert world.kinds() == ["trigger", "resolve"]
    assert world.told()[1].created == NOON + 5 * HOUR
