"""What people do to incidents, as the audit log keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Label = Literal["expected", "not_an_anomaly", "new_normal"]
LABELS: tuple[Label, ...] = ("expected", "not_an_anomaly", "new_normal")
ActionKind = Literal[
    "acknowledge", "silence", "expire", "extend", "expected", "not_an_anomaly", "new_normal", "resolve"
]
ONCE: tuple[ActionKind, ...] = ("acknowledge", *LABELS, "resolve")
"""Done to an incident they change nothing when they are done again, by whomever."""


@dataclass(frozen=True)
class Action:
    """One row of the audit log. ``via``: ``cli``, ``slack``, ``dashboard`` or ``api``; ``target`` as it was named."""

    at: datetime
    by: str
    via: str
    kind: ActionKind
    target: str
    comment: str
    incidents: tuple[str, ...]
    """Ids of the incidents that it changed."""
