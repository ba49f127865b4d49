"""Where detectors are found: a table of dotted names imported on first use, and entry points by the same door."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from detectors.contract import Detector

BUILT_IN = {
    "drift": "detectors.drift:Drift",
    "level_shift": "detectors.level_shift:LevelShift",
    "seasonal": "detectors.seasonal:Seasonal",
    "change": "detectors.change:Change",
    "threshold": "detectors.threshold:Threshold",
}
GROUP = "metricwatch.detectors"


class UnknownDetector(LookupError):
    """No detector has this name; ``known`` lists those there are."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no detector {name!r}; there are {', '.join(known)}")
        self.name, self.known = name, known


def names() -> list[str]:
    return sorted(_addresses())


def type_of(name: str) -> type[Detector]:
    """The class behind a name. Raises UnknownDetector."""
    # Entry points are read from the metadata of every installed package: too slow to ask for what is built in.
    addresses = BUILT_IN if name in BUILT_IN else _addresses()
    if name not in addresses:
        raise UnknownDetector(name, sorted(addresses))
    module, _, attribute = addresses[name].partition(":")
    found = getattr(import_module(module), attribute)
    if not (isinstance(found, type) and issubclass(found, Detector)):
        raise TypeError(f"detector {name!r} at {addresses[name]} is not a Detector")
    return found


def load(name: str, **parameters: Any) -> Detector:
    """A detector with these parameters. Raises UnknownDetector, pydantic.ValidationError."""
    return type_of(name).model_validate(parameters)


def _addresses() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)} | BUILT_IN
