"""What evaluations, pictures and pages work with."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from alerting.core.audiences import Audience
from alerting.store import Store
from config.model import Config


class Progress(Protocol):
    """Told how many buckets of a query have been pulled so far, of how many."""

    def __call__(self, query: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Bench:
    """What an evaluation works with. One decision at a time: two queries may stir the same group."""

    config: Config
    store: Store
    audiences: Mapping[str, Audience]
    executor: Executor
    deciding: threading.Lock = field(default_factory=threading.Lock)
    cancel: threading.Event = field(default_factory=threading.Event)
    progress: Progress | None = None
