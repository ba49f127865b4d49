"""T21 for pages and API: whatever is asked, no answer and no line of the log holds a secret."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from alerting.app import App
from alerting.telemetry import configure
from alerting.web.server import create
from alerting.web.tokens import make
from tests.app.world import NOW, YAML, fill_warehouse, opened
from tests.figures import Figure
from tests.web.test_gate import routes_of

CANARY = "c4nary"
SECRETS = {
    "LOCKED_URL": f"postgresql://app:{CANARY}-password@127.0.0.1:9/books",
    "PAGER_KEY": f"{CANARY}routingkeyroutingkeyrouting",
    "HOOK_URL": f"https://127.0.0.1:9/{CANARY}-hook",
    "HOOK_SECRET": f"{CANARY}-signature",
}
MORE = """
  locked_hourly: {source: locked, bucket: 1h, sql: "SELECT :start AS time, 1 AS books, :end"}
metrics:
  shop.locked: {query: locked_hourly, value: books}
"""


@pytest.fixture
def secret_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A shop with a password, keys and tokens, where everything that uses one fails."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    fill_warehouse(tmp_path / "shop.db")
    text = YAML % {"folder": tmp_path}
    text = text.replace("sources: {", 'sources: {locked: {url: "${env:LOCKED_URL}"}, ', 1)
    text = text.replace("quiet: {console: {}}", 'quiet: {pagerduty: {routing_key: "${env:PAGER_KEY}"}}', 1)
    hook = 'screen: {webhook: {url: "${env:HOOK_URL}", secret: "${env:HOOK_SECRET}"}}'
    text = text.replace("screen: {console: {}}", hook, 1)
    text = text.replace("metrics: [shop.weight,", "metrics: [shop.locked, shop.weight,", 1)
    text = text.replace("metrics:\n", MORE.lstrip("\n"), 1)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "shop.yaml").write_text(text, encoding="utf-8")
    others: dict[str, object] = {
        "slack_token": SecretStr(f"xoxb-{CANARY}"),
        "slack_app_token": SecretStr(f"xapp-{CANARY}"),
        "heartbeat_url": SecretStr(f"https://heart.example/{CANARY}"),
        "pagerduty_url": "http://127.0.0.1:9/v2/enqueue",
        "tokens_file": tmp_path / "tokens",
    }
    with opened(tmp_path, **others) as app:
        yield app


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """The log at DEBUG, as it is written."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure("text", "DEBUG")
    written = io.StringIO()
    for handler in root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)


def test_no_answer_and_no_log_holds_a_secret(
    secret_shop: App, logged: io.StringIO, tmp_path: Path, figure: Figure
) -> None:
    secret, token = make("ann", "admin")
    (tmp_path / "tokens").write_text(token.line() + "\n")
    app = secret_shop
    for now in (NOW - timedelta(days=1), NOW):
        app.adopt_config(now)
        for query in ("orders_hourly", "broken_hourly", "locked_hourly"):
            app.evaluate(query, now)
        app.deliver(now)
    app.actions.silence_matching({"metric": "shop.*"}, timedelta(hours=1), by="a", comment="b", via="cli", now=NOW)
    reasons = " ".join(row.reason for row in app.store.outbox.rows())
    assert "127.0.0.1" in reasons or "refused" in reasons.casefold(), "what fails says why"

    client = TestClient(create(app, clock=lambda: NOW), base_url="http://127.0.0.1", raise_server_exceptions=False)
    bearer = {"Authorization": f"Bearer {secret}"}
    told = 0
    for method, path in addresses(app):
        content = b'{"by": 1, "x": "y"}' if method == "POST" else None
        answer = client.request(method, path, headers=bearer | {"Content-Type": "application/json"}, content=content)
        said = answer.text + repr(answer.headers)
        assert answer.status_code != 500, path
        assert CANARY not in said, path
        assert secret not in said, path
        assert token.sha256 not in said, path
        told += 1
    client.get("/api/v1/incidents", headers={"Authorization": f"Bearer {CANARY}"})
    assert "token refused" in logged.getvalue()
    assert (CANARY in logged.getvalue(), secret in logged.getvalue()) == (False, False)
    figure("T21", f"{told} answers of pages and API, and the log at DEBUG: 0 secrets")


def addresses(app: App) -> Iterator[tuple[str, str]]:
    """Every route, with every name that there is."""
    names = [*app.config.metrics, *app.config.subscriptions, *app.config.sources]
    names += [one.id for one in app.store.incidents()] + [one.id for one in app.store.silences.all()]
    names += [group.id for one in app.store.incidents() for group in app.store.groups_of(one.id)]
    for route in sorted(routes_of(create(app))):
        method, _, path = route.partition(" ")
        if path in ("/live", "/static"):
            continue  # a stream that does not end, and files
        for name in dict.fromkeys(names) if "{" in path else [""]:
            asked = "?at=2026-02-03T10:00" if path.endswith("/why") else ""
            yield method, re.sub(r"\{.*?\}", name, path) + asked
