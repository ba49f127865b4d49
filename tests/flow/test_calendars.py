"""A calendar from YAML to the message: holidays of the real taxi series, and the days of a small shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from alerting import sample
from alerting.app import reading
from alerting.app.pictures import trace
from alerting.backtest import replay
from alerting.core.incidents import Incident
from tests.flow.conftest import Made, make
from tests.flow.test_life import quiet
from tests.flow.world import HOUR, NOON, World
from tests.warehouse.rigs import DuckRig

__all__ = ["make"]

CITY = """\
version: 1
sources:
  city: {url: "URL", naive_time: America/New_York}
receivers:
  team: {console: {}}
calendars:
  us:
    country: US
    recurring: [black_friday]
    effect: EFFECT
queries:
  rides:
    source: city
    bucket: 30m
    timezone: America/New_York
    history: 260d
    sql: SELECT time, passengers FROM rides WHERE time >= :start AND time < :end
metrics:
  city.taxi: {query: rides, value: passengers, rollup: sum, better: higher, unit: passengers}
subscriptions:
  city:
    metrics: [city.taxi]
    timezone: America/New_York
    calendars: [us]
    detect: [threshold: {below: 9000, during: "Mon-Sun 08:00-23:00"}]
    notify: {warning: [team]}
"""
SINCE = datetime(2014, 11, 20, 5, tzinfo=UTC)
HOLIDAYS = {
    "2014-11-27": "Thanksgiving Day",
    "2014-11-28": "Black Friday",
    "2014-12-25": "Christmas Day",
    "2015-01-01": "New Year's Day",
}


@pytest.fixture(scope="module")
def rides(tmp_path_factory: pytest.TempPathFactory) -> DuckRig:
    """Taxi passengers in New York, every half hour from July 2014 to January 2015."""
    path = tmp_path_factory.mktemp("rides") / "city.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE rides AS SELECT time::TIMESTAMP AS time, value AS passengers FROM read_csv(?)",
            [str(sample.series()[0].path())],
        )
    return DuckRig(path)


def pulled(world: World) -> World:
    until = sample.series()[0].utc_end()
    world.adopt(until)
    world.at(until)
    return world


def opened(world: World) -> dict[str, Incident]:
    """What a replay from the week before Thanksgiving opens, by local date."""
    steps = replay(world.app.config, world.app.store.points, SINCE, sample.series()[0].utc_end())
    found = [one for step in steps for one in step.decision.change.transitions if one.opens]
    return {f"{one.incident.opened - 5 * HOUR:%Y-%m-%d}": one.incident for one in found if one.incident}


def test_a_muting_calendar_keeps_quiet_on_holidays_only(make: Made, rides: DuckRig) -> None:
    loud = opened(pulled(make(CITY.replace("EFFECT", "annotate"), rides)))
    still = opened(pulled(make(CITY.replace("EFFECT", "mute"), rides)))
    assert HOLIDAYS.keys() <= set(loud)
    assert set(still) == set(loud) - HOLIDAYS.keys()
    assert still, "the snow storm of January is no holiday"


def test_a_note_names_the_day_and_changes_nothing(make: Made, rides: DuckRig) -> None:
    noted = opened(pulled(make(CITY.replace("EFFECT", "annotate"), rides)))
    plain = opened(pulled(make(CITY.replace("EFFECT", "annotate").replace("    calendars: [us]\n", ""), rides)))
    assert {day: one.id for day, one in noted.items()} == {day: one.id for day, one in plain.items()}
    assert {day: one.first.calendar for day, one in noted.items() if one.first.calendar} == HOLIDAYS


def test_why_names_the_calendar_that_muted(make: Made, rides: DuckRig) -> None:
    world = pulled(make(CITY.replace("EFFECT", "mute"), rides))
    thanksgiving = datetime(2014, 11, 27, 14, tzinfo=UTC)
    (why,) = reading.why_point(world.app, "city.taxi", {}, thanksgiving)
    assert why.verdict == "no incident: calendar: muted by calendar us: Thanksgiving Day"
    (ordinary,) = reading.why_point(world.app, "city.taxi", {}, thanksgiving - timedelta(days=3))
    assert "calendar" not in [gate.name for gate in ordinary.gates]


def test_a_chart_carries_the_days_of_its_subscription(make: Made, rides: DuckRig) -> None:
    world = pulled(make(CITY.replace("EFFECT", "model"), rides))
    bench = world.app.bench()
    span = {"since": SINCE, "until": SINCE + timedelta(days=14)}
    found = trace(bench, bench.config.subscriptions["city"], "city.taxi", {}, entry="threshold", **span)
    assert [(event.name, int(event.active.sum())) for event in found.events] == [
        ("Black Friday", 48),
        ("Thanksgiving Day", 48),
    ]


def closed_on(day: str, effect: str) -> str:
    """For the shop of this folder's world: a calendar of one day."""
    return f"calendars:\n  shop: {{days: {{Inventory: {day}}}, effect: {effect}}}\n"


def with_calendar(world: World, effect: str) -> World:
    path = world.metrics / "shop.yaml"
    _write(path, path.read_text(encoding="utf-8") + closed_on(f"{NOON:%Y-%m-%d}", effect))
    world.change("    detect:", "    calendars: [shop]\n    detect:")
    return quiet(world)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def test_nobody_is_told_of_a_drop_on_a_muted_day_until_it_lasts_beyond_it(make: Made) -> None:
    world = with_calendar(make(), "mute")
    world.shop.open_hours(NOON, NOON + 14 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 13 * HOUR)
    assert world.incidents() == []
    assert world.told() == []
    world.hours(NOON + 13 * HOUR, NOON + 15 * HOUR)
    (incident,) = world.incidents(open_only=True)
    assert incident.opened == NOON + 12 * HOUR, "the first bucket of the next day"
    assert world.kinds() == ["trigger"]


def test_an_incident_from_before_stays_open_over_a_muted_day(make: Made) -> None:
    world = make()
    path = world.metrics / "shop.yaml"
    tomorrow = f"{NOON + timedelta(days=1):%Y-%m-%d}"
    _write(path, path.read_text(encoding="utf-8") + closed_on(tomorrow, "mute"))
    world.change("    detect:", "    calendars: [shop]\n    detect:")
    quiet(world)
    world.shop.open_hours(NOON, NOON + 40 * HOUR, 30).open_hours(NOON + 40 * HOUR, NOON + 44 * HOUR).load()
    world.hours(NOON + HOUR, NOON + 39 * HOUR)
    (incident,) = world.incidents()
    assert incident.is_open
    assert [one.kind for one in world.told() if not one.is_reminder] == ["trigger"]
    world.hours(NOON + 39 * HOUR, NOON + 44 * HOUR)
    assert [one.status for one in world.incidents()] == ["resolved"]
    assert world.kinds()[-1] == "resolve"


def test_a_message_names_the_day(make: Made) -> None:
    world = with_calendar(make(), "annotate")
    world.shop.open_hours(NOON, NOON + 3 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 4 * HOUR)
    (first, *_) = world.told()
    assert first.incidents[0].calendar == "Inventory"
    assert any("Inventory" in entry.text for entry in first.changes)


def test_a_calendar_that_changes_is_used_from_the_next_tick_on(make: Made) -> None:
    world = with_calendar(make(), "mute")
    world.shop.open_hours(NOON, NOON + 6 * HOUR, 30).load()
    world.hours(NOON + HOUR, NOON + 3 * HOUR)
    assert world.told() == []
    world.change("effect: mute", "effect: annotate")
    world.reload(NOON + 3 * HOUR)
    world.hours(NOON + 3 * HOUR, NOON + 6 * HOUR)
    assert world.kinds() == ["trigger"]
