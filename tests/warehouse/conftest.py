from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from alerting.warehouse import Warehouse, open_warehouse
from config.model import Source

Opener = Callable[[Source], Warehouse]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens warehouses and closes them after the test."""
    with ExitStack() as stack:
        yield lambda source: stack.enter_context(closing(open_warehouse(source)))
