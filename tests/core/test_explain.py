"""Every gate of a point and of an incident, and what each receiver got."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.core.explain import Gate, Opinion, Outcome, Point, Why, why_incident, why_point
from alerting.core.incidents import Incident, Reading
from detectors.contract import Explanation
from tests.core.readings_of import HOUR, NOW, START, incident_after, readings, rules, walk

NAN = float("nan")
LOW = Explanation(
    level=1000.0,
    seasons={"day": 60.0, "week": -20.0},
    calendar=0.0,
    residual=-240.0,
    expected=1040.0,
    lower=980.0,
    upper=1140.0,
    score=1.5,
    expected_per_month=0.2,
    status="anomaly",
    reason="4 times the usual error",
)
ABOVE_ITS_FLOOR = Explanation(
    NAN, {}, NAN, NAN, NAN, lower=50.0, upper=NAN, score=0.1, expected_per_month=NAN, status="ok", reason=""
)
MUTED = Reading(START, "unknown", detector="seasonal", reason="muted by calendar us: Thanksgiving Day")
TRAIL = tuple(readings(".aa"))
POINT = Point(
    subscription="checkout-health",
    metric="checkout.orders",
    labels={"country": "DE"},
    bucket=START + 2 * HOUR,
    timezone="America/New_York",
    unit="orders",
    pulled=START + 3 * HOUR,
    observed=800.0,
    opinions=(Opinion("seasonal", LOW), Opinion("threshold", ABOVE_ITS_FLOOR), Opinion("threshold-2", None)),
    combined=TRAIL[-1],
    trail=TRAIL,
)
INCIDENT = incident_after(".aa")
SENT = Outcome("growth-slack", "trigger", 1, "sent", "1 incident opened the group", at=START + 4 * HOUR)


def asked(
    point: Point = POINT,
    incident: Incident | None = INCIDENT,
    outcomes: tuple[Outcome, ...] = (SENT,),
    told: tuple[str, ...] = ("growth-slack",),
) -> Why:
    return why_point(point, rules(), incident, outcomes, told)


def gate(why: Why, name: str) -> Gate:
    return next(item for item in why.gates if item.name == name)


def test_a_point_that_fired_passes_every_gate_up_to_the_receiver() -> None:
    why = asked()
    assert why.title == (
        "checkout.orders{country=DE} at Sun 2026-01-04 21:00 America/New_York (02:00 UTC) in checkout-health"
    )
    assert why.verdict == f"part of incident {INCIDENT.id}"
    assert [(item.name, item.passed) for item in why.gates] == [
        ("pulled", True),
        ("reading", True),
        ("detect seasonal", True),
        ("detect threshold", False),
        ("detect threshold-2", None),
        ("guard", True),
        ("watched then", True),
        ("open_after 2", True),
        ("incident", True),
        ("receiver growth-slack", True),
    ]


def test_an_opinion_takes_the_expectation_apart() -> None:
    assert gate(asked(), "detect seasonal").detail == (
        "anomaly: expected 1,040 orders, band 980 – 1,140 orders; "
        "level 1,000 orders + day 60 orders + week -20 orders + residual -240 orders; "
        "score 1.50 (1 is on the bound); expected 0.2 times a month; 4 times the usual error"
    )
    assert gate(asked(), "detect threshold").detail == "ok: at least 50 orders; score 0.10 (1 is on the bound)"
    assert gate(asked(), "detect threshold-2").detail == "does not judge this series"


@pytest.mark.parametrize(
    ("change", "name", "passed", "detail"),
    [
        ({"pulled": None}, "pulled", False, "this bucket has not been pulled from the warehouse"),
        ({"pulled": None}, "reading", None, "not pulled"),
        ({"observed": NAN}, "reading", False, "the warehouse had no row for this series"),
        ({"versions": (612.0,)}, "reading", True, "612 → 800 orders (restated)"),
        ({"trail": TRAIL[:2]}, "open_after 2", False, "1 anomalous bucket in a row"),
        ({"trail": tuple(readings("a?a"))}, "open_after 2", True, "2 anomalous buckets in a row"),
        ({"trail": tuple(readings("aa."))}, "open_after 2", None, "no anomalous bucket"),
        (
            {"combined": Reading(START, "ok", reason="guard: 4 % < 8 %")},
            "guard",
            False,
            "4 % < 8 %",
        ),
        ({"combined": MUTED}, "guard", True, "warning by seasonal"),
        ({"combined": MUTED}, "calendar", False, "muted by calendar us: Thanksgiving Day"),
        ({"calendar": "us: Sale (annotate)"}, "calendar", True, "us: Sale (annotate)"),
        ({"combined": Reading(START, "ok")}, "guard", None, "no detect entry calls it anomalous"),
        (
            {"opens_from": START + 5 * HOUR, "timezone": "UTC"},
            "watched then",
            False,
            "buckets before Mon 2026-01-05 05:00 UTC open nothing: the subscription is newer",
        ),
    ],
)
def test_a_gate_says_what_stopped_a_point(
    change: dict[str, object], name: str, passed: bool | None, detail: str
) -> None:
    found = gate(asked(replace(POINT, **change)), name)  # type: ignore[arg-type]  # fields of Point, as the table writes them
    assert (found.passed, found.detail) == (passed, detail)


def test_a_point_without_enough_agreeing_detectors_says_how_many_there_were() -> None:
    outvoted = replace(POINT, require="all", combined=Reading(START, "ok", reason="require: 1 of 2 detectors needed"))
    why = asked(outvoted, None)
    assert (gate(why, "require all").passed, gate(why, "require all").detail) == (False, "1 of 2 detectors needed")
    assert gate(why, "guard").passed is True
    assert why.verdict == "no incident: require all: 1 of 2 detectors needed"


def test_detectors_that_agree_are_counted_and_where_one_is_enough_nobody_counts() -> None:
    agreed = asked(replace(POINT, require=1))
    assert (gate(agreed, "require 1").passed, gate(agreed, "require 1").detail) == (True, "1 of 2 detectors agree")
    calm = asked(replace(POINT, require=2, combined=Reading(START, "ok")))
    assert gate(calm, "require 2").passed is None
    assert not any(item.name.startswith("require") for item in asked().gates)


def test_a_point_that_opened_nothing_names_the_first_gate_that_stopped_it() -> None:
    lonely = replace(POINT, trail=TRAIL[:2])
    assert asked(lonely, None).verdict == "no incident: open_after 2: 1 anomalous bucket in a row"
    muted = replace(POINT, combined=MUTED, trail=(MUTED,))
    assert asked(muted, None).verdict == "no incident: calendar: muted by calendar us: Thanksgiving Day"
    empty = replace(POINT, pulled=None)
    assert asked(empty, None).verdict.startswith("no incident: pulled: ")


def test_a_point_without_incident_has_no_receivers_to_explain() -> None:
    assert [item.name for item in asked(incident=None).gates][-1] == "incident"


@pytest.mark.parametrize(
    ("outcome", "passed", "detail"),
    [
        (
            replace(SENT, state="muted", reason="not sent: too old", at=None),
            False,
            "trigger 1 muted (not sent: too old); owed because: 1 incident opened the group",
        ),
        (
            replace(SENT, state="ready", reason="slack answered 429", at=NOW),
            None,
            (
                "trigger 1 ready Sat 2026-01-31 19:00 America/New_York (00:00 UTC) (slack answered 429); "
                "owed because: 1 incident opened the group"
            ),
        ),
        (replace(SENT, state="dead", at=None), False, "trigger 1 dead; owed because: 1 incident opened the group"),
        (replace(SENT, state="merged", at=None), True, "trigger 1 merged; owed because: 1 incident opened the group"),
    ],
)
def test_each_delivery_says_what_became_of_it(outcome: Outcome, passed: bool | None, detail: str) -> None:
    found = gate(asked(outcomes=(outcome,)), "receiver growth-slack")
    assert (found.passed, found.detail) == (passed, detail)


def test_a_receiver_for_whom_nothing_was_planned_is_named() -> None:
    why = asked(told=("growth-slack", "checkout-pager"))
    assert gate(why, "receiver checkout-pager").detail == "nothing was planned for it"
    assert gate(asked(outcomes=(), told=()), "receivers").detail == "nobody is told of this severity"


def test_an_incident_tells_its_story_and_its_deliveries() -> None:
    state, transitions = walk(None, readings("aC..."))
    assert state is not None
    incident = transitions[-1].incident
    assert incident is not None
    end = Outcome("growth-slack", "resolve", 2, "sent", "its only incident is resolved", at=NOW)
    why = why_incident(incident, transitions, (SENT, end), ("growth-slack",), unit="orders")
    assert why.title == f"{incident.id}: checkout.orders{{country=DE}} (subscription:checkout-health)"
    assert why.verdict == (
        "resolved Sun 2026-02-01 00:00 UTC: 3 clean buckets in a row; was critical since Mon 2026-01-05 00:00 UTC"
    )
    assert [item.name for item in why.gates] == [
        "first anomaly",
        "worst",
        "pending",
        "firing",
        "recovering",
        "resolved",
        "receiver growth-slack",
        "receiver growth-slack",
    ]
    assert gate(why, "worst").detail == (
        "Mon 2026-01-05 01:00 UTC: 600 orders, expected 1,040 orders, score 3.00, low [seasonal]"
    )
    assert gate(why, "firing").detail == "Sun 2026-02-01 00:00 UTC: 2 anomalous buckets in a row: low"


def test_an_open_incident_says_since_when() -> None:
    why = why_incident(INCIDENT, (), (SENT,), (), timezone="Asia/Kathmandu")
    assert why.verdict == "firing, warning since Mon 2026-01-05 06:45 Asia/Kathmandu (01:00 UTC)"
    assert INCIDENT.opened + timedelta(hours=1) == INCIDENT.last.bucket
