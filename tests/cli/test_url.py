"""``--url``: the same commands through the API of a running server, with the same words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest

from alerting.app import App
from alerting.web.server import Running, serve
from alerting.web.tokens import make
from tests.app.world import opened
from tests.cli.test_program import run


@pytest.fixture
def running(own: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    state = own.settings.state_url.get_secret_value()
    monkeypatch.setenv("METRICWATCH_STATE_URL", state)
    monkeypatch.setenv("METRICWATCH_CONFIG", str(own.settings.config))
    monkeypatch.setenv("LOGNAME", "ann")
    for name in ("METRICWATCH_URL", "METRICWATCH_TOKEN", "METRICWATCH_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    found = serve(own, "127.0.0.1", 0)
    # What its thread logs at its start is not to be heard in the output of a command.
    assert httpx2.get(f"{found.url}/healthz").status_code == 200
    yield found
    found.stop()


def french(app: App) -> str:
    (found,) = [one.id for one in app.store.incidents(open_only=True) if one.labels == {"country": "FR"}]
    return found


def told(*arguments: str) -> dict[str, object]:
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("incidents",),
        ("incidents", "--all"),
        ("incidents", "--all", "--json"),
        ("why", "FRENCH"),
        ("why", "FRENCH", "--json"),
        ("why", "shop.orders{country=FR}", "2026-02-03T11:00"),
        ("why", "shop.orders{country=FR}", "2026-02-03T11:00+01:00", "--subscription", "health", "--json"),
        ("silence", "--list"),
        ("silence", "--metric", "shop.*", "--preview"),
        ("silence", "FRENCH", "--preview", "--json"),
    ],
)
def test_what_is_read_is_the_same_word_for_word(running: Running, own: App, arguments: tuple[str, ...]) -> None:
    asked = [word.replace("FRENCH", french(own)) for word in arguments]
    here, there = run(*asked), run(*asked, "--url", running.url)
    assert here[0] == 0
    assert there == here


def test_what_people_do_is_done_by_the_server(running: Running, own: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICWATCH_URL", running.url)
    monkeypatch.setenv("METRICWATCH_STATE_URL", "sqlite:////nowhere/state.db")  # people on call have none
    name = french(own)
    assert run("ack", name[:-2]) == (0, "acknowledged by ann · 1 open incident\n", "")
    assert told("ack", name, "--by", "bob")["text"] == "acknowledged by ann already"
    made = told("silence", "--metric", "shop.*", "country=FR", "--for", "90m", "--comment", "deploy")
    assert made["incidents"] == [name]
    (one,) = own.store.silences.all()
    assert (one.ends - one.starts).total_seconds() == 5400
    assert "extended" in str(told("silence", "--extend", one.id, "--for", "1h")["text"])
    assert told("silence", "--expire", one.id, "--by", "bob")["text"] == f"silence {one.id} expired by bob"
    assert told("silence", name, "--for", "1h", "--comment", "x")["changed"]
    assert told("label", name, "not-an-anomaly")["text"] == "labelled not an anomaly by ann"
    assert told("resolve", name, "--comment", "fixed")["text"] == "it has ended already"
    kinds = {(one.kind, one.by, one.via) for one in own.store.actions.all()}
    assert kinds >= {("acknowledge", "ann", "api"), ("expire", "bob", "api"), ("not_an_anomaly", "ann", "api")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ack", "nobody"), "there is no incident or group 'nobody': `metricwatch incidents --all` lists them"),
        (("why", "shop.orders{country=FR}"), "say when: metricwatch why 'shop.orders{country=FR}' 2026-01-14T15:00"),
        (("why", "shop.orderz", "2026-02-03"), "did you mean 'shop.orders'?"),
        (("why", "shop.orders", "yesterday"), "'yesterday' is not a time"),
        (("silence", "--metric", "x", "--for", "2h"), "a silence needs a comment"),
        (("silence", "--metric", "x", "--for", "31d", "--comment", "x"), "at most 30 d"),
    ],
)
def test_what_the_server_refuses_ends_with_its_words(
    running: Running, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run(*arguments, "--url", running.url)
    assert (code, out) == (2, "")
    assert message in err


def test_a_token_is_sent_and_names_who_acts(own: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (secret, token), (weak, reader) = make("oncall", "operate"), make("tv", "read")
    (tmp_path / "tokens").write_text(f"{token.line()}\n{reader.line()}\n")
    monkeypatch.delenv("METRICWATCH_TOKEN", raising=False)
    with opened(tmp_path, tokens_file=tmp_path / "tokens") as app:
        running = serve(app, "127.0.0.1", 0)
        try:
            asked = ("ack", french(own), "--url", running.url)
            code, _, err = run(*asked)
            assert code == 2
            assert "a token is needed: set METRICWATCH_TOKEN" in err
            monkeypatch.setenv("METRICWATCH_TOKEN", "mw_wrong")
            assert "this token is not known here: set METRICWATCH_TOKEN" in run(*asked)[2]
            monkeypatch.setenv("METRICWATCH_TOKEN", weak)
            assert "this needs a token with the scope operate; that of tv has read" in run(*asked)[2]
            monkeypatch.delenv("METRICWATCH_TOKEN")
            (tmp_path / "mine").write_text(secret + "\n")
            monkeypatch.setenv("METRICWATCH_TOKEN_FILE", str(tmp_path / "mine"))
            assert told(*asked)["text"] == "acknowledged by oncall"
            said = told("label", french(own), "expected", "--by", "ann", "--url", running.url)
            assert said["text"] == "labelled expected by ann (oncall)"
        finally:
            running.stop()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("metrics.example", "'metrics.example' is no web address"),
        ("ftp://metrics.example", "is no web address"),
        ("http://127.0.0.1:9", "no answer from http://127.0.0.1:9 (ConnectError): does metricwatch run there?"),
        ("http://user:hunter2@127.0.0.1:9", "no answer from http://127.0.0.1:9 "),
    ],
)
def test_where_nobody_answers_the_message_says_so(url: str, message: str) -> None:
    code, out, err = run("incidents", "--url", url)
    assert (code, out) == (2, "")
    assert message in err
    assert "hunter2" not in err


class Elsewhere(BaseHTTPRequestHandler):
    """Some other program, which would like to be told the token somewhere else."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_another_program_is_no_metricwatch_and_is_not_followed() -> None:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        code, _, err = run("incidents", "--url", f"http://127.0.0.1:{other.server_port}")
        thread.join()
    assert code == 2
    assert "this is no metricwatch, or an older one: it answered 302" in err
