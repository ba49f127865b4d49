"""Whatever fits the OpenAPI document, and what nearly does: never a server error, always an answer as described."""

from __future__ import annotations

import time
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.openapi import from_asgi
from schemathesis.specs.openapi import checks

from alerting.app import App
from alerting.web.refusals import DOCUMENT
from alerting.web.server import create
from tests.app.world import NOW
from tests.figures import Figure

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
HEADERS = {"Host": "127.0.0.1"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_described(own: App, mode: GenerationMode, figure: Figure) -> None:
    schema = from_asgi(DOCUMENT, create(own, clock=lambda: NOW), headers=HEADERS)
    there = names(own)
    began, asked, operations = time.monotonic(), 0, 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        takes_anything = operation.body or any(operation.iter_parameters())
        if mode is GenerationMode.NEGATIVE and not takes_anything:
            continue  # nothing could be wrong
        operations += 1

        @EXAMPLES
        @given(case=operation.as_strategy(generation_mode=mode), name=st.sampled_from(there))
        def answers(case: schemathesis.Case[Any], name: str) -> None:
            nonlocal asked
            asked += 1
            if name and "name" in case.path_parameters:
                case.path_parameters["name"] = name
            case.call_and_validate(headers=HEADERS, checks=CHECKS)

        answers()
    spent = time.monotonic() - began
    figure("API", f"{asked} {mode.name.lower()} requests to {operations} operations in {spent:.0f} s: 0 answers of 5xx")


def names(app: App) -> list[str]:
    """Empty: whatever the document allows; else something that is there."""
    (incident,) = [one.id for one in app.store.incidents(open_only=True) if one.labels == {"country": "FR"}]
    return ["", incident, app.store.groups_of(incident)[0].id, "shop.orders", "shop.by_country"]
