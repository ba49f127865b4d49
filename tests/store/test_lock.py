"""The lock is tried by real processes, and one of them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alerting.store import StateBusy, Store, open_store

HOLDER = """
import os, sys, time
from alerting.store import open_store
store = open_store(sys.argv[1])
with store.exclusive():
    child = os.fork() if "fork" in sys.argv else -1
    if child != 0:
        print(f"held {child}", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the state until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, url, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def is_let_in(store: Store) -> bool:
    """Within ten seconds: PostgreSQL notices that the other end is gone within milliseconds, but not at once."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with store.exclusive():
                return True
        except StateBusy:
            if time.monotonic() > deadline:
                return False


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_second_process_is_refused_at_once_and_let_in_after_the_first_is_killed(store: Store, url: str) -> None:
    with holder(url) as first:
        assert said(first).startswith("held")
        with pytest.raises(StateBusy, match="in use by"), store.exclusive():
            pass
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert is_let_in(store)


def test_a_worker_that_outlives_its_killed_parent_does_not_keep_the_lock(sqlite_store: Store, sqlite_url: str) -> None:
    with holder(sqlite_url, "fork") as parent:
        worker = int(said(parent).split()[1])
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        try:
            # The worker lets go when it first runs, which on a busy machine is after its parent was killed.
            assert is_let_in(sqlite_store)
            os.kill(worker, 0)  # still there
        finally:
            os.kill(worker, signal.SIGKILL)


def test_the_refusal_names_the_process(sqlite_store: Store) -> None:
    with (
        sqlite_store.exclusive(),
        pytest.raises(StateBusy, match=f"process {os.getpid()} .*state.db.lock"),
        sqlite_store.exclusive(),
    ):
        pass


def test_the_lock_is_free_after_an_error_inside(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.exclusive():
        raise ZeroDivisionError
    with store.exclusive():
        pass


def test_reading_and_writing_go_on_beside_the_lock(store: Store, url: str) -> None:
    with store.exclusive():
        other = open_store(url)
        assert other.incidents() == []
        other.config_files.forget("x")
        other.close()


@pytest.fixture
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('lock')}/state.db"


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_url)
    yield opened
    opened.close()
