"""A process that evaluates and delivers once and kills itself at a step: nothing is finished, nothing is closed.

It is forked from a server that has done the imports, because a test process has threads and must not fork itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from typing import Any, cast

from alerting.app import App, open_app
from alerting.cli.watching import evaluate_all
from alerting.delivery import drain
from alerting.store import Recording
from config.settings import Settings
from notifiers.contract import Notification, Notifier, Receipt

GROUP_WAIT = timedelta(minutes=1)
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.flow.dying"])


def start(settings: Settings, step: str, now: datetime) -> BaseProcess:
    """The next process on this state: it evaluates, delivers when the group wait is over, and dies at the step.

    ``pulled``, ``judged`` (before the transaction), ``recorded`` (after it), ``claimed RECEIVER`` (before its bytes
    leave), ``sent RECEIVER`` (with its answer in hand), ``between`` (the team is told, the pager is not); any other
    word: never.
    """
    process = _SERVER.Process(target=_live, args=(settings, step, now))
    process.start()
    return process


@dataclass(frozen=True)
class _Fate:
    step: str

    def reach(self, step: str) -> None:
        """The process is gone where this is the step at which it dies."""
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


class _Warehouse:
    """Dies when the rows are read and nothing of them is written."""

    def __init__(self, warehouse: Any, fate: _Fate) -> None:
        self._warehouse, self._fate = warehouse, fate

    def pull_all(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        for found in self._warehouse.pull_all(*arguments, **options):
            self._fate.reach("pulled")
            yield found


class _Notifier:
    """Dies before its bytes leave, or when it has the answer; else it is the notifier that it holds."""

    def __init__(self, name: str, app: App, fate: _Fate) -> None:
        self._name, self._notifier, self._app, self._fate = name, app.notifiers[name], app, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._notifier, name)

    def send(self, notification: Notification) -> Receipt:
        self._fate.reach(f"claimed {self._name}")
        if self._name == "pager" and self._fate.step == "between":
            while not any(row.state == "sent" for row in self._app.store.outbox.rows()):
                time.sleep(0.01)
            self._fate.reach("between")
        receipt = self._notifier.send(notification)
        self._fate.reach(f"sent {self._name}")
        return receipt


def _live(settings: Settings, step: str, now: datetime) -> None:
    app, fate = open_app(settings), _Fate(step)
    open_warehouse, record = app.warehouse, app.store.record

    def recorded(recording: Recording) -> None:
        fate.reach("judged")
        record(recording)
        fate.reach("recorded")

    app.warehouse = lambda source: cast(Any, _Warehouse(open_warehouse(source), fate))  # type: ignore[method-assign]
    app.store.record = recorded  # type: ignore[method-assign]  # it dies at either side of the real one
    app.notifiers = {name: cast(Notifier, _Notifier(name, app, fate)) for name in app.notifiers}
    evaluate_all(app, now)
    drain(app.store, app.notifiers, now=now + GROUP_WAIT, picture=lambda _: None)
