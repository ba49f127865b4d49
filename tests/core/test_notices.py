"""Who is told what, when and why, told as short stories; then what holds for every story."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.groups import Delivery, Group, group_id, group_key
from alerting.core.incidents import Severity
from alerting.core.notices import Stir, decide
from alerting.core.restating import revise
from alerting.core.views import MOST_CHANGES, MOST_INCIDENTS, superseding, view
from config.model import DeliveryRules, IncidentRules
from notifiers.contract import Kind
from tests.core.audience_of import SUBJECT, Watch, audience
from tests.core.readings_of import HOUR, NOW, START, incident_after, reading, readings, walk

WAIT = timedelta(seconds=30)
INTERVAL = timedelta(minutes=5)


def test_a_quiet_evaluation_tells_nobody() -> None:
    assert Watch().see(DE="...") == []


def test_the_first_incident_opens_a_group_that_waits_for_others() -> None:
    watch = Watch()
    (delivery,) = watch.see(DE="a")
    assert (delivery.kind, delivery.receiver) == ("trigger", "growth-slack")
    assert delivery.not_before == watch.now + WAIT
    assert delivery.reason == "1 incident opened the group"
    assert not delivery.payload.joined


def test_incidents_of_one_evaluation_share_one_message() -> None:
    (delivery,) = Watch().see(DE="a", FR="a", US=".")
    assert [shown.dimensions["country"] for shown in delivery.payload.incidents] == ["DE", "FR"]
    assert delivery.reason == "2 incidents opened the group"


def test_a_critical_incident_also_tells_the_receivers_of_warnings() -> None:
    assert {delivery.receiver for delivery in Watch().see(DE="C")} == {"growth-slack", "checkout-pager"}


def test_an_incident_that_goes_on_tells_nothing_new() -> None:
    watch = Watch()
    watch.see(DE="a")
    assert watch.see(DE="a") == []
    assert watch.see(DE="?_") == []


def test_recovering_is_not_told_before_it_is_resolved() -> None:
    watch = Watch(rules=IncidentRules(1, 2))
    watch.see(DE="a")
    assert watch.see(DE=".") == []
    (delivery,) = watch.see(DE=".")
    assert delivery.kind == "resolve"


def test_an_incident_that_joins_updates_the_message_after_the_interval() -> None:
    watch = Watch()
    (first,) = watch.see(DE="a")
    (second,) = watch.see(DE="a", FR="a")
    assert (second.kind, second.group_id, second.sequence) == ("update", first.group_id, 2)
    assert second.payload.joined
    assert second.reason == "1 incident joined; 2 open"
    # An hour has passed since the last flush, far more than the interval.
    assert second.not_before == watch.now


def test_an_update_waits_for_the_interval_since_the_last_one() -> None:
    watch = Watch()
    (first,) = watch.see(DE="a")
    state, told = watch.carry_on("FR", "a", watch.hour, first.not_before + timedelta(seconds=10))
    assert state is not None
    (second,) = watch.tell(told, [state], first.not_before + timedelta(seconds=10))
    assert second.not_before == first.not_before + INTERVAL


def test_what_joins_during_the_group_wait_goes_out_with_the_trigger() -> None:
    watch = Watch()
    (first,) = watch.see(DE="a")
    state, told = watch.carry_on("FR", "a", watch.hour, watch.now + timedelta(seconds=10))
    assert state is not None
    (second,) = watch.tell(told, [state], watch.now + timedelta(seconds=10))
    assert (second.kind, second.not_before) == ("update", first.not_before)


def test_a_rising_severity_is_told_at_once_and_reaches_the_pager() -> None:
    watch = Watch()
    (first,) = watch.see(DE="a")
    update, page = watch.see(DE="C")
    assert (update.receiver, update.kind, update.not_before) == ("growth-slack", "update", watch.now)
    assert (update.payload.raises_severity, update.payload.severity) == (True, "critical")
    assert update.reason == "severity rose to critical"
    assert (page.receiver, page.kind, page.not_before) == ("checkout-pager", "trigger", watch.now)
    assert page.group_id != first.group_id


def test_a_falling_severity_does_not_resolve_the_page() -> None:
    watch = Watch()
    watch.see(DE="C")
    assert watch.see(DE="a") == []
    assert {delivery.kind for delivery in watch.see(DE=".")} == {"resolve"}


def test_a_member_that_resolves_updates_and_the_last_one_closes() -> None:
    watch = Watch()
    watch.see(DE="a", FR="a")
    (update,) = watch.see(DE=".", FR="a")
    assert (update.kind, update.reason) == ("update", "1 incident ended; 1 open")
    assert [shown.status for shown in update.payload.incidents] == ["firing", "resolved"]
    (end,) = watch.see(DE=".", FR=".")
    assert (end.kind, end.reason, end.not_before) == ("resolve", "all 2 incidents are resolved", watch.now)
    assert watch.open_groups() == []


def test_the_next_incident_opens_a_new_occurrence() -> None:
    watch = Watch()
    (first,) = watch.see(DE="a")
    watch.see(DE=".")
    (second,) = watch.see(DE="a")
    assert second.kind == "trigger"
    assert second.group_id != first.group_id


def test_an_incident_that_joins_while_the_others_end_keeps_the_group_open() -> None:
    watch = Watch()
    watch.see(DE="a")
    (update,) = watch.see(DE=".", FR="a")
    assert (update.kind, update.reason) == ("update", "1 incident joined, 1 incident ended; 1 open")


def test_what_opened_and_ended_within_one_evaluation_is_told_as_resolved() -> None:
    (delivery,) = Watch().see(DE="a.")
    assert (delivery.kind, delivery.sequence) == ("resolve", 1)
    assert [entry.text for entry in delivery.payload.changes] == [
        "checkout.orders{country=DE} opened: 1 anomalous bucket in a row: low (800, expected 1,040)",
        "checkout.orders{country=DE} resolved: 1 clean bucket in a row",
    ]


def test_a_severity_without_receivers_tells_nobody_until_it_rises() -> None:
    watch = Watch(audience=audience({"critical": ("checkout-pager",)}))
    assert watch.see(DE="a") == []
    (delivery,) = watch.see(DE="C")
    assert (delivery.receiver, delivery.kind) == ("checkout-pager", "trigger")


def test_a_receiver_that_is_added_hears_of_what_is_still_on() -> None:
    watch = Watch()
    watch.see(DE="a")
    watch.audience = audience({"warning": ("growth-slack", "data-ops")})
    (delivery,) = watch.see(DE="a")
    assert (delivery.receiver, delivery.kind) == ("data-ops", "trigger")


def test_a_receiver_that_is_removed_is_still_owed_the_resolve() -> None:
    watch = Watch()
    watch.see(DE="a")
    watch.audience = audience({})
    (delivery,) = watch.see(DE=".")
    assert (delivery.receiver, delivery.kind) == ("growth-slack", "resolve")


def test_a_removed_subscription_resolves_what_it_told() -> None:
    watch = Watch()
    watch.see(DE="C")
    deliveries = watch.remove()
    assert {(delivery.receiver, delivery.kind) for delivery in deliveries} == {
        ("growth-slack", "resolve"),
        ("checkout-pager", "resolve"),
    }
    assert {shown.reason for delivery in deliveries for shown in delivery.payload.incidents} == {"rule removed"}
    assert deliveries[0].payload.subscription == "checkout-health"


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [(("subscription",), 1), (("metric",), 1), (("country",), 2), (("subscription", "country"), 2), ((), 1)],
)
def test_group_by_splits_what_is_told_together(group_by: tuple[str, ...], groups: int) -> None:
    watch = Watch(audience=audience(group_by=group_by))
    assert len({delivery.group_id for delivery in watch.see(DE="a", FR="a")}) == groups


def test_a_changed_group_by_sends_nothing_again() -> None:
    watch = Watch()
    watch.see(DE="a")
    watch.audience = audience(group_by=("country",))
    assert watch.see(DE="a") == []
    assert [delivery.kind for delivery in watch.see(DE=".")] == ["resolve"]


def test_an_old_anomaly_is_recorded_with_its_reason_and_never_sent() -> None:
    (delivery,) = Watch().see(after=timedelta(days=3), DE="a")
    assert delivery.is_muted
    assert delivery.reason == (
        "not sent: its newest anomalous bucket 2026-01-05 00:00 UTC ended 3 d before it was judged, more than 1 d"
    )


@pytest.mark.parametrize(("late", "is_muted"), [(timedelta(hours=23, minutes=50), False), (timedelta(hours=24), True)])
def test_an_anomaly_may_be_a_day_old(late: timedelta, is_muted: bool) -> None:
    (delivery,) = Watch().see(after=late, DE="a")
    assert delivery.is_muted is is_muted


@pytest.mark.parametrize(("late", "is_muted"), [(timedelta(hours=1, minutes=50), False), (timedelta(hours=2), True)])
def test_a_subscription_says_how_old_an_anomaly_may_be(late: timedelta, is_muted: bool) -> None:
    watch = Watch(audience=replace(audience(), max_age=timedelta(hours=2)))
    (delivery,) = watch.see(after=late, DE="a")
    assert delivery.is_muted is is_muted
    assert not is_muted or delivery.reason.endswith("ended 2 h 10 m before it was judged, more than 2 h")


def test_a_wide_bucket_may_be_three_buckets_old() -> None:
    weekly = audience()
    measure = replace(weekly.metrics["checkout.orders"], bucket="1w")
    watch = Watch(audience=replace(weekly, metrics={"checkout.orders": measure}))
    (delivery,) = watch.see(after=timedelta(days=20), DE="a")
    assert not delivery.is_muted


def test_what_a_muted_group_says_later_is_muted_too() -> None:
    watch = Watch()
    watch.see(after=timedelta(days=3), DE="a")
    (delivery,) = watch.see(after=timedelta(days=3), DE=".")
    assert (delivery.kind, delivery.is_muted) == ("resolve", True)
    assert delivery.reason == "not sent: what opened this group was not sent either"


def test_an_old_anomaly_that_goes_on_until_now_is_told_once_it_is_fresh() -> None:
    watch = Watch()
    (muted,) = watch.see(after=timedelta(days=3), DE="a")
    assert watch.see(after=timedelta(days=2), DE="a") == []
    (told,) = watch.see(DE="a")
    assert (told.kind, told.is_muted) == ("trigger", False)
    assert told.group_id != muted.group_id
    ends = watch.see(DE=".")
    assert [(end.kind, end.is_muted) for end in ends] == [("resolve", True), ("resolve", False)]


def test_a_long_outage_judged_in_one_go_is_told_because_it_is_still_on() -> None:
    (delivery,) = Watch().see(DE="a" * 72)
    assert not delivery.is_muted


def test_an_old_anomaly_does_not_slip_into_a_message_that_people_see() -> None:
    watch = Watch()
    (told,) = watch.see(DE="a")
    (muted,) = watch.see(after=timedelta(days=3), FR="a")
    assert muted.is_muted
    assert muted.group_id != told.group_id


def minutes(watch: Watch, letters: str) -> list[list[Delivery]]:
    """Germany judged each minute, one letter a minute; what each minute planned."""
    planned = []
    for place, letter in enumerate(letters):
        now = START + place * timedelta(minutes=1)
        state, told = walk(
            next(iter(watch.states.values()), None),
            [replace(reading(letter, 0), bucket=now)],
            watch.rules,
            now=now,
            width=timedelta(minutes=1),
        )
        if state is not None:
            watch.states[state.fingerprint] = state
        planned.append(watch.tell(told, [state] if state else [], now))
    return planned


def test_what_opens_again_while_its_resolve_waits_joins_the_group_again() -> None:
    watch = Watch()
    (first,), (end,), (again,) = minutes(watch, "a.a")
    assert (end.kind, end.not_before) == ("resolve", first.not_before + INTERVAL)
    assert (again.kind, again.group_id, again.not_before) == ("update", first.group_id, end.not_before)
    assert [shown.status for shown in again.payload.incidents] == ["firing", "resolved"]
    assert len(watch.open_groups()) == 1


def test_what_opens_after_the_resolve_went_out_is_a_group_of_its_own() -> None:
    watch = Watch()
    planned = minutes(watch, "a" + "." * 6 + "a")
    (again,) = planned[-1]
    assert (again.kind, again.sequence) == ("trigger", 1)
    assert again.group_id != planned[0][0].group_id


def test_a_series_that_begins_to_flap_is_one_update_and_silence() -> None:
    watch = Watch()
    planned = minutes(watch, "a.a." + "a." * 100)
    flapping = planned[3]
    assert [(one.kind, one.reason) for one in flapping] == [("update", "1 incident began to flap; 1 open")]
    assert flapping[0].payload.incidents[0].flapping
    assert "flapping: opened or ended 4 times within 12 buckets" in flapping[0].payload.changes[0].text
    assert [one for later in planned[4:] for one in later] == []


SHADOWED = replace(audience(), is_shadow=True)


def test_in_shadow_mode_every_delivery_is_recorded_with_what_it_would_have_been() -> None:
    watch = Watch(audience=SHADOWED)
    watch.see(DE="a")
    watch.see(DE="C")
    watch.see(DE=".")
    assert all(delivery.is_muted for delivery in watch.deliveries)
    said = [(one.receiver, one.kind, one.reason) for one in watch.deliveries]
    assert said == [
        ("growth-slack", "trigger", "shadow: nobody is told; it would have been: 1 incident opened the group"),
        ("growth-slack", "update", "shadow: nobody is told; it would have been: severity rose to critical"),
        (
            "checkout-pager",
            "trigger",
            "shadow: nobody is told; it would have been: severity rose: 1 incident opened the group",
        ),
        ("growth-slack", "resolve", "shadow: nobody is told; it would have been: its only incident is resolved"),
        ("checkout-pager", "resolve", "shadow: nobody is told; it would have been: its only incident is resolved"),
    ]


def test_going_live_tells_nobody_of_what_opened_in_shadow_mode() -> None:
    watch = Watch(audience=SHADOWED)
    watch.see(DE="a")
    watch.audience = audience()
    assert watch.see(DE="a") == []
    assert all(delivery.is_muted for delivery in watch.see(DE="C"))
    (new,) = watch.see(DE="C", FR="a")
    assert (new.kind, new.is_muted) == ("trigger", False)
    assert [shown.dimensions["country"] for shown in new.payload.incidents] == ["FR"]
    assert {(one.receiver, one.is_muted) for one in watch.see(DE=".", FR="a")} == {
        ("growth-slack", True),
        ("checkout-pager", True),
    }


def test_going_into_shadow_mode_still_owes_the_resolve_and_nothing_else() -> None:
    watch = Watch()
    watch.see(DE="a")
    watch.audience = SHADOWED
    rise = watch.see(DE="C", FR="a")
    assert [(one.receiver, one.kind, one.is_muted) for one in rise if not one.is_muted] == []
    ends = watch.see(DE=".", FR=".")
    assert [(one.receiver, one.kind) for one in ends if not one.is_muted] == [("growth-slack", "resolve")]


def test_a_rise_in_shadow_mode_is_told_once_the_subscription_is_live_again() -> None:
    watch = Watch()
    watch.see(DE="a")
    watch.audience = SHADOWED
    watch.see(DE="C")
    watch.audience = audience()
    assert {(one.receiver, one.kind, one.is_muted) for one in watch.see(DE="C")} == {
        ("checkout-pager", "trigger", False)
    }


def test_a_retraction_closes_the_group_in_its_own_words() -> None:
    watch = Watch()
    watch.see(DE="a")
    (state,) = watch.states.values()
    revised, told = revise(state, readings("."), watch.rules, now=watch.now)
    (delivery,) = watch.tell(told, [revised])
    assert (delivery.kind, delivery.reason) == ("resolve", "its only incident is retracted")
    (shown,) = delivery.payload.incidents
    assert (shown.status, shown.reason) == ("retracted", "800 was restated to 1,000")


def test_a_payload_carries_what_people_read() -> None:
    watch = Watch()
    (delivery,) = watch.see(DE="a")
    payload = delivery.payload
    (shown,) = payload.incidents
    assert delivery.delivery_id == payload.delivery_id == f"{payload.group_id}:1"
    assert payload.links == {"Why": f"https://watch.acme.example/incidents/{shown.id}"}
    assert (payload.subscription, payload.timezone, payload.owner.slack) == (
        "checkout-health",
        "America/New_York",
        "S0CHECKOUT",
    )
    assert (shown.unit, shown.better, shown.bucket) == ("orders", "higher", "1h")
    assert (shown.observed, shown.expected, shown.worst_score, shown.direction) == (800.0, 1040.0, 1.5, -1)


def test_numbers_that_are_not_known_are_none_not_nan() -> None:
    incident = incident_after("aa")
    unknown = replace(incident.last, observed=float("nan"), expected=float("inf"))
    seen = view(replace(incident, last=unknown), audience())
    assert (seen.observed, seen.expected) == (None, None)


def test_incidents_are_listed_worst_first_and_bounded() -> None:
    letters = {f"c{n:03}": "C" if n == 70 else "a" for n in range(MOST_INCIDENTS + 30)}
    slack, _ = Watch().see_all(letters)
    payload = slack.payload
    assert (len(payload.incidents), payload.unlisted) == (MOST_INCIDENTS, 30)
    assert payload.incidents[0].dimensions == {"country": "c070"}
    assert len(payload.changes) == MOST_CHANGES
    assert payload.changes[-1].text == "and 31 more changes"


def test_a_superseding_message_also_says_what_the_unsent_one_would_have_said() -> None:
    watch = Watch()
    (trigger,) = watch.see(DE="a")
    (joins,) = watch.see(DE="a", FR="a")
    (ends,) = watch.see(DE=".", FR="a")
    merged = superseding(joins.payload, ends.payload)
    assert merged.joined
    assert [change.text.split(":")[0] for change in merged.changes] == [
        "checkout.orders{country=FR} opened",
        "checkout.orders{country=DE} resolved",
    ]
    assert merged.sequence == ends.sequence
    assert merged.incidents == ends.payload.incidents
    assert superseding(trigger.payload, merged).changes[0].text.startswith("checkout.orders{country=DE} opened")


def test_superseding_an_unsent_trigger_raises_nothing_because_nothing_was_told() -> None:
    watch = Watch()
    (trigger,) = watch.see(DE="a")
    (rise, _) = watch.see(DE="C")
    assert rise.payload.raises_severity
    merged = superseding(trigger.payload, rise.payload)
    assert (merged.kind, merged.raises_severity) == ("trigger", False)
    (end, _) = watch.see(DE=".")
    assert superseding(merged, end.payload).kind == "resolve"


@pytest.mark.parametrize(
    ("severity", "members", "sequence", "told", "flushed_ago", "kind", "wait"),
    [
        ("warning", "f", 0, "info", None, "trigger", WAIT),
        ("warning", "f", 1, "warning", timedelta(hours=1), "update", timedelta(0)),
        ("warning", "f", 1, "warning", timedelta(minutes=5), "update", timedelta(0)),
        ("warning", "f", 1, "warning", timedelta(minutes=2), "update", timedelta(minutes=3)),
        ("warning", "f", 1, "warning", timedelta(0), "update", INTERVAL),
        ("warning", "f", 1, "warning", -WAIT, "update", WAIT),
        ("critical", "f", 1, "warning", timedelta(0), "update", timedelta(0)),
        ("critical", "f", 1, "critical", timedelta(0), "update", INTERVAL),
        ("warning", "fr", 1, "warning", timedelta(0), "update", INTERVAL),
        ("warning", "r", 1, "warning", timedelta(0), "resolve", INTERVAL),
        ("warning", "r", 1, "warning", INTERVAL, "resolve", timedelta(0)),
        ("warning", "rr", 1, "warning", -WAIT, "resolve", WAIT),
        ("warning", "r", 0, "info", None, "resolve", timedelta(0)),
    ],
)
def test_a_group_speaks_when_it_must(
    severity: Severity,
    members: str,
    sequence: int,
    told: Severity,
    flushed_ago: timedelta | None,
    kind: Kind,
    wait: timedelta,
) -> None:
    firing = incident_after("aa")
    resolved = replace(firing, status="resolved", resolved=NOW)
    flushed = None if flushed_ago is None else NOW - flushed_ago
    group = Group(
        id="g",
        receiver="r",
        key='["told"]',
        subject=SUBJECT,
        opened=NOW,
        members=tuple(firing if letter == "f" else resolved for letter in members),
        severity_told=told,
        sequence=sequence,
        flushed=flushed,
    )
    notice = decide(group, Stir(), severity, DeliveryRules(), NOW)
    assert (notice.kind, notice.not_before - NOW) == (kind, wait)


def test_a_group_id_is_ascii_short_and_the_same_again() -> None:
    incident = replace(incident_after("aa"), labels={"country": "Österreich 🇦🇹" * 50}, subject="subscription:ü")
    key = group_key(incident, ("subscription", "country"))
    name = group_id("growth-släck", key, NOW, incident)
    assert name == group_id("growth-släck", key, NOW, incident)
    assert name.isascii()
    assert key.isascii()
    assert len(name) <= 64
    assert name != group_id("growth-släck", key, NOW + HOUR, incident)


STORIES = st.lists(
    st.fixed_dictionaries(
        {country: st.sampled_from([".", "a", "C", "?", "_", "a.", ".a"]) for country in ("DE", "FR")}
    ),
    max_size=12,
)
GROUPINGS = st.sampled_from([("subscription",), ("country",), ("metric", "country")])


@settings(max_examples=150, deadline=None)
@given(STORIES, GROUPINGS, st.lists(st.booleans(), max_size=12))
def test_every_story_ends_with_everyone_told_and_closed(
    story: list[dict[str, str]], group_by: tuple[str, ...], old: list[bool]
) -> None:
    watch = Watch(audience=audience(group_by=group_by))
    for chapter, is_old in zip(story, [*old, *[False] * len(story)], strict=False):
        watch.see(after=timedelta(days=2) if is_old else timedelta(0), **chapter)
    watch.see(DE=".", FR=".")
    assert watch.open_groups() == []
    by_group: dict[str, list[int]] = {}
    for delivery in watch.deliveries:
        by_group.setdefault(delivery.group_id, []).append(delivery.sequence)
        assert delivery.reason
        assert delivery.payload.incidents
    for name, sequences in by_group.items():
        planned = [delivery for delivery in watch.deliveries if delivery.group_id == name]
        kinds = [delivery.kind for delivery in planned]
        assert sequences == list(range(1, len(sequences) + 1))
        assert kinds[-1] == "resolve"
        for one, other in pairwise(planned):  # only a resolve that is not due yet is followed by anything
            assert one.kind != "resolve" or one.not_before > other.payload.created
        assert kinds.count("trigger") == (kinds[0] == "trigger")
        muted = {delivery.is_muted for delivery in watch.deliveries if delivery.group_id == name}
        assert len(muted) == 1
