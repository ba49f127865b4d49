"""What an operation of the API answers when it did not do what was asked."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Refusal(BaseModel):
    """Nothing was done."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    error: str
    """what is wrong, in a sentence"""
    remedy: str
    """what to do about it; may be empty"""


_REASONS = {
    400: "What was asked cannot be done",
    403: "A token with the right scope is needed, or the request came from elsewhere",
    404: "There is nothing of this name",
    413: "The body is too long",
    415: "The body is no JSON",
    422: "What was sent does not fit this document",
    503: "The state database does not answer",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an operation for the OpenAPI document: these, and those that every operation has."""
    return {
        status: {"model": Refusal, "description": _REASONS[status]} for status in sorted({*statuses, 403, 422, 503})
    }
