"""A state that cannot be written: people hear it without the outbox, and what is overdue is evaluated afterwards."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from alerting.app import App
from alerting.daemon import Daemon
from alerting.delivery import Emergency
from alerting.pipeline import Evaluation
from tests.daemon.test_supervisor import app
from tests.delivery.fakes import Fake

__all__ = ["app"]


def test_a_locked_state_is_told_once_and_its_end_once(app: App, tmp_path: Path) -> None:
    ops, evaluate, evaluated = Fake(), app.evaluate, threading.Event()
    app.emergency = lambda: Emergency(  # type: ignore[method-assign]  # the same, but it waits a second, not thirty
        lambda: {"ops": ops}, after=timedelta(seconds=1)
    )
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None, check_same_thread=False)) as other:

        def in_the_way(name: str, now: datetime) -> Evaluation:
            if not ops.arrived and not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")
            found = evaluate(name, now)
            evaluated.set()
            return found

        def until_it_is_over() -> None:
            ops.wait_for(1, timeout_s=60)
            other.rollback()
            ops.wait_for(2, timeout_s=60)
            evaluated.wait(60)
            app.stopping.set()

        app.evaluate = in_the_way  # type: ignore[method-assign]  # somebody else writes while it does
        person = threading.Thread(target=until_it_is_over)
        person.start()
        assert Daemon(app).run() == 0
        person.join()
    assert [one.kind for one in ops.arrived] == ["trigger", "resolve"]
    assert "locked" in ops.arrived[0].incidents[0].reason
    assert evaluated.is_set()
