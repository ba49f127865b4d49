"""A query that is late or failing adopts the alerts of its metrics."""

from dataclasses import replace

import pytest

from alerting.core.attention import Attention
from alerting.core.decisions import Change, Standing, told
from alerting.core.incidents import IncidentKind, SeriesState, Status
from alerting.core.inhibition import ailing
from tests.core.audience_of import SUBJECT, Watch, audience
from tests.core.readings_of import NOW, incident_after

SOURCES = {"checkout.orders": ("orders_hourly", "refunds_hourly"), "shop.visits": ("visits_hourly",)}


def ill(query: str, kind: IncidentKind) -> SeriesState:
    """Open health of a query."""
    name, subject = f"{query}-{kind}", f"query:{query}"
    incident = replace(incident_after("aa"), id=name, subject=subject, metric=query, labels={}, kind=kind)
    began = incident.opened
    return SeriesState(incident.subject, kind, query, {}, Status.FIRING, since=began, last=began, incident=incident)


def states(*found: SeriesState) -> dict[str, dict[str, SeriesState]]:
    by_subject: dict[str, dict[str, SeriesState]] = {}
    for state in found:
        by_subject.setdefault(state.subject, {})[state.fingerprint] = state
    return by_subject


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), {}),
        ((("visits_hourly", "late"),), {"shop.visits": "visits_hourly is late"}),
        ((("visits_hourly", "schema"),), {}),
        ((("orders_hourly", "late"),), {"checkout.orders": "orders_hourly is late"}),
        ((("refunds_hourly", "failing"),), {"checkout.orders": "refunds_hourly is failing"}),
        (
            (("orders_hourly", "late"), ("refunds_hourly", "failing")),
            {"checkout.orders": "orders_hourly is late; refunds_hourly is failing"},
        ),
        (
            (("orders_hourly", "late"), ("orders_hourly", "failing")),
            {"checkout.orders": "orders_hourly is late and failing"},
        ),
    ],
)
def test_a_metric_ails_while_one_of_its_queries_does(
    found: tuple[tuple[str, IncidentKind], ...], expected: dict[str, str]
) -> None:
    assert ailing(states(*(ill(*one) for one in found)), SOURCES) == expected


def test_where_the_pull_went_well_only_lateness_inhibits() -> None:
    assert ailing(states(ill("visits_hourly", "failing")), SOURCES, ("late",)) == {}


def test_when_one_of_two_sources_recovers_the_metric_stays_inhibited_and_is_told_after_the_other() -> None:
    late, failing = ill("orders_hourly", "late"), ill("refunds_hourly", "failing")
    watch = Watch()
    state, transitions = watch.carry_on("DE", "a", 0, NOW)
    assert state is not None
    known = {SUBJECT: audience()}
    standing = Standing(states(late, failing), sources=SOURCES)
    first = told(Change((state,), tuple(transitions)), standing, known, now=watch.now)
    assert [one.reason for one in first.deliveries] == [
        "not sent: inhibited: orders_hourly is late; refunds_hourly is failing"
    ]
    standing = standing.after(first, watch.now)
    well = replace(late, status=Status.RESOLVED, incident=None)
    second = told(Change((well,)), standing, known, now=watch.now)
    assert second.deliveries == ()
    standing = standing.after(second, watch.now)
    third = told(Change((replace(failing, status=Status.RESOLVED, incident=None),)), standing, known, now=watch.now)
    assert [(one.kind, one.is_muted) for one in third.deliveries] == [("trigger", False)]


def test_health_itself_is_never_inhibited() -> None:
    health = ill("visits_hourly", "failing").incident
    assert health is not None
    assert Attention(ailing={"visits_hourly": "visits_hourly is late"}).hush(health, NOW) == ""
