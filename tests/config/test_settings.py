from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import BadSettings, Settings, read_settings, unknown_variables


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("METRICWATCH_") or name in ("SLACK_TOKEN", "PAGERDUTY_ROUTING_KEY"):
            monkeypatch.delenv(name)


def test_defaults_need_no_environment() -> None:
    found = read_settings()
    assert found.state_url.get_secret_value() == "sqlite:///metricwatch.db"
    assert found.config == Path("metrics")
    assert found.listen_address == ("127.0.0.1", 8050)
    assert found.slack_base_url == "https://slack.com/api/"
    assert (found.executor, found.log_format, found.mute, found.hosts) == ("inline", "text", False, ())
    assert found.log_level is None, "each command has its own"


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {
        "STATE_URL": "postgresql://app:canary@db/state",
        "CONFIG": "/etc/metricwatch",
        "LISTEN": "[::1]:80",
        "SLACK_TOKEN": "xoxb-canary",
        "SLACK_APP_TOKEN": "xapp-canary",
        "SLACK_BASE_URL": "http://localhost:9/api",
        "PAGERDUTY_URL": "http://127.0.0.1:9/v2/enqueue",
        "PAGERDUTY_ROUTING_KEY": "canary",
        "EXECUTOR": "processes",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
        "PUBLIC_URL": "https://watch.example/",
        "MUTE": "1",
        "HOSTS": "watch.example, other.example",
        "HEARTBEAT_URL": "https://beats.example/canary",
        "TOKENS_FILE": "/run/tokens",
    }
    for name, value in written.items():
        monkeypatch.setenv(f"METRICWATCH_{name}", value)
    found = read_settings()
    assert set(written) == {name.upper() for name in Settings.model_fields}
    assert found.listen_address == ("::1", 80)
    assert (found.public_url, found.mute) == ("https://watch.example", True)
    assert found.hosts == ("watch.example", "other.example")
    assert found.slack_base_url == "http://localhost:9/api/"
    assert "canary" not in repr(found) + str(found) + found.model_dump_json()


@pytest.mark.parametrize("name", ["SLACK_TOKEN", "PAGERDUTY_ROUTING_KEY"])
def test_two_tokens_are_read_without_prefix_too(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "bare")
    assert getattr(read_settings(), name.lower()).get_secret_value() == "bare"
    monkeypatch.setenv(f"METRICWATCH_{name}", "prefixed")
    assert getattr(read_settings(), name.lower()).get_secret_value() == "prefixed"


def test_every_setting_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-from-file\n", encoding="utf-8")
    (tmp_path / "listen").write_text("0.0.0.0:1\n", encoding="utf-8")
    monkeypatch.setenv("METRICWATCH_SLACK_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("METRICWATCH_LISTEN_FILE", str(tmp_path / "listen"))
    found = read_settings()
    assert found.slack_token is not None
    assert found.slack_token.get_secret_value() == "xoxb-from-file"
    assert found.listen_address == ("0.0.0.0", 1)


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_SLACK_TOKEN_FILE", "/nowhere/token")
    with pytest.raises(BadSettings, match=r"^METRICWATCH_SLACK_TOKEN_FILE: /nowhere/token cannot be read"):
        read_settings()


def test_a_variable_and_its_file_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_SLACK_TOKEN", "canary")
    monkeypatch.setenv("METRICWATCH_SLACK_TOKEN_FILE", "/run/token")
    with pytest.raises(BadSettings, match="METRICWATCH_SLACK_TOKEN: is set, and METRICWATCH_SLACK_TOKEN_FILE as well"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LISTEN", "8050", "METRICWATCH_LISTEN: write an address and a port such as 127.0.0.1:8050"),
        ("LISTEN", "127.0.0.1:99999", "METRICWATCH_LISTEN: write an address and a port"),
        ("PAGERDUTY_URL", "http://events.example", "METRICWATCH_PAGERDUTY_URL: write an https address"),
        ("SLACK_BASE_URL", "http://10.0.0.1/", "METRICWATCH_SLACK_BASE_URL: write an https address"),
        ("PUBLIC_URL", "watch", "METRICWATCH_PUBLIC_URL: write a web address"),
        ("EXECUTOR", "dask", "METRICWATCH_EXECUTOR: Input should be 'inline' or 'processes'"),
        ("LOG_FORMAT", "xml", "METRICWATCH_LOG_FORMAT: Input should be 'text' or 'json'"),
        ("LOG_LEVEL", "LOUD", "METRICWATCH_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("MUTE", "perhaps", "METRICWATCH_MUTE: Input should be a valid boolean"),
    ],
)
def test_a_value_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
    monkeypatch.setenv(f"METRICWATCH_{name}", value)
    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert str(refused.value).startswith(expected)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_SLACK_TOKEN", "")
    assert read_settings().slack_token is None


def test_variables_of_others_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_settings()
    for name in set(Settings.model_fields) - {"slack_token", "pagerduty_routing_key"}:
        monkeypatch.setenv(name.upper(), "of another program")
        monkeypatch.setenv(f"{name.upper()}_FILE", "/nowhere")
    assert read_settings() == expected


@pytest.mark.parametrize("url", ["http://beats.example/canary", "ftp://beats.example/canary", "canary"])
def test_a_heartbeat_that_could_be_overheard_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("METRICWATCH_HEARTBEAT_URL", url)
    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert str(refused.value) == ("METRICWATCH_HEARTBEAT_URL: write an https address (plain http is for loopback only)")


def test_a_misspelt_variable_is_told() -> None:
    environment = {"METRICWATCH_SLAK_TOKEN": "x", "METRICWATCH_URL": "x", "METRICWATCH_TOKEN_FILE": "x", "HOME": "/"}
    assert unknown_variables(environment) == (
        "METRICWATCH_SLAK_TOKEN: unknown setting; did you mean 'METRICWATCH_SLACK_TOKEN'?",
    )
