from __future__ import annotations

import io
import math

import pytest

from notifiers import Spark
from notifiers.console import Console
from notifiers.errors import NotSent
from tests.notifiers.examples import incident, notification, resolve, update

DAYS = [1000 + 300 * math.sin(hour / 24 * 2 * math.pi) for hour in range(60)]
SPARK = Spark(
    observed=tuple(value - (500 if hour > 56 else 0) for hour, value in enumerate(DAYS)),
    lower=tuple(value - 100 for value in DAYS),
    upper=tuple(value + 100 for value in DAYS),
    anomalies=tuple(hour > 56 for hour in range(60)),
)


def printed(colour: bool = False, **changes: object) -> str:
    out = io.StringIO()
    Console.printing_to(out, colour=colour).send(notification(**changes))
    return out.getvalue()


def test_it_reads_like_the_slack_message() -> None:
    assert printed().splitlines() == [
        "● Orders, Germany: 41 % below expected  · critical",
        "  since Mon 14:00 (19:00 UTC, 2 h): 612 orders/h, usually 980 – 1,140 at this hour on Mondays",
        (
            "  checkout · Runbook: https://runbooks.acme.example/checkout"
            " · Dashboard: https://mw.acme.example/incidents/1?a=1&b=2"
        ),
        "  checkout.orders (country=Germany) · seasonal score 2.4 · checkout-health · incident 20260105T1900-4f2a",
        "",
    ]


def test_the_small_chart_stands_below_the_first_two_lines() -> None:
    rows = printed(spark=SPARK).splitlines()[2:6]
    assert rows[0].endswith(" 1,400")
    assert rows[3].endswith(" 578")
    assert any("\u2801" <= sign <= "\u28ff" for sign in rows[1])
    assert "░" in "".join(rows)


def test_a_chart_without_readings_is_left_out() -> None:
    assert printed(spark=Spark(observed=(None, None))) == printed()


def test_a_gap_in_the_readings_is_a_gap_in_the_line() -> None:
    row = printed(spark=Spark(observed=(1.0,) * 5 + (None,) * 10 + (1.0,) * 5)).splitlines()[4]
    assert "  " in row.strip()


def test_there_is_no_colour_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Console().send(notification(spark=SPARK))
    assert "\x1b" not in capsys.readouterr().out


def test_anomalies_are_red_in_a_terminal() -> None:
    assert "\x1b[1;31" in printed(colour=True, spark=SPARK)


def test_names_are_no_markup() -> None:
    odd = incident(dimensions={"x": "[red]a[/red] :smile: [link=file:///x]b[/link]"})
    out = io.StringIO()
    Console.printing_to(out, colour=True).send(notification(odd))
    assert "[red]a[/red] :smile: [link=file:///x]b[/link]" in out.getvalue()
    assert "\x1b]8" not in out.getvalue()


def test_updates_say_what_changed_and_resolves_how_it_ended() -> None:
    out = io.StringIO()
    console = Console.printing_to(out)
    console.send(update("x"))
    console.send(resolve("x"))
    assert "  │ Mon 16:00 (21:00 UTC): Orders, France: joined, 38 % below expected" in out.getvalue()
    assert "✓ Orders, Germany: resolved after 2 h 10 m, 41 % at worst" in out.getvalue()


def test_a_terminal_without_unicode_gets_the_words() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Console.printing_to(out).send(notification())
    out.flush()
    assert b"Orders, Germany: 41 % below expected" in raw.getvalue()


def test_a_closed_output_was_surely_not_told() -> None:
    out = io.StringIO()
    out.close()
    with pytest.raises(NotSent):
        Console.printing_to(out).send(notification())


def test_the_registry_console_takes_no_parameters() -> None:
    assert Console.model_fields == {}
