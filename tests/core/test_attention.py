"""Notices around silences, acknowledgements and reminders, told as short stories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from alerting.core.actions import Action
from alerting.core.attention import Attention, Remark, groups_with, reminder_due, reminders
from alerting.core.groups import Delivery
from alerting.core.incidents import SeriesState, Transition
from alerting.core.notices import plan
from alerting.core.silences import Silence, silence
from alerting.core.views import superseding
from tests.core.audience_of import SUBJECT, Watch, audience
from tests.core.readings_of import HOUR, START

COMMENT = "silenced until Tue 2026-01-06 00:00 UTC by ann: deploy"


def silenced(hours: float = 24, **matchers: str) -> Silence:
    what = matchers or {"metric": "checkout.*"}
    return silence(what, START, START + hours * HOUR, author="ann", comment="deploy", now=START)


def taken(*names: str, by: str = "ann", hour: int = 1) -> dict[str, Action]:
    action = Action(START + hour * HOUR, by, "cli", "acknowledge", names[0], "", names)
    return dict.fromkeys(names, action)


@dataclass
class Attended(Watch):
    """A watch under attention; every delivery that is not muted counts as sent."""

    attention: Attention = field(default_factory=Attention)
    remarks: Sequence[Remark] = ()

    def tell(
        self, transitions: Sequence[Transition], changed: Sequence[SeriesState], now: datetime | None = None
    ) -> list[Delivery]:
        planned = plan(
            transitions,
            changed,
            self.open_groups(),
            {self.audience.subject: self.audience},
            now=now or self.now,
            attention=self.attention,
            remarks=self.remarks,
        )
        sent = {one.group_id: one.sequence for one in planned.deliveries if not one.is_muted}
        for group in planned.groups:
            self.groups[group.id] = replace(group, sent_version=sent.get(group.id, group.sent_version))
        self.deliveries += planned.deliveries
        return list(planned.deliveries)

    def remark(self, text: str, **about: object) -> list[Delivery]:
        names = frozenset(group.id for group in self.open_groups() if not group.is_muted)
        self.remarks = [Remark(names, text, **about)]  # type: ignore[arg-type]  # event or calls_again
        told = self.tell([], [])
        self.remarks = ()
        return told


def test_what_opens_while_it_is_silenced_is_recorded_with_the_reason() -> None:
    watch = Attended(attention=Attention((silenced(),)))
    (delivery,) = watch.see(DE="a")
    assert (delivery.is_muted, delivery.reason) == (True, f"not sent: {COMMENT}")
    (end,) = watch.see(DE=".")
    assert (end.kind, end.is_muted) == ("resolve", True)


def test_of_two_incidents_only_the_one_that_is_not_silenced_is_told() -> None:
    watch = Attended(attention=Attention((silenced(country="DE"),)))
    told = watch.see(DE="a", FR="a")
    assert sorted((one.is_muted, one.payload.incidents[0].dimensions["country"]) for one in told) == [
        (False, "FR"),
        (True, "DE"),
    ]


def test_a_told_group_is_edited_quietly_while_all_that_is_open_is_silenced() -> None:
    watch = Attended()
    watch.see(DE="a", FR="a")
    watch.attention = Attention((silenced(),))
    (update,) = watch.see(DE=".", FR="a")
    assert (update.payload.quiet, update.payload.silenced_until) == (True, START + 24 * HOUR)
    assert update.mute_untold == f"not sent: {COMMENT}"
    (end,) = watch.see(DE=".", FR=".")
    assert (end.kind, end.is_muted, end.payload.quiet, end.payload.silenced_until) == ("resolve", False, True, None)


def test_one_open_incident_that_is_not_silenced_keeps_the_group_loud() -> None:
    watch = Attended()
    watch.see(DE="a", FR="a", US="a")
    watch.attention = Attention((silenced(country="DE"),))
    (update,) = watch.see(DE="a", FR="a", US=".")
    assert (update.payload.quiet, update.payload.silenced_until) == (False, None)


def test_a_severity_that_rises_under_a_silence_pages_nobody() -> None:
    watch = Attended()
    watch.see(DE="a")
    watch.attention = Attention((silenced(),))
    told = {one.receiver: one for one in watch.see(DE="C")}
    assert told["growth-slack"].payload.quiet
    assert told["checkout-pager"].is_muted


def test_an_acknowledgement_stops_no_rising_severity_and_no_end() -> None:
    watch = Attended()
    watch.see(DE="a")
    watch.attention = Attention(acknowledged=taken(watch.incident("DE").id))
    update, page = watch.see(DE="C")
    assert (update.payload.acknowledged_by, update.payload.quiet) == ("ann", False)
    assert (page.kind, page.is_muted) == ("trigger", False)
    assert {one.kind for one in watch.see(DE=".")} == {"resolve"}


def test_a_group_is_acknowledged_when_all_that_is_open_is() -> None:
    watch = Attended()
    watch.see(DE="a", FR="a")
    german, french = watch.incident("DE").id, watch.incident("FR").id
    watch.attention = Attention(acknowledged=taken(german))
    (part,) = watch.remark("acknowledged by ann")
    assert part.payload.acknowledged_at is None
    watch.attention = Attention(acknowledged=taken(german) | taken(french, by="bob", hour=2))
    (whole,) = watch.remark("acknowledged by bob", event="acknowledged")
    assert (whole.payload.acknowledged_by, whole.payload.acknowledged_at) == ("bob", START + 2 * HOUR)
    assert (whole.payload.event, whole.not_before, whole.reason) == ("acknowledged", watch.now, "acknowledged by bob")
    assert [change.text for change in whole.payload.changes] == ["acknowledged by bob"]


def test_a_remark_while_the_trigger_waits_goes_out_with_it() -> None:
    watch = Watch()
    (first,) = watch.see(DE="a")
    (group,) = watch.open_groups()
    remark = Remark(frozenset({group.id}), "acknowledged by ann", "acknowledged")
    known = {SUBJECT: watch.audience}
    (second,) = plan([], [], [group], known, now=watch.now + timedelta(seconds=10), remarks=[remark]).deliveries
    assert second.not_before == first.not_before


@pytest.mark.parametrize(
    ("after", "attention", "is_due"),
    [
        (timedelta(hours=4) - timedelta(seconds=1), Attention(), False),
        (timedelta(hours=4), Attention(), True),
        (timedelta(hours=4), Attention((silenced(),)), False),
        (timedelta(hours=4), Attention((silenced(country="FR"),)), True),
    ],
)
def test_a_group_is_reminded_of_after_the_interval_unless_it_is_silenced(
    after: timedelta, attention: Attention, is_due: bool
) -> None:
    watch = Watch()
    watch.see(DE="a")
    (group,) = watch.open_groups()
    assert group.flushed is not None
    found = list(reminders([group], {SUBJECT: watch.audience}, attention, group.flushed + after))
    assert [one.groups for one in found] == [frozenset({group.id})] * is_due


def test_nobody_is_reminded_of_what_is_acknowledged_muted_or_over() -> None:
    watch = Attended()
    watch.see(DE="a")
    (group,) = watch.open_groups()
    later, attention = watch.now + 9 * HOUR, Attention(acknowledged=taken(watch.incident("DE").id))
    assert reminder_due(group, audience(), attention, later) is None
    assert reminder_due(group, replace(audience(), mute="not sent"), Attention(), later) is None
    watch.see(DE=".")
    assert reminder_due(watch.groups[group.id], audience(), Attention(), later) is None
    hushed = Attended(attention=Attention((silenced(),)))
    hushed.see(DE="a")
    assert reminder_due(hushed.open_groups()[0], audience(), Attention(), later) is None


def test_a_reminder_changes_nothing_and_says_that_it_is_one() -> None:
    watch = Attended()
    watch.see(DE="a")
    (told,) = watch.remark("still open since 2026-01-05 00:00 UTC", event="reminder")
    assert (told.kind, told.payload.is_reminder, told.payload.changes) == ("update", True, ())
    assert not told.payload.joined


def test_what_was_never_sent_is_said_by_the_next_version_as_what_it_is() -> None:
    watch = Attended()
    watch.see(DE="a")
    (reminder,) = watch.remark("still open", event="reminder")
    (ack,) = watch.remark("acknowledged by ann", event="acknowledged")
    (again,) = watch.remark("still open", event="reminder")
    assert superseding(reminder.payload, again.payload).event == "reminder"
    both = superseding(ack.payload, again.payload)
    assert (both.event, both.is_reminder) == ("acknowledged", False)
    assert superseding(reminder.payload, ack.payload).event == "acknowledged"
    joined = again.payload.model_copy(update={"joined": True, "is_reminder": False, "event": ""})
    assert superseding(ack.payload, joined).event == "", "nobody took what joined"


def test_only_groups_that_people_see_are_found_by_their_open_incidents() -> None:
    watch = Attended(attention=Attention((silenced(country="FR"),)))
    watch.see(DE="a", FR="a")
    (seen,) = [group for group in watch.open_groups() if not group.is_muted]
    everything = [watch.incident("DE"), watch.incident("FR")]
    assert groups_with(everything, watch.open_groups()) == {seen.id}
    assert groups_with([watch.incident("FR")], watch.open_groups()) == frozenset()
