from __future__ import annotations

from pathlib import Path

import pytest

from config.model import Receiver
from config.receivers import UnusableReceiver, build
from config.settings import Settings
from tests.config.folders import SHOP, lines, loaded
from tests.config.plug_ins import PLUG_INS, PagerDuty, Slack, Webhook


def settings(**values: object) -> Settings:
    return Settings.model_validate(values)


def test_setting_fields_come_from_the_settings() -> None:
    receiver = Receiver("chat", "slack", {"channel": "C1"})
    built = build(receiver, settings(slack_token="xoxb-1", slack_base_url="http://127.0.0.1:9/api"), PLUG_INS)
    assert isinstance(built, Slack)
    assert built.token.get_secret_value() == "xoxb-1"
    assert (built.channel, built.base_url) == ("C1", "http://127.0.0.1:9/api/")


def test_a_missing_setting_is_named_with_its_variable() -> None:
    with pytest.raises(UnusableReceiver, match=r"^receiver growth-slack needs METRICWATCH_SLACK_TOKEN$"):
        build(Receiver("growth-slack", "slack", {"channel": "C1"}), settings(), PLUG_INS)


def test_references_are_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PD_KEY", "canary")
    built = build(Receiver("pager", "pagerduty", {"routing_key": "${env:PD_KEY}"}), settings(), PLUG_INS)
    assert isinstance(built, PagerDuty)
    assert built.routing_key.get_secret_value() == "canary"
    assert "canary" not in repr(built)


def test_an_unset_reference_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PD_KEY", raising=False)
    with pytest.raises(UnusableReceiver, match="receiver pager: environment variable PD_KEY is not set"):
        build(Receiver("pager", "pagerduty", {"routing_key": "${env:PD_KEY}"}), settings(), PLUG_INS)


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "http://canary.example")
    with pytest.raises(UnusableReceiver) as refused:
        build(Receiver("hook", "webhook", {"url": "${env:HOOK}"}), settings(), PLUG_INS)
    assert str(refused.value) == "receiver hook: url: *** is not https"
    assert refused.value.__cause__ is None


def test_parts_of_a_text_may_be_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "canary")
    built = build(Receiver("hook", "webhook", {"url": "https://h.example/${env:HOOK_TOKEN}"}), settings(), PLUG_INS)
    assert isinstance(built, Webhook)
    assert built.url.get_secret_value() == "https://h.example/canary"


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UnusableReceiver, match="receiver x: no kind of receiver is called 'telex'"):
        build(Receiver("x", "telex", {}), settings(), PLUG_INS)


def with_fallbacks(**fallbacks: str) -> str:
    receivers = "".join(f"  {name}: {{console: {{}}, fallback: {other}}}\n" for name, other in fallbacks.items())
    return SHOP.replace("receivers:\n", f"receivers:\n{receivers}")


def test_a_fallback_is_a_receiver(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"shop.yaml": with_fallbacks(chat="pager", pager="ops")})
    assert lines(found) == []
    assert {name: one.fallback for name, one in found.config.receivers.items()} == {
        "chat": "pager", "pager": "ops", "ops": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fallbacks", "told"),
    [
        ({"chat": "opps"}, "no receiver is called 'opps'; did you mean 'ops'?"),
        ({"chat": "chat"}, "a receiver cannot be its own fallback: name another one"),
        ({"chat": "[ops]"}, "should be the name of a receiver"),
        (
            {"first": "chat", "chat": "pager", "pager": "chat"},
            "fallbacks lead in a circle: chat → pager → chat; let one of them have none",
        ),
    ],
)
def test_a_fallback_that_leads_nowhere_is_told_once(tmp_path: Path, fallbacks: dict[str, str], told: str) -> None:
    (line,) = lines(loaded(tmp_path, {"shop.yaml": with_fallbacks(**fallbacks)}))
    assert line.startswith("shop.yaml:")
    assert line.endswith(f": receivers.chat.fallback: {told}")
