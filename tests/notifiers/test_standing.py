from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from notifiers import Notification, console, standing, wording
from notifiers.pagerduty import PagerDuty
from notifiers.slack import Slack
from notifiers.slack.message import replies
from tests.notifiers.examples import CHANNEL, HOUR, MONDAY, incident, notification, resolve, update
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.slack import TOKEN, SlackStandIn

ACKNOWLEDGED = {"acknowledged_by": "ann", "acknowledged_at": MONDAY + 2 * HOUR + timedelta(minutes=12)}
SILENCED = {"silenced_until": MONDAY + 27 * HOUR}


@pytest.fixture
def slack_service() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def slack(slack_service: SlackStandIn) -> Slack:
    return Slack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=slack_service.base_url)


@pytest.fixture
def pages() -> Iterator[PagerDutyStandIn]:
    with PagerDutyStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def pagerduty(pages: PagerDutyStandIn) -> Iterator[PagerDuty]:
    notifier = PagerDuty(routing_key=SecretStr(KEY), url=pages.url)
    yield notifier
    notifier.close()


@pytest.mark.parametrize(
    ("told", "state", "phrase"),
    [
        (notification(severity="info"), "info", "info"),
        (notification(severity="warning"), "warning", "warning"),
        (notification(), "critical", "critical"),
        (notification(**ACKNOWLEDGED), "acknowledged", "critical · acknowledged 16:12 by ann"),
        (
            notification(**ACKNOWLEDGED, timezone="UTC"),
            "acknowledged",
            "critical · acknowledged 21:12 UTC by ann",
        ),
        (notification(**SILENCED), "silenced", "critical · silenced until Tue 17:00"),
        (
            notification(**ACKNOWLEDGED, **SILENCED),
            "silenced",
            "critical · acknowledged 16:12 by ann · silenced until Tue 17:00",
        ),
        (
            notification(**SILENCED, silenced_by="bob", silence_comment="new checkout goes live"),
            "silenced",
            "critical · silenced until Tue 17:00 by bob (new checkout goes live)",
        ),
        (notification(silenced_until=MONDAY, silenced_by="bob", silence_comment="over"), "critical", "critical"),
        (
            notification(acknowledged_by="ann", acknowledged_at=MONDAY - 24 * HOUR),
            "acknowledged",
            "critical · acknowledged Sun 14:00 by ann",
        ),
        (notification(incident(flapping=True)), "flapping", "critical · quiet until it calms down"),
        (notification(incident(flapping=True), incident(id="2")), "critical", "critical"),
        (notification(incident(status="recovering")), "recovering", "critical"),
        (notification(incident(status="recovering"), incident(id="2")), "critical", "critical"),
        (resolve(None, **ACKNOWLEDGED, **SILENCED), "resolved", ""),
    ],
)
def test_what_people_did_counts_before_how_it_behaves_and_that_before_its_severity(
    told: Notification, state: str, phrase: str
) -> None:
    assert standing.state(told) == state
    assert standing.phrase(told) == phrase


def test_a_name_from_elsewhere_stays_on_its_line() -> None:
    told = notification(acknowledged_by="ann\n<!channel>" + "x" * 300, acknowledged_at=MONDAY)
    assert "\n" not in standing.phrase(told)
    assert len(standing.phrase(told)) <= 240


INSTEAD = {"fallback_for": "growth-slack", "fallback_reason": "is out of order (destination refused: is_archived)"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        (INSTEAD, "this is the fallback of growth-slack, which is out of order (destination refused: is_archived)"),
        (
            INSTEAD | {"fallback_reason": ""},
            "this was told as the fallback of growth-slack, which is told itself again",
        ),
    ],
)
def test_a_fallback_says_in_whose_place_it_is_told_everywhere(
    changes: dict[str, object], said: str, slack: Slack, slack_service: SlackStandIn
) -> None:
    told = notification(**changes)
    assert standing.in_place_of(told) == said
    slack.send(told)
    (root,) = slack_service.messages()
    assert said in root.shown
    assert said in "\n".join(line.plain for line in console.lines(told))


def test_why_a_fallback_is_told_is_bounded_and_on_one_line() -> None:
    said = standing.in_place_of(notification(fallback_for="x\ny" * 200, fallback_reason="is out of order\n" * 200))
    assert "\n" not in said
    assert len(said) <= 300


def test_a_flapping_incident_says_so_in_its_headline() -> None:
    assert wording.headline(notification(incident(flapping=True))) == "Orders, Germany: flapping, 41 % at worst"


def test_an_acknowledged_message_is_yellow_and_calls_nobody(slack: Slack, slack_service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    slack.send(update(receipt.remote_id or "", **ACKNOWLEDGED))
    (root,) = slack_service.messages()
    assert root.shown.splitlines()[0] == (
        ":large_yellow_circle: *Orders, Germany: 41 % below expected*  · critical · acknowledged 16:12 by ann"
    )
    assert "<!subteam" not in root.shown
    assert slack_service.unexpected == []


def test_a_quiet_update_edits_the_root_and_nothing_else(slack: Slack, slack_service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    slack.send(update(receipt.remote_id or "", quiet=True, raises_severity=True))
    (root,) = slack_service.messages()
    assert "France" in root.shown
    assert slack_service.thread(root.ts) == []


def test_a_reminder_is_one_thread_post_that_calls_the_owner(slack: Slack, slack_service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    slack.send(update(receipt.remote_id or "", is_reminder=True, event="reminder", changes=()))
    (root,) = slack_service.messages()
    (post,) = slack_service.thread(root.ts)
    assert root.shown.splitlines()[1].startswith("still open since Mon 14:00 (19:00 UTC, 2 h): 612 orders/h")
    assert post.shown == (
        "<!subteam^S0CHECKOUT> Orders, Germany: 41 % below expected · still open since Mon 14:00 (19:00 UTC, 2 h): "
        "612 orders/h, usually 980 – 1,140 at this hour on Mondays · also 1 other country · nobody has acknowledged it"
    )
    assert not post.is_broadcast
    assert slack_service.unexpected == []


def test_a_rise_in_severity_calls_the_owner_although_it_was_acknowledged() -> None:
    risen = update("C0:1.1", raises_severity=True, **ACKNOWLEDGED)
    assert replies(risen)[0].text.startswith("<!subteam^S0CHECKOUT> Mon 16:00")


def test_an_acknowledgement_is_passed_on_to_pagerduty(pagerduty: PagerDuty, pages: PagerDutyStandIn) -> None:
    receipt = pagerduty.send(notification())
    told = pagerduty.send(update(receipt.remote_id or "", event="acknowledged", quiet=True, **ACKNOWLEDGED))
    (alert,) = pages.open
    assert alert.actions == ["trigger", "acknowledge"]
    assert alert.status == "acknowledged"
    assert told.remote_id == receipt.remote_id
    assert pages.unexpected == []


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"is_reminder": True, "event": "reminder"}, "nothing to tell: reminders wake nobody"),
        ({"quiet": True, "joined": True}, "nothing to tell: a silent edit"),
        ({}, "nothing to tell: no incident joined"),
    ],
)
def test_what_wakes_nobody_is_not_sent_to_pagerduty(
    pagerduty: PagerDuty, pages: PagerDutyStandIn, changes: dict[str, object], note: str
) -> None:
    assert pagerduty.send(update("key", **changes)).note == note
    assert pages.requests == []


def test_a_quiet_resolve_still_closes_the_page(pagerduty: PagerDuty, pages: PagerDutyStandIn) -> None:
    receipt = pagerduty.send(notification())
    pagerduty.send(resolve(receipt.remote_id, quiet=True))
    assert pages.open == []
