from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerting.cli import program
from alerting.delivery import drain
from alerting.store import Store, open_store
from notifiers.errors import BadContent
from tests.delivery.fakes import Fake, no_picture
from tests.delivery.test_drain import owe
from tests.store.builders import NOON, delivery

YAML = "version: 1\nreceivers:\n  slack: {console: {}}\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "a.yaml").write_text(YAML, encoding="utf-8")
    monkeypatch.setenv("METRICWATCH_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    monkeypatch.setenv("METRICWATCH_CONFIG", str(tmp_path / "metrics"))
    return open_store(f"sqlite:///{tmp_path / 'state.db'}")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(program(["deliveries"]), ["deliveries", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def refuse(store: Store, count: int = 1) -> Fake:
    slack = Fake().planned(*(BadContent("no_text") for _ in range(count)))
    send(store, slack)
    return slack


def send(store: Store, slack: Fake) -> None:
    drain(store, {"slack": slack}, now=NOON, picture=no_picture, ignore_waits=True)


def test_deliveries_alone_lists_like_deliveries_list(store: Store) -> None:
    owe(store, delivery(1))
    assert run("--json") == run("list", "--json")
    assert json.loads(run("list", "--json")[1])["deliveries"][0]["delivery_id"] == "slack-g1-1"
    assert json.loads(run("--unsettled", "--json")[1])["deliveries"][0]["state"] == "ready"


def test_a_dead_delivery_is_sent_once_it_is_retried(store: Store) -> None:
    owe(store, delivery(1))
    slack = refuse(store)
    code, out, _ = run("retry", "slack-g1-1")
    assert (code, out) == (0, "slack-g1-1: ready, sent by the running daemon or the next once\n")
    assert store.outbox.rows()[0].reason == "tried again by hand"
    send(store, slack)
    assert slack.said == ["trigger g1"]
    assert run("retry", "slack-g1-1")[:2] == (1, "slack-g1-1: not tried again: it is sent, not dead\n")


def test_what_its_group_said_newer_is_never_overtaken(store: Store) -> None:
    owe(store, delivery(1), delivery(1, number=2))
    slack = refuse(store, 2)
    owe(store, delivery(2, "update"))
    send(store, slack)
    code, out, _ = run("retry", "--receiver", "slack", "--json")
    assert code == 0
    assert json.loads(out) == {
        "ready": ["slack-g2-1"],
        "refused": {"slack-g1-1": "its group says newer: number 2 is sent"},
    }
    send(store, slack)
    assert slack.said == ["trigger g1", "trigger g2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say one: a delivery, or --receiver NAME"),
        (("d1", "--receiver", "slack"), "say one: a delivery, or --receiver NAME"),
        (("d1",), "there is no delivery 'd1'"),
        (("--receiver", "slak"), "no receiver is called 'slak'; did you mean 'slack'?"),
    ],
)
def test_wrong_use_says_what_to_write(store: Store, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = run("retry", *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_nothing_dead_is_nothing_to_retry(store: Store) -> None:
    assert run("retry", "--receiver", "slack")[:2] == (1, "no dead delivery\n")
