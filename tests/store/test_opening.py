from __future__ import annotations

import stat
from pathlib import Path

import pytest

from alerting.store import Store, StoreError, Unavailable, open_store
from alerting.store.database import connect
from tests.canaries import PASSWORD
from tests.store.builders import NOON, query_state


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "cannot be read"),
        ("not a url", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        (f"mysql://app:{PASSWORD}@db/state", "cannot be kept in mysql"),
        (f"postgresql+psycopg2://app:{PASSWORD}@db/state", "cannot be kept in postgresql\\+psycopg2"),
    ],
)
def test_a_url_that_can_hold_no_state_says_what_to_write(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as raised:
        open_store(url)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize("url", [f"postgresql://app:{PASSWORD}@db/state", f"postgres://app:{PASSWORD}@db/state"])
def test_both_spellings_of_postgresql_mean_psycopg(url: str) -> None:
    assert connect(url).engine.dialect.driver == "psycopg"


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_said() -> None:
    with pytest.raises(Unavailable, match="not available") as raised:
        open_store(f"postgresql+psycopg://app:{PASSWORD}@127.0.0.1:1/state")
    assert PASSWORD not in str(raised.value)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"nowhere/state\.db cannot be opened: No such file"):
        open_store(f"sqlite:///{tmp_path}/nowhere/state.db")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("these are not the tables you are looking for" * 100)
    with pytest.raises(Unavailable, match="not a database"):
        open_store(f"sqlite:///{path}")


def test_only_the_owner_can_read_the_state_and_its_log(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(mode=0o644)
    store = open_store(f"sqlite:///{path}")
    store.save_query_state(query_state())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    store.close()


def test_sqlite_survives_power_loss_and_waits_for_a_busy_writer(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/state.db")
    with store.engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
    assert found == ["wal", 2, 5000]  # 2 = FULL
    store.close()


def test_readers_see_one_state_while_a_writer_commits(store: Store, url: str) -> None:
    other = open_store(url)
    with store._database.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM query_states").scalar_one()
        other.save_query_state(query_state())
        assert connection.exec_driver_sql("SELECT count(*) FROM query_states").scalar_one() == before == 0
    assert len(store.query_states()) == 1
    other.close()


def test_the_last_good_text_of_a_file_outlives_a_bad_one_and_a_restart(store: Store, url: str) -> None:
    store.config_files.keep("metrics/a.yaml", "version: 1", NOON)
    store.config_files.note_error("metrics/a.yaml", "metrics/a.yaml:3:1: unknown key")
    other = open_store(url)
    found = other.config_files.all()["metrics/a.yaml"]
    assert (found.text, found.error, found.loaded_at) == ("version: 1", "metrics/a.yaml:3:1: unknown key", NOON)
    other.config_files.keep("metrics/a.yaml", "version: 1 # fixed", NOON)
    fixed = store.config_files.all()["metrics/a.yaml"]
    assert (fixed.text, fixed.error) == ("version: 1 # fixed", "")
    assert fixed.digest != found.digest
    other.config_files.forget("metrics/a.yaml")
    assert store.config_files.all() == {}
    other.close()
