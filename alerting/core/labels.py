"""What a person's word does to a series: its incident ends, and detectors learn from it or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from alerting.core.actions import Label
from alerting.core.decisions import Change
from alerting.core.incidents import Incident, SeriesState
from alerting.core.lifecycle import retire
from detectors.buckets import as_instant
from detectors.contract import Panel

NAMES: Mapping[str, str] = {"expected": "expected", "not_an_anomaly": "not an anomaly", "new_normal": "new normal"}
SETTLES = timedelta(days=2)
"""How long a series opens nothing after ``new_normal``: detectors need some days to learn it."""


def ended(
    incidents: Iterable[Incident],
    states: Mapping[str, Mapping[str, SeriesState]],
    kind: Label | Literal["resolve"],
    cause: str,
    now: datetime,
) -> Change:
    """The open ones of these incidents end now, for this cause; after ``new_normal`` their series open nothing for a
    while, also where they had ended before."""
    change = Change()
    for incident in incidents:
        state = states.get(incident.subject, {}).get(incident.fingerprint)
        if state is None:
            continue
        is_meant = state.incident is not None and state.incident.id == incident.id
        after, transitions = retire(state, now, cause) if is_meant else (state, [])
        if kind == "new_normal" and after.is_quiet:
            # Readings up to ``last`` are passed over.
            after = replace(after, last=max(after.last, now + SETTLES))
        if after is not state:
            change += Change((after,), tuple(transitions))
    return change


def cause(text: str, comment: str) -> str:
    """``labelled expected by ann: marathon``."""
    return f"{text}: {comment.strip()}" if comment.strip() else text


def without(panel: Panel, expected: Sequence[Incident]) -> Panel:
    """The panel in which the buckets of these incidents never train, first to last."""
    masked = np.zeros(panel.values.shape, dtype=bool) if panel.masked is None else panel.masked.copy()
    places = {frozenset(labels.items()): s for s, labels in enumerate(panel.labels)}
    for incident in expected:
        s = places.get(frozenset(incident.labels.items()))
        if s is not None:
            span = (panel.times >= as_instant(incident.opened)) & (panel.times <= as_instant(incident.last.bucket))
            masked[span, s] = True
    return replace(panel, masked=masked) if masked.any() else panel
