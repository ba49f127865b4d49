"""``check`` with the questions that only the warehouses and the receivers can answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from alerting.cli.writing import Trial, check_with
from config.model import Config


def _ask(config: Config) -> Sequence[str]:
    from alerting.warehouse import connect_problems

    return connect_problems(config, datetime.now(UTC))


def _send(config: Config, names: Sequence[str]) -> Iterator[Trial]:
    """A test message to each of these receivers (none named: to all), one after the other."""
    from alerting.app.receivers import open_notifiers
    from alerting.cli.session import settings
    from alerting.delivery.trial import send_trial

    # Muting is for what is watched; whoever asks for a test message wants one.
    notifiers = open_notifiers(config, settings(None).model_copy(update={"mute": False}))
    try:
        for name in names or tuple(notifiers):
            yield Trial(name, send_trial(name, notifiers[name], datetime.now(UTC)))
    finally:
        for notifier in notifiers.values():
            notifier.close()


check = check_with(connect_problems=_ask, send_trials=_send)
