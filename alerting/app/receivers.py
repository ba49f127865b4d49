"""The notifiers behind the receivers of the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from alerting.telemetry import logger
from config.model import Config
from config.receivers import UnusableReceiver, build
from config.settings import Settings
from notifiers.contract import Notification, Notifier, Receipt
from notifiers.errors import BadCredential

_log = logger("receivers")
MUTED = "METRICWATCH_MUTE is set"


class Unusable(Notifier):
    """A receiver that lacks a credential: what it is owed waits, visible, until it has one."""

    reason: str
    """What is missing, and the remedy."""

    def send(self, notification: Notification) -> Receipt:
        raise BadCredential(self.reason)

    def probe(self) -> None:
        raise BadCredential(self.reason)


def open_notifiers(config: Config, settings: Settings) -> Mapping[str, Notifier]:
    """By receiver name; one that cannot be used is there too and says why.

    Muted, none of them sends: what people were told before keeps waiting for its end, which they get once it is over.
    """
    if settings.mute:
        return {name: Unusable(reason=MUTED) for name in config.receivers}
    notifiers: dict[str, Notifier] = {}
    for name, receiver in config.receivers.items():
        try:
            notifiers[name] = build(receiver, settings)
        except UnusableReceiver as exc:
            _log.warning("receiver cannot be used", receiver=name, reason=str(exc))
            notifiers[name] = Unusable(reason=str(exc))
    return notifiers
