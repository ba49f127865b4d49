"""Every registered notifier keeps the promises of ``conformance``."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from notifiers import names
from notifiers.console import Console
from notifiers.pagerduty import PagerDuty
from notifiers.slack import Slack
from notifiers.webhook import Webhook
from tests.canaries import ADDRESS_KEY, SIGNING_KEY
from tests.notifiers.conformance import Case, NotifierConformance
from tests.notifiers.examples import CHANNEL
from tests.standins.pagerduty import KEY, PagerDutyStandIn
from tests.standins.server import Answer
from tests.standins.slack import APP_TOKEN, TOKEN, SlackStandIn
from tests.standins.webhook import WebhookStandIn, trust

SIGNATURE = "whsec_" + base64.b64encode(SIGNING_KEY.encode()).decode()


class TestSlack(NotifierConformance):
    @contextmanager
    def running(self) -> Iterator[Case]:
        with SlackStandIn() as service:
            yield Case(
                notifier=Slack(
                    channel=CHANNEL, token=SecretStr(TOKEN), app_token=SecretStr(APP_TOKEN), base_url=service.base_url
                ),
                told=lambda: [message.shown + "\n" + message.text for message in service.messages()],
                complaints=lambda: service.unexpected,
                secrets=(TOKEN, APP_TOKEN),
                lose_answer=lambda: service.fail("chat.postMessage", "drop", after_effect=True),
                limit=lambda header: service.fail("chat.postMessage", "status", status=429, retry_after=header),
                take_down=service.down,
            )


class TestPagerDuty(NotifierConformance):
    @contextmanager
    def running(self) -> Iterator[Case]:
        with PagerDutyStandIn() as service:
            yield Case(
                notifier=PagerDuty(routing_key=SecretStr(KEY), url=service.url),
                told=lambda: [alert.summary for alert in service.alerts.values()],
                complaints=lambda: service.unexpected,
                secrets=(KEY,),
                lose_answer=lambda: service.fail("enqueue", "drop", after_effect=True),
                limit=lambda header: service.fail("enqueue", "status", status=429, retry_after=header),
                take_down=service.down,
            )


class TestWebhook(NotifierConformance):
    @contextmanager
    def running(self) -> Iterator[Case]:
        with WebhookStandIn() as service:

            def limit(header: str | None) -> None:
                service.answer = Answer(429, b"", {"Retry-After": header} if header is not None else {})

            yield Case(
                notifier=Webhook.on_loopback(service.url, SIGNATURE, trust=trust()),
                told=lambda: [json.dumps(body, ensure_ascii=False) for body in service.bodies],
                complaints=lambda: service.unexpected,
                secrets=(SIGNATURE.removeprefix("whsec_"), SIGNING_KEY, ADDRESS_KEY),
                lose_answer=lambda: service.fail("*", "drop", after_effect=True),
                limit=limit,
                take_down=service.down,
            )


class TestConsole(NotifierConformance):
    @contextmanager
    def running(self) -> Iterator[Case]:
        out = io.StringIO()
        yield Case(
            notifier=Console.printing_to(out),
            told=lambda: [message for message in out.getvalue().split("\n\n") if message],
            complaints=lambda: [repr(sign) for sign in out.getvalue() if sign != "\n" and not sign.isprintable()],
            secrets=(),
        )


def test_every_registered_notifier_is_here() -> None:
    tested = {kind.__name__.removeprefix("Test").lower() for kind in NotifierConformance.__subclasses__()}
    assert set(names()) <= tested
