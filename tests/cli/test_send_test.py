from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerting.cli import program
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.slack import TOKEN, SlackStandIn

YAML = """\
version: 1
receivers:
  chat: {slack: {channel: C0GROWTH01}}
  pager: {pagerduty: {routing_key: "${env:PD_KEY}"}}
"""


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SlackStandIn, PagerDutyStandIn]]:
    (tmp_path / "a.yaml").write_text(YAML, encoding="utf-8")
    monkeypatch.setenv("METRICWATCH_CONFIG", str(tmp_path))
    monkeypatch.setenv("PD_KEY", KEY)
    with SlackStandIn() as slack, PagerDutyStandIn() as pagerduty:
        monkeypatch.setenv("METRICWATCH_SLACK_TOKEN", TOKEN)
        monkeypatch.setenv("METRICWATCH_SLACK_BASE_URL", slack.base_url)
        monkeypatch.setenv("METRICWATCH_PAGERDUTY_URL", pagerduty.url)
        yield slack, pagerduty
        assert slack.unexpected == pagerduty.unexpected == []


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(program(["check"]), ["check", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_each_receiver_gets_a_message_that_is_over(services: tuple[SlackStandIn, PagerDutyStandIn]) -> None:
    slack, pagerduty = services
    code, out, _ = run("--send-test")
    assert code == 0
    assert out.splitlines()[:2] == [
        "receiver chat: told, and marked as over",
        "receiver pager: told, and marked as over",
    ]
    (message,) = slack.messages()
    assert "resolved" in message.shown
    assert slack.thread(message.ts) == []
    ((key, alert),) = pagerduty.alerts.items()
    events = [(event["event_action"], event["dedup_key"]) for event in alert.events]
    assert events == [("trigger", key), ("resolve", key)]
    assert alert.events[0]["payload"]["severity"] == "info"  # type: ignore[index]  # the stand-in checked it
    assert pagerduty.open == []


def test_one_that_fails_is_named_and_the_others_are_tried(services: tuple[SlackStandIn, PagerDutyStandIn]) -> None:
    slack, pagerduty = services
    slack.fail("chat.postMessage", "error", code="not_in_channel")
    code, out, _ = run("--send-test", "--json")
    assert code == 1
    chat, pager = json.loads(out)["trials"]
    assert (chat["receiver"], pager) == ("chat", {"receiver": "pager", "failure": ""})
    assert "not_in_channel" in chat["failure"]
    assert pagerduty.pages == 1


def test_only_those_named_are_sent_one(services: tuple[SlackStandIn, PagerDutyStandIn]) -> None:
    slack, pagerduty = services
    assert run("--send-test", "chat")[0] == 0
    assert (len(slack.messages()), pagerduty.pages) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("chat",), "receivers are named for --send-test only"), (("--send-test", "chta"), "did you mean 'chat'?")],
)
def test_wrong_use_sends_nothing(
    services: tuple[SlackStandIn, PagerDutyStandIn], arguments: tuple[str, ...], told: str
) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert told in err
    assert services[0].messages() == []
