"""What a silence matches, how long it may last and which one is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.core.silences import BadSilence, Silence, checked, ended, matches, preview, silence, silenced_by
from tests.core.readings_of import HOUR, NOW, incident_after

DE = incident_after("aa")


def made(hours: float = 2, **matchers: str) -> Silence:
    return silence(
        matchers or {"metric": "checkout.*"}, NOW, NOW + hours * HOUR, author="ann", comment="deploy", now=NOW
    )


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        ({"metric": "checkout.orders"}, True),
        ({"metric": "checkout.*"}, True),
        ({"metric": "payments.*"}, False),
        ({"metric": "CHECKOUT.*"}, False),
        ({"subscription": "checkout-health"}, True),
        ({"subscription": "checkout"}, False),
        ({"query": "checkout-health"}, False),
        ({"country": "DE"}, True),
        ({"country": "D*"}, False),
        ({"metric": "checkout.*", "country": "FR"}, False),
        ({"device": ""}, True),
        ({"device": "mobile"}, False),
    ],
)
def test_every_matcher_must_match(matchers: dict[str, str], expected: bool) -> None:
    assert matches(matchers, DE.subject, DE.metric, DE.labels) is expected


def test_the_health_of_a_query_is_matched_by_its_name() -> None:
    assert matches({"query": "orders_hourly"}, "query:orders_hourly", "orders_hourly", {})
    assert not matches({"subscription": "orders_hourly"}, "query:orders_hourly", "orders_hourly", {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matchers": {}}, "a silence of everything is not possible"),
        ({"author": ""}, "name the author"),
        ({"comment": ""}, "needs a comment"),
        ({"ends": NOW}, "would be over already"),
        ({"ends": NOW + timedelta(days=30, seconds=1)}, "at most 30 d"),
    ],
)
def test_a_silence_that_may_not_be_says_what_to_change(change: dict[str, object], message: str) -> None:
    with pytest.raises(BadSilence, match=message):
        checked(replace(made(), **change), NOW)  # type: ignore[arg-type]  # one field at a time


def test_thirty_days_are_counted_from_the_start() -> None:
    later = NOW + timedelta(days=10)
    assert checked(replace(made(), starts=later, ends=later + timedelta(days=30)), NOW)


def test_two_silences_made_at_once_by_two_people_have_two_names() -> None:
    other = silence({"metric": "checkout.*"}, NOW, NOW + 2 * HOUR, author="bob", comment="deploy", now=NOW)
    assert other.id != made().id


def test_a_silence_holds_from_its_start_until_its_end_was_told() -> None:
    one = made(2)
    assert not one.holds(NOW - HOUR)
    assert (one.is_running(NOW), one.holds(NOW)) == (True, True)
    assert (one.is_running(NOW + 2 * HOUR), one.holds(NOW + 2 * HOUR)) == (False, True)
    assert not replace(one, told_end=NOW + 2 * HOUR).holds(NOW + 2 * HOUR)
    assert ended([one], NOW + HOUR) == ()
    assert ended([one], NOW + 2 * HOUR) == (one,)


def test_of_several_silences_the_one_that_ends_last_is_named() -> None:
    short, long, other = made(1), made(3), made(9, country="FR")
    assert silenced_by(DE, [long, short, other], NOW) == long
    assert silenced_by(DE, [other], NOW) is None


def test_a_preview_lists_what_would_be_quiet() -> None:
    french = replace(DE, id="another", labels={"country": "FR"})
    assert preview(made(1, country="FR"), [DE, french]) == (french,)


def test_the_reason_names_end_author_and_comment() -> None:
    assert made(2).text() == "silenced until Sun 2026-02-01 02:00 UTC by ann: deploy"
