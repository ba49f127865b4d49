"""Receivers: checked when they are written, built when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeGuard

from pydantic import ValidationError

from config.documents import RECEIVER_KEYS
from config.model import Receiver
from config.nodes import Node, plain
from config.plug_ins import PlugIns, UnusablePlugIn, is_secret, setting_of
from config.problems import Problem, suggestion
from config.pulls import unset_references
from config.secrets import MissingSecret, Secret
from config.settings import Settings, variable
from config.validation import translated
from notifiers import Notifier


class UnusableReceiver(Exception):
    """A receiver cannot be built; the message names it and says what to set. It holds no secret."""


def build(receiver: Receiver, settings: Settings, plug_ins: PlugIns = PlugIns()) -> Notifier:  # noqa: B008  # frozen
    """The notifier with its references revealed and its setting fields filled. Raises UnusableReceiver."""
    try:
        kind = plug_ins.notifier(receiver.notifier)
        revealed = {key: Secret(value).reveal() for key, value in receiver.parameters.items() if _has_reference(value)}
    except (UnusablePlugIn, MissingSecret) as exc:
        raise UnusableReceiver(f"receiver {receiver.name}: {exc}") from exc
    parameters = {**receiver.parameters, **revealed}
    for name, field in kind.model_fields.items():
        setting = setting_of(field)
        value = getattr(settings, setting, None) if setting else None
        if setting and value is None and field.is_required():
            raise UnusableReceiver(f"receiver {receiver.name} needs {variable(setting)}")
        if value is not None:
            parameters[name] = value
    try:
        return kind.model_validate(parameters)
    except ValidationError as exc:
        raise UnusableReceiver(f"receiver {receiver.name}: {_words(exc, list(revealed.values()))}") from None


def read(
    name: str, node: Node, plug_ins: PlugIns, environment: Mapping[str, str]
) -> tuple[Receiver | None, list[Problem]]:
    """One entry of ``receivers``, as far as it can be judged without its secrets."""
    fallback = node.entries.get("fallback")
    kinds = node.without(*RECEIVER_KEYS).entries
    if len(kinds) != 1:
        known = ", ".join(plug_ins.notifier_names())
        return None, [node.problem(f"should have one kind of receiver: {known}", at_key=True)]
    ((kind_name, written),) = kinds.items()
    try:
        kind = plug_ins.notifier(kind_name)
    except UnusablePlugIn as exc:
        return None, [written.problem(str(exc), at_key=True)]
    if written.content is None:
        written = replace(written, content={})
    if not isinstance(written.content, Mapping):
        return None, [written.problem("should be a mapping of parameters such as {}")]
    problems = _parameter_problems(kind, written, environment)
    if any(not problem.is_warning for problem in problems):
        return None, problems
    parameters = plain(written)
    assert isinstance(parameters, dict)
    # Whether the name says anything is judged once all receivers are read.
    named = fallback.content if fallback and isinstance(fallback.content, str) else None
    return Receiver(name, kind_name, parameters, named), problems


def _parameter_problems(kind: type[Notifier], written: Node, environment: Mapping[str, str]) -> list[Problem]:
    problems: list[Problem] = []
    skipped: set[str] = set()
    written_keys = [name for name, field in kind.model_fields.items() if not setting_of(field)]
    for key, node in written.entries.items():
        field = kind.model_fields.get(key)
        setting = setting_of(field) if field else None
        if field is None:
            problems.append(node.problem(f"unknown key{suggestion(key, written_keys)}", at_key=True))
        elif setting:
            problems.append(node.problem(f"comes from {variable(setting)}, not from the file", at_key=True))
        elif is_secret(field) and node.content is not None and not _has_reference(node.content):
            problems.append(node.problem("is a secret: write ${env:NAME} or ${file:PATH}"))
        elif _has_reference(node.content):
            problems.extend(unset_references(node, Secret(node.content), environment))
        else:
            continue
        skipped.add(key)
    return [*problems, *_refusals(kind, written, skipped)]


def _refusals(kind: type[Notifier], written: Node, skipped: set[str]) -> tuple[Problem, ...]:
    """What the notifier says of the parameters that can be read without secrets and settings."""
    absent = skipped | {name for name, field in kind.model_fields.items() if setting_of(field)}
    try:
        kind.model_validate(plain(written.without(*skipped)))
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        told = [error for error in errors if (error["loc"][0] not in absent if error["loc"] else not skipped)]
        return translated(told, kind, written)
    return ()


def _has_reference(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(Secret(value).references)


def _words(exc: ValidationError, secrets: list[str]) -> str:
    lines = [f"{'.'.join(map(str, error['loc'])) or 'parameters'}: {error['msg']}" for error in exc.errors()]
    text = "; ".join(lines).replace("Value error, ", "")
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text
