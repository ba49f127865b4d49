"""Where notifiers are found: a table of dotted names imported on first use, and entry points by the same door."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from notifiers.contract import Notifier

BUILT_IN = {
    "console": "notifiers.console:Console",
    "pagerduty": "notifiers.pagerduty:PagerDuty",
    "slack": "notifiers.slack:Slack",
    "webhook": "notifiers.webhook:Webhook",
}
GROUP = "metricwatch.notifiers"


class UnknownNotifier(LookupError):
    """No notifier has this name; ``known`` lists those there are."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no notifier {name!r}; there are {', '.join(known)}")
        self.name, self.known = name, known


def names() -> list[str]:
    return sorted(_addresses())


def type_of(name: str) -> type[Notifier]:
    """The class behind a name. Raises UnknownNotifier."""
    # Entry points are read from the metadata of every installed package: too slow to ask for what is built in.
    addresses = BUILT_IN if name in BUILT_IN else _addresses()
    if name not in addresses:
        raise UnknownNotifier(name, sorted(addresses))
    module, _, attribute = addresses[name].partition(":")
    found = getattr(import_module(module), attribute)
    if not (isinstance(found, type) and issubclass(found, Notifier)):
        raise TypeError(f"notifier {name!r} at {addresses[name]} is not a Notifier")
    return found


def _addresses() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)} | BUILT_IN
