"""The flow of one delivery to Slack: post a root, or edit it and say in its thread what changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import ClassVar, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field, SecretStr, field_validator
from slack_sdk import WebClient

from notifiers import wording
from notifiers.addresses import is_https_or_loopback
from notifiers.contract import Notification, Notifier, Pace, Receipt
from notifiers.errors import BadCredential, DeliveryError
from notifiers.slack import charts, lookup, message
from notifiers.slack.answers import ContentRefused, NotEditable, call
from notifiers.slack.message import Form

# The SDK logs whole requests at DEBUG and prints what we raise anyway: one line per fact, and it is delivery's.
_SDK_LOG = logging.getLogger("notifiers.slack.sdk")
_SDK_LOG.setLevel(logging.CRITICAL)


class Slack(Notifier):
    """Posts to one channel. Needs the scopes chat:write, files:write and channels:history (groups:history)."""

    wants_chart: ClassVar[bool] = True
    chart_waits_s: ClassVar[tuple[float, ...]] = (1.0, 2.0)
    """Slack takes a moment to process an uploaded picture and refuses it until then (``invalid slack file``)."""

    channel: str = Field(description="id of the channel (C…), private channel (G…) or direct message (D…)")
    token: SecretStr | None = Field(
        default=None, description="bot token (xoxb-…)", json_schema_extra={"setting": "slack_token"}
    )
    app_token: SecretStr | None = Field(
        default=None,
        description="app token (xapp-…): with it messages have buttons",
        json_schema_extra={"setting": "slack_app_token"},
    )
    base_url: str = Field(
        default="https://slack.com/api/", description="Slack's API", json_schema_extra={"setting": "slack_base_url"}
    )

    @field_validator("channel")
    @classmethod
    def _is_an_id(cls, channel: str) -> str:
        if not (channel[:1] in ("C", "G", "D") and 3 <= len(channel) <= 30 and channel.isascii()):
            raise ValueError(
                "a channel is written as its id (C…, G… or D…): copy it from the channel's details in Slack"
            )
        if not (channel.isalnum() and channel == channel.upper()):
            raise ValueError("a channel id has capital letters and digits only")
        return channel

    @field_validator("base_url")
    @classmethod
    def _is_safe_for_a_token(cls, url: str) -> str:
        if not is_https_or_loopback(url):
            raise ValueError("plain http is for the loopback address only: the token would travel in the clear")
        return url if url.endswith("/") else f"{url}/"

    @property
    def pace(self) -> Pace:
        return Pace(scope=f"slack:{self.channel}", per_second=1, burst=3)

    def send(self, notification: Notification) -> Receipt:
        root = lookup.parsed(notification.remote_id)
        if root is None:
            return self._post_root(notification)
        try:
            return self._edit(notification, *root)
        except NotEditable:
            return self._post_root(notification, replaces=lookup.link(*root))

    def find(self, notification: Notification) -> Receipt | None:
        """Roots are looked up in the channel's history, thread posts in the replies of the root.

        An edit without a thread post leaves no trace and may be repeated: None.
        """
        root = lookup.parsed(notification.remote_id)
        if root and lookup.reply(self._client, *root, notification.delivery_id):
            return Receipt(remote_id=notification.remote_id)
        horizon = notification.created - timedelta(minutes=5)
        ts = lookup.posted(self._client, self.channel, notification.delivery_id, horizon)
        return Receipt(remote_id=f"{self.channel}:{ts}") if ts else None

    def probe(self) -> None:
        call(self._client, "auth.test", {})

    def _post_root(self, notification: Notification, replaces: str | None = None) -> Receipt:
        file_id, missing = self._chart(notification, lookup.parsed(notification.remote_id))
        forms = message.roots(notification, file_id, replaces, has_buttons=self._has_buttons)
        answer, form = self._say(forms, lambda form: self._post(notification, form))
        remote_id = f"{answer.get('channel', self.channel)}:{answer.get('ts')}"
        return Receipt(remote_id=remote_id, chart=_charted(notification, form), note=_noted(missing, form))

    def _edit(self, notification: Notification, channel: str, ts: str) -> Receipt:
        """The edit comes first, because repeating it does no harm; the thread post is found again by ``find``."""
        file_id, missing = self._chart(notification, (channel, ts))
        forms = message.roots(notification, file_id, has_buttons=self._has_buttons)
        _, form = self._say(forms, lambda form: self._update(channel, ts, form))
        if (notification.changes or notification.is_reminder) and not notification.quiet:
            told = message.replies(notification)
            self._say(told, lambda form: self._post(notification, form, channel, ts))
        note = _noted(missing, form)
        return Receipt(remote_id=notification.remote_id, chart=_charted(notification, form), note=note)

    def _say(
        self, forms: list[Form], deliver: Callable[[Form], Mapping[str, object]]
    ) -> tuple[Mapping[str, object], Form]:
        """Walks down the ladder until Slack takes a form. Raises what the last one raised."""
        for form in forms[:-1]:
            try:
                return self._patiently(form, deliver), form
            except ContentRefused:
                continue
        return deliver(forms[-1]), forms[-1]

    def _patiently(self, form: Form, deliver: Callable[[Form], Mapping[str, object]]) -> Mapping[str, object]:
        for wait_s in self.chart_waits_s if form.shows_chart else ():
            try:
                return deliver(form)
            except ContentRefused as refused:
                if "slack file" not in refused.details and "slack_file" not in refused.details:
                    raise
                time.sleep(wait_s)
        return deliver(form)

    def _post(
        self, notification: Notification, form: Form, channel: str | None = None, thread: str | None = None
    ) -> Mapping[str, object]:
        place = f"{notification.delivery_id}/{thread or 'root'}"
        arguments = {
            "channel": channel or self.channel,
            "text": form.text,
            "blocks": list(form.blocks) or None,
            "thread_ts": thread,
            "reply_broadcast": True if thread and notification.raises_severity else None,
            "metadata": lookup.metadata(notification.delivery_id),
            "client_msg_id": str(uuid5(NAMESPACE_URL, f"metricwatch:{place}")),
            "unfurl_links": False,
            "unfurl_media": False,
            "link_names": False,
        }
        return call(self._client, "chat.postMessage", arguments)

    def _update(self, channel: str, ts: str, form: Form) -> Mapping[str, object]:
        # An empty list takes the old blocks away; without it they would go on being shown.
        arguments = {"channel": channel, "ts": ts, "text": form.text, "blocks": list(form.blocks), "link_names": False}
        return call(self._client, "chat.update", arguments)

    def _chart(self, notification: Notification, root: tuple[str, str] | None) -> tuple[str | None, str]:
        """The file id of the chart and, where there should be one and is none, why; never an error."""
        try:
            if notification.chart is not None:
                return charts.upload(self._chart_client, notification.chart, wording.summary(notification)), ""
            if root and _has_pictures(notification):
                return charts.shown_in(lookup.root(self._chart_client, *root)), ""
        except DeliveryError as error:
            return None, f"without chart: {error}"
        return None, ""

    @property
    def _has_buttons(self) -> bool:
        """A button that nobody listens to shows a warning sign to whoever presses it."""
        return self.app_token is not None

    @cached_property
    def _client(self) -> WebClient:
        return self._web_client(timeout_s=10)

    @cached_property
    def _chart_client(self) -> WebClient:
        """Its short timeout bounds how long a picture may hold up the words."""
        return self._web_client(timeout_s=4)

    def _web_client(self, timeout_s: int) -> WebClient:
        if self.token is None:
            raise BadCredential("there is no Slack token: set METRICWATCH_SLACK_TOKEN")
        # The SDK's own retries post twice where the connection drops after acceptance: pace and retries are delivery's.
        return WebClient(
            token=self.token.get_secret_value(),
            base_url=self.base_url,
            timeout=timeout_s,
            retry_handlers=[],
            logger=_SDK_LOG,
        )


def _has_pictures(notification: Notification) -> bool:
    return any(incident.kind == "metric" for incident in notification.incidents)


def _charted(notification: Notification, form: Form) -> Literal["", "new", "kept"]:
    if not form.shows_chart:
        return ""
    return "kept" if notification.chart is None else "new"


def _noted(missing: str, form: Form) -> str:
    return "; ".join(part for part in (missing, form.left_out) if part)
