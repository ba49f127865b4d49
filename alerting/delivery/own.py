"""Messages that metricwatch sends about itself, past the outbox: they are of no subscription and no query."""

from __future__ import annotations

import hashlib
from datetime import datetime

from notifiers.contract import IncidentView, Kind, Notification, Severity


def own_notification(
    kind: Kind, about: str, reason: str, *, title: str, severity: Severity, since: datetime, now: datetime, to: str = ""
) -> Notification:
    """One incident in a group of its own, which ``about`` and ``since`` name; the second version ends it."""
    is_over, sequence = kind == "resolve", 2 if kind == "resolve" else 1
    group = f"{since:%Y%m%dT%H%M%S}-{hashlib.sha256(f'{about} {since.isoformat()}'.encode()).hexdigest()[:16]}"
    incident = IncidentView(
        id=group,
        metric=title,
        status="resolved" if is_over else "firing",
        severity=severity,
        kind="state",
        opened=since,
        detected=since,
        latest=now,
        resolved=now if is_over else None,
        detector="health",
        reason=reason,
    )
    return Notification(
        delivery_id=f"{group}:{sequence}",
        group_id=group,
        receiver=to,
        sequence=sequence,
        kind=kind,
        severity=severity,
        subscription="metricwatch",
        created=now,
        incidents=(incident,),
    )
