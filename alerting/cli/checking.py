"""``check`` with the questions that only the warehouses can answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from alerting.cli.writing import check_with
from config.model import Config


def _ask(config: Config) -> Sequence[str]:
    from alerting.warehouse import connect_problems

    return connect_problems(config, datetime.now(UTC))


check = check_with(connect_problems=_ask)
