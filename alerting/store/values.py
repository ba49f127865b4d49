"""What goes into the store and comes out of it, where ``alerting.core`` has no word for it yet.

Shapes: J judged buckets, S series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.core.actions import Action
from alerting.core.groups import Delivery, Group
from alerting.core.health import QueryState
from alerting.core.incidents import SeriesState, Transition
from alerting.core.silences import Silence
from detectors.contract import Floats, Instants, Texts, Verdicts


@dataclass(frozen=True)
class Written:
    """What a pull changed: buckets never seen before, and buckets whose readings differ from the last ones."""

    new: Instants
    restated: Instants


@dataclass(frozen=True)
class Watch:
    """One (subscription, detect entry, metric): when first seen, how far judged, and what its detector remembers.

    ``labels`` are all series ever judged, in the order of the stored vectors; ``state`` is empty in ``watches()``.
    """

    added: datetime
    judged_until: datetime | None
    state: bytes
    labels: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Judged:
    """What one detect entry said of one metric. ``labels[S]`` name the columns of ``verdicts``.

    ``expected_previous`` is the ``judged_until`` that the writer read before it judged (None: no row, or never judged);
    another value in the database now means that somebody else judged meanwhile. ``added`` is kept from the first
    recording on. ``remembers``: it judged with what the watch remembered; where that was forgotten since (a person
    labelled an incident), the judgement is void.
    """

    subscription: str
    entry: str
    metric: str
    labels: tuple[Mapping[str, str], ...]
    verdicts: Verdicts
    judged_until: datetime
    expected_previous: datetime | None
    added: datetime
    remembers: bool = False


@dataclass(frozen=True)
class Recording:
    """Everything that one evaluation decided; ``Store.record`` writes all of it or nothing."""

    now: datetime
    judged: tuple[Judged, ...] = ()
    states: tuple[SeriesState, ...] = ()
    transitions: tuple[Transition, ...] = ()
    groups: tuple[Group, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    query_state: QueryState | None = None
    silences: tuple[Silence, ...] = ()
    """Those that are new or changed."""
    actions: tuple[Action, ...] = ()
    forgotten: tuple[tuple[str, str], ...] = ()
    """(subscription, metric): what their detectors remember is learned anew from the readings."""


@dataclass(frozen=True)
class StoredVerdicts:
    """Verdicts as they were when judged. ``times[J]``, ``labels[S]``, all else ``[J, S]``; NaN and ``unknown`` where a
    series was not judged."""

    times: Instants
    labels: tuple[Mapping[str, str], ...]
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    status: Texts


@dataclass(frozen=True)
class SilentGroup:
    """A group of which a reminder may be due. ``flushed``: before when its last delivery was not sent."""

    id: str
    subject: str
    sequence: int
    flushed: datetime


@dataclass(frozen=True)
class Expired:
    """How many rows retention removed."""

    points: int = 0
    verdicts: int = 0
    incidents: int = 0
    transitions: int = 0
    groups: int = 0
    deliveries: int = 0


@dataclass(frozen=True)
class ConfigFile:
    """The last text of a file that loaded, and why the newest one does not (empty: it does)."""

    path: str
    text: str
    digest: str
    loaded_at: datetime
    error: str = ""
