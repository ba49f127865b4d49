"""Small detectors and notifiers with the shape of the real ones, so that these tests stand on their own."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, SecretStr, model_validator

from config.plug_ins import PlugIns
from detectors import Detector, Explanation, Panel, Verdicts
from detectors.rates import Rate
from notifiers import Notification, Notifier, Receipt


class _Judgeless(Detector):
    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        raise AssertionError("configuration never judges")

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        raise AssertionError("configuration never judges")


class Seasonal(_Judgeless):
    budget: Rate = Field(1.0, description="how often")
    sensitivity: Literal["low", "normal", "high"] | None = Field(None, description="instead of a budget")
    seasons: Literal["auto"] | tuple[Literal["day", "week"], ...] = Field("auto", description="what may be learned")
    domain: Literal["auto", "count"] = Field("auto", description="how noise grows")


class Threshold(_Judgeless):
    above: float | None = Field(None, description="anomalous above this")
    below: float | None = Field(None, description="anomalous below this")
    outside: tuple[float, float] | None = Field(None, description="anomalous outside these")
    clear: float | None = Field(None, description="anomalous until back at this")
    during: str | tuple[str, ...] | None = Field(None, description="local hours")
    timezone: str = Field("UTC", description="zone of `during`")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Threshold:
        if self.above is None and self.below is None and self.outside is None:
            raise ValueError("set above, below or outside")
        return self


class Drift(_Judgeless):
    budget: Rate = Field(1.0, description="how often")


class _Silent(Notifier):
    def send(self, notification: Notification) -> Receipt:
        raise AssertionError("configuration never sends")


def _channel_id(text: str) -> str:
    if not text.startswith(("C", "G", "D")):
        raise ValueError(f"{text!r} is not a channel id")
    return text


def _https(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith("https://"):
        raise ValueError(f"{secret.get_secret_value()} is not https")
    return secret


class Slack(_Silent):
    channel: Annotated[str, AfterValidator(_channel_id)] = Field(description="id of the channel")
    token: SecretStr = Field(description="bot token", json_schema_extra={"setting": "slack_token"})
    base_url: str = Field("https://slack.com/api/", json_schema_extra={"setting": "slack_base_url"})


class PagerDuty(_Silent):
    routing_key: SecretStr = Field(description="integration key")
    region: Literal["us", "eu"] = Field("us", description="service region")


class Webhook(_Silent):
    url: Annotated[SecretStr, AfterValidator(_https)] = Field(description="where to post")
    secret: SecretStr | None = Field(None, description="key of the signature")


class Console(_Silent):
    pass


DETECTORS: dict[str, type[Detector]] = {"seasonal": Seasonal, "threshold": Threshold, "drift": Drift}
NOTIFIERS: dict[str, type[Notifier]] = {
    "slack": Slack,
    "pagerduty": PagerDuty,
    "webhook": Webhook,
    "console": Console,
}
PLUG_INS = PlugIns(
    detector_type=DETECTORS.__getitem__,
    detector_names=lambda: list(DETECTORS),
    notifier_type=NOTIFIERS.__getitem__,
    notifier_names=lambda: list(NOTIFIERS),
)
