"""Settings of the program itself: ``METRICWATCH_NAME`` in the environment, or the text of ``METRICWATCH_NAME_FILE``.

>>> Settings(listen="[::1]:8050").listen_address
('::1', 8050)
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from config.problems import suggestion

PREFIX = "METRICWATCH_"
_USED_ELSEWHERE = {"URL", "TOKEN", "SLACK_CHANNEL"}  # options of the command line


class BadSettings(ValueError):
    """One or more variables cannot be used; the message has a line for each and no secret."""


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + setting.upper()


def _listen(text: str) -> str:
    match = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^\s:\[\]/]+):(\d{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise ValueError("write an address and a port such as 127.0.0.1:8050, 0.0.0.0:8050 or [::1]:8050")
    return text


def _is_loopback(host: str | None) -> bool:
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _service_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "https" and parts.hostname:
        return text
    if parts.scheme == "http" and _is_loopback(parts.hostname):
        return text
    raise ValueError("write an https address (plain http is for loopback only)")


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write a web address such as https://metricwatch.example")
    return text.rstrip("/")


def _words(value: object) -> object:
    return tuple(word for word in re.split(r"[\s,]+", value) if word) if isinstance(value, str) else value


def _secret_service_url(secret: SecretStr) -> SecretStr:
    _service_url(secret.get_secret_value())
    return secret


ServiceUrl = Annotated[str, AfterValidator(_service_url)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True, populate_by_name=True,
        hide_input_in_errors=True,
    )  # fmt: skip

    state_url: SecretStr = Field(SecretStr("sqlite:///metricwatch.db"), description="where metricwatch keeps its state")
    config: Path = Field(Path("metrics"), description="folder of YAML files")
    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "127.0.0.1:8050", description="address and port of the web server"
    )
    slack_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("METRICWATCH_SLACK_TOKEN", "SLACK_TOKEN"),
        description="bot token (xoxb-…) of the Slack app; SLACK_TOKEN is read as well",
    )
    slack_app_token: SecretStr | None = Field(None, description="app token (xapp-…) of the Slack app, for buttons")
    slack_base_url: Annotated[ServiceUrl, AfterValidator(lambda url: url.rstrip("/") + "/")] = Field(
        "https://slack.com/api/", description="Slack's API; a stand-in in tests"
    )
    pagerduty_url: ServiceUrl | None = Field(
        None, description="the whole Events v2 endpoint; unset: by the receiver's region; plain http on loopback only"
    )
    pagerduty_routing_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("METRICWATCH_PAGERDUTY_ROUTING_KEY", "PAGERDUTY_ROUTING_KEY"),
        description="routing key that `demo` sends to; PAGERDUTY_ROUTING_KEY is read as well",
    )
    executor: Literal["inline", "processes"] = Field("inline", description="where detectors run: inline or processes")
    log_format: Literal["text", "json"] = Field("text", description="text or json")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None = Field(
        None, description="DEBUG, INFO, WARNING or ERROR; unset: INFO for `run`, WARNING for the other commands"
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        None, description="how people reach the web server; links in messages start with it"
    )
    mute: bool = Field(False, description="1: nothing is sent, everything is recorded")
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        (), description="Host names the web server answers to, beside loopback, `listen` and `public_url`"
    )
    heartbeat_url: Annotated[SecretStr, AfterValidator(_secret_service_url)] | None = Field(
        None, description="asked by GET each minute while everything is watched and told; https, or on loopback http"
    )
    tokens_file: Path | None = Field(None, description="file of API tokens: lines `name scope sha256`")

    @property
    def listen_address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileVariables(settings_cls)


class _FileVariables(PydanticBaseSettingsSource):
    """``METRICWATCH_NAME_FILE``: the text of that file without surrounding white space."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(variable(field_name) + "_FILE", "")
        return (_text_of(path, field_name) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def read_settings() -> Settings:
    """The settings of this process. Raises BadSettings."""
    twice = [
        variable(name)
        for name in Settings.model_fields
        if os.environ.get(variable(name)) and os.environ.get(variable(name) + "_FILE")
    ]
    if twice:
        raise BadSettings("\n".join(f"{name}: is set, and {name}_FILE as well; keep one" for name in twice))
    try:
        return Settings()
    except ValidationError as exc:
        raise BadSettings("\n".join(_line(error["loc"], error["msg"]) for error in exc.errors())) from None


def unknown_variables(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Variables with our prefix that mean nothing, each with the nearest one that does."""
    known = {variable(name) for name in (*Settings.model_fields, *_USED_ELSEWHERE)}
    known |= {f"{name}_FILE" for name in known}
    strange = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    # Compared without the prefix that they share: with it, every name resembles every other.
    ours = {name.removeprefix(PREFIX) for name in known}
    return tuple(f"{name}: unknown setting{_resembling(name.removeprefix(PREFIX), ours)}" for name in strange)


def _resembling(name: str, ours: set[str]) -> str:
    hint = suggestion(name, ours)
    return hint.replace("'", "'" + PREFIX, 1) if "did you mean" in hint else ""


def _text_of(path: str, field_name: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not text"
        raise BadSettings(f"{variable(field_name)}_FILE: {path} cannot be read: {reason}") from exc


def _line(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]) if location else ""
    name = name if name.isupper() else variable(name)
    return f"{name}: {message.removeprefix('Value error, ')}"
