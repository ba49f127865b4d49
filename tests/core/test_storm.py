"""When too much happens at once, whoever is woken is woken once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from alerting.core.audiences import Audience
from alerting.core.groups import Delivery
from alerting.core.notices import plan
from alerting.core.storm import MOST_GROUPS, WITHIN, storm_key, storm_subject
from alerting.core.views import MOST_INCIDENTS
from tests.core.audience_of import SUBJECT, Watch, audience

PAGER = "checkout-pager"
STORM = Audience(storm_subject(PAGER), f"storm of {PAGER}", {"info": (PAGER,)}, pages=True)


class StormyWatch(Watch):
    """One group for each country, and a pager."""

    def audiences(self) -> dict[str, Audience]:
        return {SUBJECT: self.audience, STORM.subject: STORM}


def watch() -> StormyWatch:
    return StormyWatch(audience({"warning": ("growth-slack",), "critical": (PAGER,)}, ("country",)))


def to(receiver: str, deliveries: list[Delivery]) -> list[Delivery]:
    return [one for one in deliveries if one.receiver == receiver]


def countries(count: int, letter: str = "C", start: int = 0) -> dict[str, str]:
    return {f"C{number:03d}": letter for number in range(start, start + count)}


def test_thirty_new_groups_are_thirty_pages() -> None:
    assert len(to(PAGER, watch().see_all(countries(MOST_GROUPS)))) == MOST_GROUPS


def test_more_are_one_page_with_counts_and_the_worst_fifty() -> None:
    found = watch().see_all(countries(200))
    (page,) = to(PAGER, found)
    assert (page.kind, len(page.payload.incidents), page.payload.unlisted) == ("trigger", MOST_INCIDENTS, 150)
    assert page.payload.subscription == f"storm of {PAGER}"
    assert len(to("growth-slack", found)) == 200


def test_a_storm_takes_in_what_comes_later_and_ends_once() -> None:
    seen = watch()
    seen.see_all(countries(200))
    (joined,) = to(PAGER, seen.see_all(countries(5, start=200)))
    assert (joined.kind, joined.payload.joined) == ("update", True)
    (end,) = to(PAGER, seen.see_all(countries(205, ".")))
    assert end.kind == "resolve"
    assert len(to(PAGER, seen.see_all(countries(3)))) == 3


def test_groups_of_the_last_minutes_count() -> None:
    seen = watch()
    seen.see_all(countries(20))
    seen.hour -= 1
    assert len(to(PAGER, seen.see_all(countries(20, start=20), WITHIN - timedelta(seconds=1)))) == 1
    calm = watch()
    calm.see_all(countries(20))
    assert len(to(PAGER, calm.see_all(countries(20, start=20)))) == 20


def test_what_is_only_recorded_makes_no_storm() -> None:
    seen = watch()
    seen.audience = replace(seen.audience, mute="not sent: for the test")
    recorded = to(PAGER, seen.see_all(countries(200)))
    assert (len(recorded), {one.is_muted for one in recorded}) == (200, {True})


def test_nothing_stirs_no_storm() -> None:
    assert plan((), (), (), {STORM.subject: STORM}, now=watch().now).deliveries == ()
    assert storm_key(PAGER) != storm_key("other")
