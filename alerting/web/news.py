"""Has anything changed that pages show? One short name for all of it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress

from fastapi.concurrency import run_in_threadpool

from alerting.store import StoreError
from alerting.web.desk import Desk

LOOK_S = 1.0


class News:
    """A name for the state that pages show, asked of the store once a second however many listen.

    It also changes each minute, because pages say how long ago things were.
    """

    def __init__(self, ask: Callable[[], str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._asked = -LOOK_S
        self._name = ""
        self._asking = asyncio.Lock()

    async def name(self) -> str:
        """The last one while the store does not answer: a page would not be shown either."""
        async with self._asking:
            if self._monotonic() - self._asked >= LOOK_S:
                with suppress(StoreError):
                    self._name = await run_in_threadpool(self._ask)
                self._asked = self._monotonic()
        return self._name


def stamp(desk: Desk) -> str:
    """Names the state that a page shows. Raises StoreError."""
    said = f"{desk.app.store.overview.stamp()} {desk.clock():%Y-%m-%d %H:%M}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]
