"""Settings of the program itself, from the environment: ``METRICWATCH_NAME`` or ``METRICWATCH_NAME_FILE``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="METRICWATCH_", extra="ignore", frozen=True)

    state_url: SecretStr = Field(SecretStr("sqlite:///metricwatch.db"), description="where metricwatch keeps its state")
    config: Path = Field(Path("metrics"), description="folder of YAML files")
    listen: str = Field("127.0.0.1:8050", description="address and port of the web server")
    slack_token: SecretStr | None = Field(None, description="bot token (xoxb-…) of the Slack app")
    slack_base_url: str = Field("https://slack.com/api/", description="Slack's API; a stand-in in tests")
    pagerduty_url: str | None = Field(None, description="the whole Events v2 endpoint; unset: by the receiver's region")
    pagerduty_routing_key: SecretStr | None = Field(None, description="routing key that `demo` sends to")
    executor: str = Field("inline", description="where detectors run: inline or processes")
    log_format: str = Field("text", description="text or json")
    public_url: str | None = Field(None, description="how people reach the web server; links in messages start with it")
