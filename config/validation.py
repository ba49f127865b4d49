"""Pydantic's findings in our words, at the place in the file where the mistake stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.documents import NOT_YET
from config.nodes import Node, nearest, plain
from config.problems import Place, Problem, problem, suggestion

Model = TypeVar("Model", bound=BaseModel)

_SHAPES = {
    "string_type": "should be text; put it in quotes",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "bool_type": "should be true or false",
    "list_type": "should be a list such as [a, b]",
    "tuple_type": "should be a list such as [a, b]",
    "dict_type": "should be a mapping such as {key: value}",
    "model_type": "should be a mapping such as {key: value}",
    "model_attributes_type": "should be a mapping such as {key: value}",
}
_SHOWS_VALUE = (*_SHAPES, "literal_error", "greater_than", "greater_than_equal", "less_than", "less_than_equal")


@dataclass(frozen=True)
class Checked(Generic[Model]):
    """What could be read, without the keys that hold a mistake (None: no mapping at all), and the mistakes."""

    document: Model | None
    problems: tuple[Problem, ...] = ()


def checked(model: type[Model], node: Node) -> Checked[Model]:
    """The node as a document of this kind. With problems, the document serves only to look for more of them."""
    try:
        return Checked(model.model_validate(plain(node)))
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    faulty = {str(error["loc"][0]) for error in errors if error["loc"]}
    try:
        rest = model.model_validate(plain(node.without(*faulty))) if node.entries else None
    except ValidationError:
        rest = None
    return Checked(rest, translated(errors, model, node))


def translated(errors: Iterable[ErrorDetails], model: type[BaseModel], node: Node) -> tuple[Problem, ...]:
    """One problem for each mistake; what is said of both sides of a union is said once."""
    found: dict[tuple[str, Place], tuple[Node, list[ErrorDetails]]] = {}
    for error in errors:
        near, _ = nearest(node, error["loc"])
        found.setdefault((near.path, near.place), (near, []))[1].append(error)
    paths = {path for path, _ in found}
    return tuple(line for near, of_near in found.values() for line in _lines(of_near, model, near, paths))


def is_absent(model: type[BaseModel], node: Node, key: str) -> bool:
    """True where the key is not written, or empty; a misspelt key is told as that, not as missing too."""
    written = node.entries.get(key)
    if written is not None:
        return written.content is None
    return not _is_misspelt(key, node, tuple(model.model_fields))


def missing(node: Node, key: str, why: str = "is missing") -> Problem:
    """A key that is not written, told at the entry that lacks it."""
    if key in node.entries:
        return node.entries[key].problem(why, at_key=True)
    return problem(node.key_place or node.place, f"{node.path}.{key}" if node.path else key, why)


def keys_at(model: type[BaseModel], location: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that may stand at this location of a document."""
    current: type[BaseModel] = model
    for part in location:
        if isinstance(part, str) and part in current.model_fields:
            current = _inner_model(current.model_fields[part].annotation) or current
    return tuple(current.model_fields)


def _lines(errors: list[ErrorDetails], model: type[BaseModel], near: Node, paths: set[str]) -> Iterable[Problem]:
    absent = [error for error in errors if error["type"] == "missing"]
    for error in absent:
        if not _is_misspelt(str(error["loc"][-1]), near, keys_at(model, error["loc"][:-1])):
            yield missing(near, str(error["loc"][-1]))
    rest = [error for error in errors if error["type"] != "missing"]
    if any(_is_inside(path, near.path) for path in paths):  # the other side of a union has more to say
        rest = [error for error in rest if error["type"] not in ("literal_error", *_SHAPES)]
    if rest:
        yield _line(rest, model, near)


def _is_misspelt(key: str, node: Node, known: tuple[str, ...]) -> bool:
    unknown = [name for name in node.entries if name not in known]
    return bool(difflib.get_close_matches(key, unknown, n=1, cutoff=0.6))


def _line(errors: list[ErrorDetails], model: type[BaseModel], near: Node) -> Problem:
    first = errors[0]
    if first["type"] == "extra_forbidden":
        known = keys_at(model, first["loc"][:-1])
        return near.problem(f"unknown key{suggestion(str(first['loc'][-1]), known)}", at_key=True)
    if near.content is None and first["type"] in _SHOWS_VALUE:
        return near.problem("is empty")
    message = ", or ".join(dict.fromkeys(_words(error) for error in errors))
    if any(error["type"] in _SHOWS_VALUE for error in errors):
        message += _offending(near) + _near_choice(errors, near)
    return near.problem(message, at_key=first["type"] == NOT_YET)


def _words(error: ErrorDetails) -> str:
    if error["type"] in _SHAPES:
        return _SHAPES[error["type"]]
    text = error["msg"]
    for prefix in ("Value error, ", "Assertion failed, ", "Input "):
        text = text.removeprefix(prefix)
    return text[:1].lower() + text[1:]


def _offending(near: Node) -> str:
    if isinstance(near.content, Mapping | tuple):
        return ""
    text = repr(near.content) if isinstance(near.content, str) else str(near.content).lower()
    return f", not {text}" if len(text) <= 80 else ""


def _near_choice(errors: list[ErrorDetails], near: Node) -> str:
    choices = [choice for error in errors for choice in _choices(error)]
    hint = suggestion(near.content, choices) if isinstance(near.content, str) and choices else ""
    return hint if "did you mean" in hint else ""


def _choices(error: ErrorDetails) -> list[str]:
    if error["type"] != "literal_error":
        return []
    expected = str(error.get("ctx", {}).get("expected", ""))
    return [word.strip("' ") for word in expected.replace(" or ", ", ").split(",")]


def _is_inside(inner: str, outer: str) -> bool:
    return inner.startswith((f"{outer}.", f"{outer}["))


def _inner_model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part))), None)
