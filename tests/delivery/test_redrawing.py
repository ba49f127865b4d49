"""The chart of a message is drawn and uploaded again only where it would say something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from alerting.delivery import drain
from alerting.delivery.redrawing import is_worth_drawing
from alerting.store import Recording, Store
from notifiers.contract import Notification
from notifiers.slack import Slack
from tests.delivery.fakes import FakeClock
from tests.notifiers.examples import CHANNEL, MONDAY, PNG
from tests.notifiers.examples import incident as shown
from tests.notifiers.examples import notification as told
from tests.standins.slack import TOKEN, SlackStandIn
from tests.store.builders import HOUR, NOON, delivery, group, incident

FIRST = told(created=MONDAY)
"""612 orders at worst, where 980 to 1,140 are usual: a quarter of the band is 40."""


@pytest.mark.parametrize(
    ("after", "is_worth"),
    [
        (FIRST, False),
        (told(created=MONDAY + 6 * HOUR - timedelta(seconds=1)), False),
        (told(created=MONDAY + 6 * HOUR), True),
        (told(shown(worst_observed=573.0), created=MONDAY), False),
        (told(shown(worst_observed=572.0), created=MONDAY), True),
        (told(shown(observed=900.0), created=MONDAY), False),
        (told(shown(status="recovering"), created=MONDAY), True),
        (told(shown(severity="warning"), created=MONDAY), True),
        (told(shown(), shown(id="2"), created=MONDAY), True),
        (told(created=MONDAY, acknowledged_by="ann", acknowledged_at=MONDAY), False),
        (told(created=MONDAY, silenced_until=MONDAY + HOUR), False),
    ],
)
def test_a_chart_is_drawn_again_where_it_would_say_something_else(after: Notification, is_worth: bool) -> None:
    assert is_worth_drawing(FIRST, after) is is_worth
    assert is_worth_drawing(None, after)


@pytest.mark.parametrize(("score", "is_worth"), [(2.6, False), (2.65, True)])
def test_where_there_is_only_one_bound_a_quarter_of_it_counts(score: float, is_worth: bool) -> None:
    before = told(shown(upper=None), created=MONDAY)
    assert is_worth_drawing(before, told(shown(upper=None, worst_score=score), created=MONDAY)) is is_worth


def owe(store: Store, clock: FakeClock, sequence: int, payload: Notification) -> None:
    planned = delivery(sequence, "trigger" if sequence == 1 else "update")
    own = {"delivery_id": planned.delivery_id, "group_id": "g1", "kind": planned.kind, "created": clock.now}
    planned = replace(planned, payload=payload.model_copy(update=own), not_before=clock.now)
    store.record(Recording(now=clock.now, groups=(group(incident(1), sequence=sequence),), deliveries=(planned,)))


def test_edits_keep_the_chart_until_it_has_changed_enough(store: Store) -> None:
    clock = FakeClock(NOON)
    worse = told(shown(worst_observed=300.0))
    with SlackStandIn() as service:
        slack = Slack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=service.base_url)

        def uploads(sequence: int, payload: Notification) -> int:
            """How many charts were uploaded after this version."""
            owe(store, clock, sequence, payload)
            drain(store, {"slack": slack}, now=clock, picture=lambda _: PNG, pause=lambda _: None)
            (root,) = service.messages()
            assert len(root.file_ids) == 1
            clock.advance(HOUR)
            return len(service.files)

        assert [uploads(1, told()), uploads(2, told()), uploads(3, told())] == [1, 1, 1]
        assert [uploads(4, worse), uploads(5, worse)] == [2, 2]
        clock.advance(6 * HOUR)
        assert uploads(6, worse) == 3
        assert service.unexpected == []


def test_a_chart_that_could_not_be_uploaded_is_tried_with_the_next_edit(store: Store) -> None:
    clock = FakeClock(NOON)
    with SlackStandIn() as service:
        slack = Slack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=service.base_url)
        service.fail("files.getUploadURLExternal", "status", status=500)
        for sequence in (1, 2):
            owe(store, clock, sequence, told())
            drain(store, {"slack": slack}, now=clock, picture=lambda _: PNG, pause=lambda _: None)
            clock.advance(HOUR)
        (root,) = service.messages()
        assert (len(root.file_ids), len(service.files)) == (1, 1)
