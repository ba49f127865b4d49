"""What people get and when, request by request: a table of windows for each story, and nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.scenario import KEYS, LOW, NOTHING, SHOP, Scenario, expect
from tests.figures import Figure
from tests.standins.pagerduty import PagerDutyStandIn
from tests.standins.slack import SlackStandIn

Made = Callable[..., Scenario]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """``make(yaml, countries)``; loaded and begun by ``start``."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    made: list[Scenario] = []
    with SlackStandIn() as slack, PagerDutyStandIn() as pagerduty:

        def one(yaml: str = SHOP, countries: tuple[str, ...] = ("DE",)) -> Scenario:
            made.append(Scenario(tmp_path, slack, pagerduty, yaml, countries=countries))
            return made[-1]

        yield one
        for scenario in made:
            scenario.close()


def test_a_drop_is_one_message_after_the_group_wait_and_its_end_is_an_edit(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 3, LOW)
    story.start(10)
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", "DE", "40"),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
    )


def test_what_is_over_within_the_group_wait_ends_after_the_group_interval(make: Made) -> None:
    story = make(SHOP.replace("bucket: 1m", "bucket: 1m\n    delay: 0s"))
    story.sells("DE", 0, 1, LOW)
    story.start(8)
    story.until("01:10")
    story.check()
    story.until("08:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
    )


def test_incidents_of_one_evaluation_are_one_message_and_one_page(make: Made) -> None:
    story = make(countries=("AT", "CH", "DE", "FR"))
    for country in story.countries:
        story.sells(country, 0, 3, NOTHING)
    story.start(10)
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", "also 3 other countries"),
        expect("01:30", "pager", "trigger", "also 3 other countries", status=202),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
        expect("06:30", "pager", "resolve", status=202),
    )


def test_what_joins_within_the_group_wait_is_in_the_first_message(make: Made) -> None:
    yaml = SHOP + "    delivery: {group_wait: 90s}\n"
    story = make(yaml, countries=("DE", "FR"))
    story.sells("DE", 0, 6, NOTHING)
    story.sells("FR", 1, 6, NOTHING)
    story.start(10)
    story.until("10:00")
    story.check(
        expect("02:30", "team", "root", "also 1 other country"),
        expect("02:30", "pager", "trigger", "also 1 other country", status=202),
        expect("07:30", "team", "edit", "resolved"),
        expect("07:30", "team", "thread", "resolved"),
        expect("07:30", "pager", "resolve", status=202),
    )


def test_what_joins_later_waits_for_the_group_interval(make: Made) -> None:
    story = make(countries=("DE", "FR", "IT"))
    story.sells("DE", 0, 12, NOTHING)
    story.sells("FR", 2, 12, NOTHING)
    story.sells("IT", 4, 12, NOTHING)
    story.start(20)
    story.until("20:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("01:30", "pager", "trigger", status=202),
        # Five minutes after the first one, together.
        expect("06:30", "team", "edit", "also 2 other countries"),
        expect("06:30", "team", "thread", "FR", "IT"),
        expect("06:30", "pager", "trigger", status=202),
        expect("13:00", "team", "edit", "resolved"),
        expect("13:00", "team", "thread", "resolved"),
        expect("13:00", "pager", "resolve", status=202),
    )
    assert story.pagerduty.pages == 1


def test_a_rise_in_severity_waits_for_nothing(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 3, LOW)
    story.sells("DE", 3, 6, NOTHING)
    story.start(10)
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", "warning"),
        expect("04:00", "team", "edit", "critical"),
        expect("04:00", "team", "broadcast", "severity rose to critical"),
        expect("04:00", "pager", "trigger", status=202),
        expect("09:00", "team", "edit", "resolved"),
        expect("09:00", "team", "thread", "resolved"),
        expect("09:00", "pager", "resolve", status=202),
    )


def test_a_receiver_that_fails_is_tried_again_and_delays_no_other(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 5, NOTHING)
    story.start(10)
    story.slack.fail("chat.postMessage", "status", status=429, retry_after="45")
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", status=429),
        expect("01:30", "pager", "trigger", status=202),
        expect("02:15", "team", "root", "DE"),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
        expect("06:30", "pager", "resolve", status=202),
    )


def test_an_answer_that_was_lost_is_looked_for_and_not_said_again(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 5, LOW)
    story.start(10)
    story.slack.fail("chat.postMessage", "drop", after_effect=True)
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
    )
    assert len(story.slack.messages()) == 1


def test_a_reload_repeats_nothing_and_a_removed_rule_resolves(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 30, LOW)
    story.start(30)
    story.until("03:10")
    story.reload()
    story.until("04:10")
    story.write(SHOP.replace("below: 50", "below: 45"))
    story.reload()
    story.until("06:10")
    story.write(SHOP.replace("  health:", "  other:"))
    story.reload()
    story.until("07:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("06:30", "team", "edit", "resolved after"),
        expect("06:30", "team", "thread", "rule removed"),
    )


def test_a_restart_in_the_group_wait_keeps_its_time(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 3, LOW)
    story.start(10)
    story.until("01:10")
    story.restart()
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
    )


def test_what_stays_open_is_said_again_in_its_thread_and_never_paged_again(make: Made) -> None:
    story = make(SHOP + "    delivery: {repeat_interval: 10m}\n")
    story.sells("DE", 0, 18, NOTHING)
    story.start(20)
    story.until("20:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("01:30", "pager", "trigger", status=202),
        expect("11:30", "team", "edit", "critical"),
        expect("11:30", "team", "thread", "still open since"),
        expect("19:00", "team", "edit", "resolved"),
        expect("19:00", "team", "thread", "resolved"),
        expect("19:00", "pager", "resolve", status=202),
    )


def test_an_acknowledgement_ends_reminders_and_never_the_resolve(make: Made) -> None:
    story = make(SHOP + "    delivery: {repeat_interval: 10m}\n")
    story.sells("DE", 0, 18, NOTHING)
    story.start(20)
    story.until("04:10")
    for _ in range(2):  # a double click
        story.app.actions.acknowledge(story.group(), by="ann", via="cli", now=story.now)
    story.until("20:00")
    story.check(
        expect("01:30", "team", "root", "DE"),
        expect("01:30", "pager", "trigger", status=202),
        expect("04:10", "team", "edit", "acknowledged"),
        expect("04:10", "team", "thread", "acknowledged by ann"),
        expect("04:10", "pager", "acknowledge", status=202),
        expect("19:00", "team", "edit", "resolved"),
        expect("19:00", "team", "thread", "resolved"),
        expect("19:00", "pager", "resolve", status=202),
    )


def test_what_is_silenced_while_it_fires_still_closes_its_page_and_its_message(make: Made, figure: Figure) -> None:
    story = make(countries=("DE", "FR"))
    story.sells("DE", 0, 8, NOTHING)
    story.sells("FR", 4, 8, NOTHING)
    story.start(12)
    story.until("03:10")
    story.app.actions.silence(
        story.group(), timedelta(hours=1), by="ann", comment="a deployment", via="cli", now=story.now
    )
    story.until("12:00")
    assert story.pagerduty.open == []
    assert story.pagerduty.pages == 1
    (root,) = story.slack.messages()
    assert "resolved" in root.shown
    threads = [seen for seen in story.seen if seen.what in ("thread", "broadcast") and seen.at > timedelta(minutes=4)]
    assert threads == []
    figure(
        "T14", "silenced while firing, resolved under silence: 0 pages open, the root reads resolved, 0 thread posts"
    )


def test_a_silence_that_ends_while_it_still_fires_is_one_notice(make: Made) -> None:
    story = make()
    story.sells("DE", 2, 12, NOTHING)
    story.start(20)
    story.app.actions.silence_matching(
        {"metric": "shop.*"}, timedelta(minutes=8), by="ann", comment="a move", via="cli", now=story.now
    )
    story.until("20:00")
    story.check(
        expect("08:30", "team", "root", "DE"),
        expect("08:30", "pager", "trigger", status=202),
        expect("13:30", "team", "edit", "resolved"),
        expect("13:30", "team", "thread", "resolved"),
        expect("13:30", "pager", "resolve", status=202),
    )


def test_who_acknowledges_within_the_group_wait_is_named_in_the_first_message(make: Made) -> None:
    story = make()
    story.sells("DE", 0, 3, NOTHING)
    story.start(10)
    story.until("01:10")
    story.check()
    story.app.actions.acknowledge(story.group(), by="ann", via="cli", now=story.now)
    story.until("10:00")
    story.check(
        expect("01:30", "team", "root", "acknowledged 12:01 UTC by ann"),
        expect("01:30", "pager", "trigger", status=202),
        expect("01:30", "pager", "acknowledge", status=202),
        expect("06:30", "team", "edit", "resolved"),
        expect("06:30", "team", "thread", "resolved"),
        expect("06:30", "pager", "resolve", status=202),
    )
