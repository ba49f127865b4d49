"""The JSON Schema of the YAML files: for editors (``# yaml-language-server: $schema=``) and other tools.

Detectors and notifiers bring their own part, third-party ones included. What depends on other entries (names, templates
that bring a missing key) is for ``config.loader``: no key is required here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from config.documents import (
    RECEIVER_KEYS,
    CalendarDocument,
    CanaryDocument,
    DefaultsDocument,
    DetectDocument,
    MetricDocument,
    QueryDocument,
    SourceDocument,
    SubscriptionDocument,
)
from config.plug_ins import PlugIns, UnusablePlugIn, is_secret, setting_of
from config.scalars import NAME
from config.sections import VERSION

Schema = dict[str, JsonValue]
_DOCUMENTS: tuple[type[BaseModel], ...] = (
    SourceDocument, CalendarDocument, QueryDocument, MetricDocument, SubscriptionDocument, DefaultsDocument,
    DetectDocument, CanaryDocument,
)  # fmt: skip
_REFERENCE = r"\$\{(env|file):[^}]+\}"


def json_schema(plug_ins: PlugIns = PlugIns()) -> Schema:  # noqa: B008  # frozen
    """The schema of one file (draft 2020-12)."""
    detectors = _importable(plug_ins.detector_names(), plug_ins.detector)
    notifiers = _importable(plug_ins.notifier_names(), plug_ins.notifier)
    kinds = [*_DOCUMENTS, *(kind for kind in (*detectors.values(), *notifiers.values()) if kind)]
    names, generated = models_json_schema(
        [(kind, "validation") for kind in dict.fromkeys(kinds)], ref_template="#/$defs/{model}"
    )
    definitions = cast(dict[str, Schema], generated["$defs"])
    key_of = {kind: str(names[(kind, "validation")]["$ref"]).rpartition("/")[2] for kind in kinds}
    shared = _properties(definitions[key_of[DetectDocument]])
    entry_of_detect = _one_of(
        {
            name: _detector(definitions[key_of[kind]], shared) if kind else {"type": "object"}
            for name, kind in detectors.items()
        }
    )
    entry_of_receiver = _one_of(
        {
            name: _notifier(kind, definitions[key_of[kind]]) if kind else {"type": "object"}
            for name, kind in notifiers.items()
        }
    )
    for key, description in RECEIVER_KEYS.items():
        _properties(entry_of_receiver)[key] = {"type": ["string", "null"], "description": description}
    entry_of_receiver["maxProperties"] = 1 + len(RECEIVER_KEYS)
    for document in (SubscriptionDocument, DefaultsDocument):
        detect = _properties(definitions[key_of[document]])["detect"]
        _properties(definitions[key_of[document]])["detect"] = _with_items(detect, {"$ref": "#/$defs/detect_entry"})
    definitions |= {"detect_entry": entry_of_detect, "receiver_entry": entry_of_receiver}
    definitions["template"] = _template(definitions, key_of)
    return _root(definitions, key_of)


def _root(definitions: dict[str, Schema], key_of: Mapping[type[BaseModel], str]) -> Schema:
    sections = {
        "sources": key_of[SourceDocument],
        "receivers": "receiver_entry",
        "calendars": key_of[CalendarDocument],
        "templates": "template",
        "queries": key_of[QueryDocument],
        "metrics": key_of[MetricDocument],
        "subscriptions": key_of[SubscriptionDocument],
    }
    properties: Schema = {
        "version": {"const": VERSION, "description": "version of this format"},
        "defaults": {"anyOf": [{"$ref": f"#/$defs/{key_of[DefaultsDocument]}"}, {"type": "null"}]},
        "canary": {"anyOf": [{"$ref": f"#/$defs/{key_of[CanaryDocument]}"}, {"type": "null"}]},
        **{section: _entries(name) for section, name in sections.items()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metricwatch",
        "description": "What metricwatch watches, how it judges and whom it tells.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": cast(JsonValue, definitions),
    }


def _entries(name: str) -> Schema:
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"$ref": f"#/$defs/{name}"},
    }


def _importable(names: list[str], lookup: Callable[[str], type[BaseModel]]) -> dict[str, type[BaseModel] | None]:
    """A plug-in whose code is broken is still a name one can write."""
    found: dict[str, type[BaseModel] | None] = {}
    for name in names:
        try:
            found[name] = lookup(name)
        except UnusablePlugIn:
            found[name] = None
    return found


def _one_of(kinds: Mapping[str, Schema]) -> Schema:
    properties = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in kinds.items()}
    return cast(
        Schema,
        {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    )


def _detector(own: Schema, shared: Schema) -> Schema:
    return own | {"properties": {**_properties(own), **shared}, "additionalProperties": False}


def _notifier(kind: type[BaseModel], own: Schema) -> Schema:
    properties = dict(_properties(own))
    for name, field in kind.model_fields.items():
        if setting_of(field):
            properties.pop(name, None)
        elif is_secret(field):
            properties[name] = {"type": "string", "pattern": _REFERENCE, "description": field.description or name}
    required = [name for name in cast(list[str], own.get("required", [])) if name in properties]
    return own | {"properties": properties, "required": cast(JsonValue, required), "additionalProperties": False}


def _template(definitions: Mapping[str, Schema], key_of: Mapping[type[BaseModel], str]) -> Schema:
    properties = {
        **_properties(definitions[key_of[MetricDocument]]),
        **_properties(definitions[key_of[SubscriptionDocument]]),
    }
    properties.pop("template")
    return {
        "type": "object",
        "description": "Keys of queries, metrics or subscriptions; an entry takes them with template: NAME.",
        "properties": properties,
        "additionalProperties": False,
    }


def _with_items(detect: JsonValue, items: Schema) -> JsonValue:
    assert isinstance(detect, dict)
    return detect | {"anyOf": [{"type": "array", "items": items, "minItems": 1}, {"type": "null"}]}


def _properties(schema: Schema) -> Schema:
    return cast(Schema, schema.setdefault("properties", {}))
