"""The door to detectors and notifiers: the registries by default, anything else in tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import detectors
import notifiers
from config.problems import suggestion
from detectors import Detector
from notifiers import Notifier

PlugIn = TypeVar("PlugIn", bound=BaseModel)


class UnusablePlugIn(LookupError):
    """No plug-in has this name, or its code cannot be imported."""


@dataclass(frozen=True)
class PlugIns:
    detector_type: Callable[[str], type[Detector]] = detectors.type_of
    detector_names: Callable[[], list[str]] = detectors.names
    notifier_type: Callable[[str], type[Notifier]] = notifiers.type_of
    notifier_names: Callable[[], list[str]] = notifiers.names

    def detector(self, name: str) -> type[Detector]:
        """Raises UnusablePlugIn, which names the nearest one there is."""
        return _found(name, "detector", self.detector_type, self.detector_names)

    def notifier(self, name: str) -> type[Notifier]:
        """Raises UnusablePlugIn, which names the nearest one there is."""
        return _found(name, "kind of receiver", self.notifier_type, self.notifier_names)


def setting_of(field: FieldInfo) -> str | None:
    """The setting that fills this field of a notifier at run time; None: it is written in the YAML."""
    extra = field.json_schema_extra
    name = extra.get("setting") if isinstance(extra, dict) else None
    return str(name) if name else None


def is_secret(field: FieldInfo) -> bool:
    """True where the value may only be written as a reference."""
    return _mentions_secret(field.annotation)


def _mentions_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_mentions_secret(part) for part in get_args(annotation))


def _found(name: str, what: str, lookup: Callable[[str], type[PlugIn]], names: Callable[[], list[str]]) -> type[PlugIn]:
    try:
        return lookup(name)
    except LookupError:
        raise UnusablePlugIn(f"no {what} is called {name!r}{suggestion(name, names())}") from None
    except (ImportError, AttributeError, TypeError) as exc:
        raise UnusablePlugIn(f"the {what} {name!r} cannot be imported: {exc}") from exc
