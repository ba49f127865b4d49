"""Whether a chart is worth drawing and uploading again: pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from notifiers.contract import IncidentView, Notification

REDRAWN_AFTER = timedelta(hours=6)
WORSE_BY = 0.25
"""Of the band; of the bound itself where there is only one."""


def is_worth_drawing(shown: Notification | None, told: Notification) -> bool:
    """True where the chart of ``shown`` (None: none is shown) says something else than that of ``told`` would.

    That is when six hours went by, when another set of series is unusual, when one of them changed its status or its
    severity, or when its worst value is worse by a quarter of its band. Who works on it changes no chart.
    """
    if shown is None or told.created - shown.created >= REDRAWN_AFTER:
        return True
    before, after = _drawn(shown), _drawn(told)
    if {name: (one.status, one.severity) for name, one in before.items()} != {
        name: (one.status, one.severity) for name, one in after.items()
    }:
        return True
    return any(_is_worse(before[name], one) for name, one in after.items())


def _drawn(notification: Notification) -> Mapping[str, IncidentView]:
    return {incident.id: incident for incident in notification.incidents if incident.kind == "metric"}


def _is_worse(before: IncidentView, after: IncidentView) -> bool:
    if before.lower is None or before.upper is None:
        return (after.worst_score or 0.0) - (before.worst_score or 0.0) >= WORSE_BY
    if before.worst_observed is None or after.worst_observed is None:
        return before.worst_observed != after.worst_observed
    moved = abs(after.worst_observed - before.worst_observed)
    return moved > 0 and moved >= WORSE_BY * (before.upper - before.lower)
