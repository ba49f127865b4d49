"""Calendars as people write them: every way to name a day, and the line that tells a mistake."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from config.model import Calendar, MonthDay, NthWeekday
from tests.config.folders import SHOP, lines, loaded

BLACK_FRIDAY = NthWeekday("Black Friday", 3, 4, 11, days_after=1)


def with_calendar(body: str, named: str = "[x]") -> str:
    return SHOP.replace("    notify:", f"    calendars: {named}\n    notify:") + f"calendars:\n  x: {body}\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{country: US}", Calendar("x", "US")),
        ("{country: DE, subdivision: BY}", Calendar("x", "DE", "BY")),
        ("{country: DE, subdivision: Bayern}", Calendar("x", "DE", "Bayern")),
        ("{country: NO}", Calendar("x", "NO")),
        ("{days: {Sale: 2026-11-27}}", Calendar("x", days={"Sale": (date(2026, 11, 27),)})),
        (
            "{days: {Sale: [2026-11-27, '2025-11-28']}}",
            Calendar("x", days={"Sale": (date(2025, 11, 28), date(2026, 11, 27))}),
        ),
        (
            "{days: {Closed: 2026-12-30/2027-01-01}}",
            Calendar("x", days={"Closed": (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1))}),
        ),
        (
            "{recurring: [month_end, month_start]}",
            Calendar("x", recurring=(MonthDay("Month end", 31), MonthDay("Month start", 1))),
        ),
        ("{recurring: [black_friday]}", Calendar("x", recurring=(BLACK_FRIDAY,))),
        (
            "{recurring: [{day: 25, weekend: before, name: Pay day}]}",
            Calendar("x", recurring=(MonthDay("Pay day", 25, weekend="before"),)),
        ),
        ("{recurring: [{day: 24, month: 12}]}", Calendar("x", recurring=(MonthDay("24 December", 24, 12),))),
        (
            "{recurring: [{weekday: tuesday, nth: 2}, {weekday: monday, nth: last, month: 5}]}",
            Calendar(
                "x",
                recurring=(NthWeekday("2nd Tuesday of the month", 1, 2), NthWeekday("Last Monday of May", 0, -1, 5)),
            ),
        ),
        ("{country: US, before: 2d, after: P1D}", Calendar("x", "US", before=2, after=1)),
        ("{country: US, before: 1w, effect: mute}", Calendar("x", "US", before=7, effect="mute")),
    ],
)
def test_what_is_written_becomes_the_calendar_of_the_subscription(
    tmp_path: Path, body: str, expected: Calendar
) -> None:
    found = loaded(tmp_path, {"a.yaml": with_calendar(body)})
    assert lines(found) == []
    assert found.config.calendars == {"x": expected}
    assert found.config.subscriptions["health"].calendars == (expected,)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{}", "a.yaml:21:3: calendars.x: has no day: write country, days or recurring"),
        ("[us]", "a.yaml:21:6: calendars.x: should be a mapping such as {key: value}"),
        ("{county: US}", "a.yaml:21:7: calendars.x.county: unknown key; did you mean 'country'?"),
        ("{country: USAA}", "a.yaml:21:16: calendars.x.country: no country has the code 'USAA'; did you mean 'USA'?"),
        ("{country: us}", "calendars.x.country: no country has the code 'us'; did you mean 'US'?"),
        ("{country: Germany}", "calendars.x.country: no country has the code 'Germany'; did you mean 'DE'?"),
        ("{country: 12}", "calendars.x.country: should be text; put it in quotes, not 12"),
        ("{country: US, subdivision: CAL}", "calendars.x.subdivision: US has no subdivision 'CAL'; did you mean 'CA'?"),
        (
            "{country: SG, subdivision: A}",
            "calendars.x.subdivision: no subdivisions of SG are known: leave the key out",
        ),
        ("{subdivision: CA}", "calendars.x.subdivision: stands without country"),
        ("{country: US, effect: silence}", "calendars.x.effect: should be 'model', 'widen', 'mute' or 'annotate', not"),
        ("{days: {Sale: 27.11.2026}}", "calendars.x.days.Sale: '27.11.2026' is not a date: write 2026-11-27"),
        ("{days: {Sale: 20261127}}", "calendars.x.days.Sale: 20261127 is not a date: write 2026-11-27"),
        ("{days: {Sale: 2026-02-30}}", "calendars.x.days.Sale: '2026-02-30' is not in the calendar"),
        ("{days: {Sale: []}}", "calendars.x.days.Sale: is empty: write a date such as 2026-11-27"),
        ("{days: {Sale: 2026-12-31/2026-12-24}}", "calendars.x.days.Sale: '2026-12-31/2026-12-24' is not a stretch of"),
        ("{days: [2026-12-31]}", "calendars.x.days: should be a mapping such as {key: value}"),
        ("{country: US, before: 36h}", "calendars.x.before: '36h' is not a number of whole days: write 1d"),
        ("{country: US, before: 1}", "calendars.x.before: 1 is not a number of whole days: write 1d"),
        (
            "{country: US, after: 90d}",
            "calendars.x.after: '90d' is not a number of whole days: write 1d, or 31d at most",
        ),
        ("{recurring: [month_ends]}", "mapping such as {key: value}, not 'month_ends'; did you mean 'month_end'?"),
        ("{recurring: [{day: 32}]}", "calendars.x.recurring[0].day: should be less than or equal to 31, not 32"),
        ("{recurring: [{weekday: friday}]}", "calendars.x.recurring[0]: should be a day, {day: 25}, or a weekday"),
        (
            "{recurring: [{day: 1, weekday: friday, nth: 1}]}",
            "calendars.x.recurring[0]: should be a day, {day: 25}, or",
        ),
        ("{recurring: [{weekday: frday, nth: 1}]}", "not 'frday'; did you mean 'friday'?"),
        ("{recurring: [{dy: 1}]}", "calendars.x.recurring[0].dy: unknown key"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, body: str, told: str) -> None:
    found = loaded(tmp_path, {"a.yaml": with_calendar(body)})
    assert len(found.errors) == 1, lines(found)
    assert told in lines(found)[0]


def test_a_calendar_that_nobody_wrote_names_the_nearest(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.yaml": with_calendar("{country: US}", "[x, xx]")})
    assert lines(found) == [
        "a.yaml:18:20: subscriptions.health.calendars[1]: no calendar is called 'xx'; did you mean 'x'?"
    ]


def test_defaults_bring_calendars_to_every_subscription_and_an_empty_list_takes_them_back(tmp_path: Path) -> None:
    text = SHOP + "calendars: {us: {country: US}}\ndefaults: {calendars: [us]}\n"
    found = loaded(tmp_path, {"a.yaml": text})
    assert [one.name for one in found.config.subscriptions["health"].calendars] == ["us"]
    without = loaded(tmp_path, {"a.yaml": text.replace("    notify:", "    calendars: []\n    notify:")})
    assert without.config.subscriptions["health"].calendars == ()


def test_defaults_that_name_no_calendar_are_told_though_no_subscription_uses_them(tmp_path: Path) -> None:
    text = SHOP.partition("subscriptions:")[0] + "defaults: {calendars: [us]}\n"
    (line,) = lines(loaded(tmp_path, {"a.yaml": text}))
    assert line.endswith("defaults.calendars[0]: no calendar is called 'us'; there are none yet")


def test_a_calendar_that_no_longer_loads_is_the_last_good_one(tmp_path: Path) -> None:
    good = with_calendar("{country: US}")
    found = loaded(tmp_path, {"a.yaml": with_calendar("{country: XX}")}, last_good={"a.yaml": good})
    assert found.config.subscriptions["health"].calendars == (Calendar("x", "US"),)
    assert found.fallen_back == ("a.yaml",)


def test_the_table_of_holidays_is_loaded_only_where_a_country_is_written(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import alerting.core.calendars; from config.loader import load; "
        "found = load(Path(sys.argv[1])); print(len(found.config.calendars), 'holidays' in sys.modules)"
    )

    def answer(body: str) -> str:
        (tmp_path / "a.yaml").write_text(f"calendars: {{x: {body}}}\n", encoding="utf-8")
        command = [sys.executable, "-c", code, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert answer("{recurring: [month_end]}") == "1 False"
    assert answer("{country: US}") == "1 True"
