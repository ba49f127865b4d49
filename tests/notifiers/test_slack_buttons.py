from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from notifiers import IncidentView
from notifiers.slack import Slack
from notifiers.slack.buttons import Press, block, pressed
from tests.notifiers.examples import CHANNEL, MONDAY, incident, notification, resolve, update
from tests.standins.slack import APP_TOKEN, TOKEN, SlackStandIn

ALL = ["Acknowledge", "Silence 1 h", "Silence 1 d", "Expected", "Not an anomaly"]


@pytest.fixture
def service() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


def interactive(service: SlackStandIn) -> Slack:
    return Slack(channel=CHANNEL, token=SecretStr(TOKEN), app_token=SecretStr(APP_TOKEN), base_url=service.base_url)


def shown(service: SlackStandIn) -> list[str]:
    """The texts of the buttons below the only message."""
    (root,) = service.messages()
    rows = [one["elements"] for one in root.blocks if one["type"] == "actions"]
    return [element["text"]["text"] for row in rows if isinstance(row, list) for element in row]


def payload(**changes: object) -> dict[str, object]:
    """A press of Acknowledge as Slack sends it."""
    usual: dict[str, object] = {
        "type": "block_actions",
        "user": {"id": "U0ANN", "username": "ann", "name": "ann", "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": CHANNEL},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"type": "button", "action_id": "metricwatch:acknowledge", "value": "20260105T140000-0123"}],
    }
    return usual | changes


def test_a_message_has_buttons_where_somebody_listens_to_them(service: SlackStandIn) -> None:
    interactive(service).send(notification())
    assert shown(service) == ALL
    assert service.unexpected == []


def test_without_an_app_token_there_are_no_buttons(service: SlackStandIn) -> None:
    Slack(channel=CHANNEL, token=SecretStr(TOKEN), base_url=service.base_url).send(notification())
    assert shown(service) == []


def test_what_is_acknowledged_cannot_be_acknowledged_again(service: SlackStandIn) -> None:
    slack = interactive(service)
    receipt = slack.send(notification())
    slack.send(update(receipt.remote_id or "", acknowledged_by="ann", acknowledged_at=MONDAY))
    assert shown(service) == ALL[1:]


def test_what_is_over_has_no_buttons_and_keeps_its_links(service: SlackStandIn) -> None:
    slack = interactive(service)
    receipt = slack.send(notification())
    slack.send(resolve(receipt.remote_id))
    assert shown(service) == []
    assert "|Dashboard>" in service.messages()[0].shown


def test_the_health_of_a_query_is_neither_expected_nor_an_anomaly() -> None:
    late: IncidentView = incident(kind="late", metric="orders_hourly", dimensions={}, reason="3 h late")
    made = block(notification(late))
    assert made is not None
    elements = made["elements"]
    assert isinstance(elements, list)
    assert [element["text"]["text"] for element in elements] == ALL[:3]


@pytest.mark.parametrize(
    ("action_id", "action", "length"),
    [
        ("metricwatch:acknowledge", "acknowledge", None),
        ("metricwatch:silence_1h", "silence", timedelta(hours=1)),
        ("metricwatch:silence_1d", "silence", timedelta(days=1)),
        ("metricwatch:expected", "expected", None),
        ("metricwatch:not_an_anomaly", "not_an_anomaly", None),
    ],
)
def test_a_press_says_who_wants_what_for_which_group(action_id: str, action: str, length: timedelta | None) -> None:
    press = pressed(payload(actions=[{"action_id": action_id, "value": "g"}]))
    assert press == Press(
        action=action,  # type: ignore[arg-type]  # parametrised
        target="g",
        by="ann",
        user_id="U0ANN",
        channel=CHANNEL,
        length=length,
        response_url="https://hooks.slack.com/actions/T1/1/x",
    )


def test_a_name_from_slack_is_cleaned_and_bounded() -> None:
    press = pressed(payload(user={"id": "U1", "name": "a\u202e\nb" + "x" * 500}))
    assert press is not None
    assert press.by.startswith("a b")
    assert len(press.by) <= 60


@pytest.mark.parametrize(
    ("home", "place", "is_from_elsewhere"),
    [
        ("T1", {}, False),
        ("T2", {}, True),
        ("E1", {}, True),
        ("E1", {"team": {"id": "T1", "enterprise_id": "E1"}}, False),
        ("E1", {"enterprise": {"id": "E1", "name": "Acme"}}, False),
        ("T1", {"enterprise": {"id": "E1", "name": "Acme"}}, False),
        ("E2", {"enterprise": {"id": "E1"}, "team": {"id": "T1", "enterprise_id": "E1"}}, True),
        ("T2", {"enterprise": {"id": "E1"}, "team": {"id": "T1", "enterprise_id": "E1"}}, True),
        ("T1", {"enterprise": None}, False),
    ],
)
def test_somebody_of_another_workspace_and_organisation_is_told_apart(
    home: str, place: dict[str, object], is_from_elsewhere: bool
) -> None:
    press = pressed(payload(user={"id": "U1", "name": "eve", "team_id": home}, **place))
    assert press is not None
    assert press.is_from_elsewhere is is_from_elsewhere


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "view_submission"},
        {"actions": []},
        {"actions": None},
        {"actions": ["x"]},
        {"actions": [{"action_id": "another:thing", "value": "g"}]},
        {"actions": [{"action_id": "metricwatch:acknowledge"}]},
        {"actions": [{"action_id": "metricwatch:acknowledge", "value": 7}]},
        {"user": None},
        {"user": {}},
    ],
)
def test_what_is_no_press_of_ours_is_none(changes: dict[str, object]) -> None:
    assert pressed(payload(**changes)) is None
