"""What operations are asked: bodies with their fields described, and who asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Path, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from alerting.core.actions import Label
from config import durations
from notifiers.clean import clean

TargetName = Annotated[
    str, Path(description="id of an incident or a group, or the beginning of an incident's", max_length=200)
]
SilenceName = Annotated[str, Path(description="id of the silence", max_length=200)]


def _duration(text: str) -> str:
    if not durations.parse(text):
        raise ValueError("should be longer than nothing")
    return text


def _line(text: str) -> str:
    return clean(text, 1000)


Duration = Annotated[str, Field(max_length=50, examples=["2h", "P1D"]), AfterValidator(_duration)]
Comment = Annotated[str, Field(max_length=1000), AfterValidator(_line)]
Matchers = Annotated[dict[str, Annotated[str, Field(max_length=500)]], Field(max_length=20)]


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Doing(Asked):
    """Who does it."""

    by: Annotated[str, Field(max_length=100)] = ""
    """a person, where several share a token: its name is kept as well"""


class Silencing(Doing):
    """How long it is kept quiet, and why."""

    length: Duration
    """at most 30d"""
    comment: Comment
    """for those who wonder later"""


class MatchSilencing(Silencing):
    """What is kept quiet, how long, and why."""

    matchers: Matchers
    """all must match: `metric` (may be a pattern), `subscription`, `query`, else dimensions"""
    starts: AwareDatetime | None = None
    """when it begins; now where nothing is said"""


class Matching(Asked):
    """What a silence would keep quiet: these matchers, or those of a target."""

    matchers: Matchers = Field(default_factory=dict)
    """all must match: `metric` (may be a pattern), `subscription`, `query`, else dimensions"""
    target: Annotated[str, Field(max_length=200)] = ""
    """an incident or a group, in place of matchers"""


class Extending(Doing):
    """How much later it ends."""

    length: Duration
    """at most 30d from now"""


class Labelling(Doing):
    """What the incident was."""

    kind: Label
    """`expected` never trains, `not_an_anomaly` trains, `new_normal` opens nothing for two days"""
    comment: Comment = ""


class Resolving(Doing):
    """Why it is ended by hand."""

    comment: Annotated[Comment, Field(min_length=1)]


class Retrying(Asked):
    """One of the two."""

    delivery: Annotated[str, Field(max_length=300)] | None = None
    """id of a dead delivery"""
    receiver: Annotated[str, Field(max_length=300)] | None = None
    """all dead deliveries of this receiver"""


def author(request: Request, said: str) -> str:
    """Who stands in the audit log: whoever the token belongs to, and the person who says that they use it."""
    name: str = request.state.actor.name
    person = clean(said, 100)
    if not person or person == name:
        return name
    return person if name == "local" else f"{person} ({name})"


def length(text: str) -> timedelta:
    return durations.parse(text)
