from __future__ import annotations

from dataclasses import replace

from alerting.app.rules import is_wanted
from tests.flow.conftest import Made, make
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World

__all__ = ["make"]
LATER = NOON + 3 * HOUR


def texts(world: World) -> dict[str, tuple[str, str]]:
    """By path: the text that is kept, and the error of the newest one."""
    return {path: (file.text, file.error) for path, file in world.app.store.config_files.all().items()}


def test_the_last_good_text_is_kept_beside_the_error_of_the_newest(make: Made) -> None:
    world = quiet(make())
    ((path, (good, error)),) = texts(world).items()
    assert (path, error) == ("shop.yaml", "")
    world.change("below: 50", "bellow: 50")
    world.reload(LATER)
    ((_, (kept, error)),) = texts(world).items()
    assert kept == good
    assert error.startswith("shop.yaml:21:")
    world.change("bellow: 50", "below: 60")
    world.reload(LATER)
    ((_, (kept, error)),) = texts(world).items()
    assert "below: 60" in kept
    assert error == ""


def test_a_file_that_was_deleted_is_forgotten_unless_another_one_is_bad(make: Made) -> None:
    world = make()
    world.write("version: 1\nreceivers:\n  more: {console: {}}\n", "more.yaml")
    quiet(world)
    assert set(texts(world)) == {"more.yaml", "shop.yaml"}
    (world.metrics / "more.yaml").unlink()
    world.change("below: 50", "bellow: 50")
    world.reload(LATER)
    assert set(texts(world)) == {"more.yaml", "shop.yaml"}
    world.change("bellow: 50", "below: 50")
    world.reload(LATER)
    assert set(texts(world)) == {"shop.yaml"}


def test_an_incident_is_wanted_while_a_rule_stands_behind_it(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    (incident,) = world.incidents()
    config = world.app.config
    silent, gone = replace(incident.first, detector=""), replace(incident.first, detector="gone")
    nobody = replace(incident, first=silent, worst=silent, last=silent)
    other = replace(incident, first=gone, worst=gone, last=gone)
    cases = [
        (incident, True),
        (nobody, True),
        (other, False),
        (replace(other, last=incident.last), True),
        (replace(incident, subject="subscription:gone"), False),
        (replace(incident, metric="gone"), False),
        (replace(incident, subject="query:orders_hourly", kind="late"), True),
        (replace(incident, subject="query:gone", kind="late"), False),
        (replace(incident, subject="config:shop.yaml", kind="config"), True),
    ]
    for case, expected in cases:
        assert is_wanted(case, config) is expected, (case.subject, case.metric, case.last.detector)


def test_loading_the_same_files_again_changes_and_sends_nothing(make: Made) -> None:
    world = quiet(make())
    world.shop.open_hours(NOON, NOON + 2 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    before = repr((world.incidents(), world.app.store.outbox.rows()))
    world.reload(LATER)
    world.deliver(LATER)
    assert repr((world.incidents(), world.app.store.outbox.rows())) == before
