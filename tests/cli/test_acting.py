"""``silence``, ``ack``, ``label`` and ``resolve`` through the program, on a real state, on both databases."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.store import Store, open_store
from tests.cli.test_program import here, run
from tests.flow.world import HOUR, NOON, Shop
from tests.servers import Server
from tests.warehouse.rigs import SqliteRig

__all__ = ["here"]


@pytest.fixture(params=["sqlite", "postgresql"])
def state(here: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An incident that is open and told since two hours."""
    url = f"sqlite:///{here / 'state.db'}"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    monkeypatch.setenv("METRICWATCH_STATE_URL", url)
    rig = SqliteRig(here / "shop.sqlite")
    once(0)
    Shop(rig).open_hours(NOON - 144 * HOUR, NOON).open_hours(NOON, NOON + 2 * HOUR, 30).load()
    once(1)
    once(2)
    store = open_store(url)
    yield store
    store.close()


def once(hours: int) -> None:
    code, _, err = run("once", "--at", (NOON + timedelta(hours=hours)).isoformat())
    assert (code, err) == (0, "")


def told(*arguments: str) -> dict[str, object]:
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


def the(store: Store) -> str:
    (incident,) = store.incidents()
    return incident.id


def test_a_silence_may_begin_later(state: Store) -> None:
    done = told("silence", "--metric", "shop.*", "--for", "2h", "--comment", "move", "--from", "2099-01-14T22:00")
    assert str(done["text"]).startswith("silenced from Wed 2099-01-14 22:00 UTC until Thu 2099-01-15 00:00 UTC by ")
    (made,) = state.silences.holding()
    assert (made.ends - made.starts, made.starts.year) == (2 * HOUR, 2099)
    code, _, err = run("silence", the(state), "--for", "2h", "--comment", "move", "--from", "2099-01-14T22:00")
    assert (code, "--metric" in err) == (2, True)
    code, _, err = run("silence", "--metric", "shop.*", "--for", "2h", "--comment", "move", "--from", "later")
    assert (code, "'later' is not a time" in err) == (2, True)


def test_an_incident_is_acknowledged_beside_a_running_daemon(state: Store) -> None:
    with state.exclusive():
        code, out, _ = run("ack", the(state)[:18], "--by", "ann")
        assert (code, out) == (0, "acknowledged by ann · 1 open incident\n")
        assert told("ack", the(state), "--by", "bob") == {
            "changed": False,
            "text": "acknowledged by ann already",
            "incidents": [the(state)],
        }
    assert [(one.by, one.via) for one in state.actions.all()] == [("ann", "cli")]


def test_a_silence_is_previewed_made_listed_extended_and_expired(state: Store) -> None:
    asked = ("silence", "--metric", "shop.*", "country=DE")
    assert told(*asked, "--preview") == {"incidents": [the(state)]}
    assert state.silences.all() == ()
    made = told(*asked, "--for", "2h", "--comment", "deploy", "--by", "ann")
    assert made["incidents"] == [the(state)]
    (one,) = state.silences.all()
    assert (one.matchers, one.comment) == ({"metric": "shop.*", "country": "DE"}, "deploy")
    code, out, _ = run("silence", "--list")
    assert code == 0
    assert re.match(rf"{one.id} · until \S+ \S+ UTC · country=DE, metric=shop\.\* · ann: deploy\n", out)
    told("silence", "--extend", one.id, "--for", "1h")
    assert state.silences.all()[0].ends == one.ends + HOUR
    assert told("silence", "--expire", one.id, "--by", "bob")["text"] == f"silence {one.id} expired by bob"
    assert "over since" in run("silence", "--list")[1]


def test_the_group_of_a_message_is_silenced_by_its_id(state: Store) -> None:
    group = state.groups_of(the(state))[0].id
    assert told("silence", group, "--preview") == {"incidents": [the(state)]}
    assert told("silence", group, "--for", "1h", "--comment", "deploy")["changed"]
    assert state.silences.all()[0].matchers == {"subscription": "health"}


@pytest.mark.parametrize("kind", ["expected", "not-an-anomaly", "new-normal"])
def test_a_label_ends_the_incident_and_says_so(state: Store, kind: str) -> None:
    done = told("label", the(state), kind, "--by", "ann", "--comment", "marathon")
    assert done["text"] == f"labelled {kind.replace('-', ' ')} by ann"
    (incident,) = state.incidents()
    assert (incident.status, incident.cause) == ("resolved", f"labelled {kind.replace('-', ' ')} by ann: marathon")


def test_an_incident_is_resolved_by_hand(state: Store) -> None:
    assert told("resolve", the(state), "--comment", "fixed", "--by", "ann")["text"] == "resolved by ann"
    assert [row.kind for row in state.outbox.rows(unsettled_only=True)] == ["resolve"]
    once(3)
    assert state.outbox.rows(unsettled_only=True) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ack", "nobody"], "there is no incident or group 'nobody': `metricwatch incidents --all` lists them"),
        (["silence", "--metric", "shop.*", "--comment", "x"], "say how long: --for 2h"),
        (["silence", "--metric", "shop.*", "--for", "soon", "--comment", "x"], "--for: "),
        (["silence", "--metric", "shop.*", "--for", "2h"], "a silence needs a comment"),
        (["silence", "--for", "2h", "--comment", "x"], "a silence of everything is not possible"),
        (["silence", "--metric", "shop.*", "--for", "31d", "--comment", "x"], "at most 30 d"),
        (["silence", "a=1", "country", "--for", "2h"], "'country' is no matcher: write name=value"),
        (["silence", "a=1", "a=2", "--for", "2h"], "a is given twice"),
        (["silence", "--expire", "nobody"], "there is no silence 'nobody': `metricwatch silence --list` lists them"),
        (["label", "nobody", "weird"], "'weird' is no label: write expected, not-an-anomaly, new-normal"),
    ],
)
def test_wrong_use_says_what_to_write(here: Path, arguments: list[str], message: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_the_installed_command_takes_the_login_name(here: Path) -> None:
    program = Path(sys.executable).with_name("metricwatch")
    command = [str(program), "silence", "--metric", "shop.*", "--for", "1h", "--comment", "deploy", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"LOGNAME": "ann", "PATH": ""})
    assert re.fullmatch(r"silenced until \S+ \S+ \S+ UTC by ann", json.loads(done.stdout)["text"])
