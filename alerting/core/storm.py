"""The storm valve: too many new groups at once, for a receiver that wakes people, become one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from alerting.core.groups import HIDDEN_KEYS, Group

MOST_GROUPS = 30
WITHIN = timedelta(minutes=5)
_STORM = "storm"
_Item = TypeVar("_Item")
Place = tuple[str, str]
"""Receiver and key of a group."""


def valve(
    joining: Mapping[Place, Sequence[_Item]],
    standing: Iterable[Group],
    paging: Collection[str],
    now: datetime,
) -> dict[Place, list[_Item]]:
    """What joins the group of each place, where no receiver of ``paging`` gets more than 30 new ones in 5 minutes.

    ``standing`` are the open groups. What is above the limit joins one storm of the receiver; while that lasts,
    everything new does. Recorded-only groups neither count nor join.
    """
    known = {(group.receiver, group.key): group for group in standing}
    new = [place for place in joining if place not in known and place[0] in paging and not is_hidden(place[1])]
    wanted = Counter(receiver for receiver, _ in new)
    for group in known.values():
        if group.receiver in wanted and not group.is_muted and now - group.opened < WITHIN:
            wanted[group.receiver] += 1
    stormy = {name for name in wanted if wanted[name] > MOST_GROUPS or (name, storm_key(name)) in known}
    found: dict[Place, list[_Item]] = {}
    gathered = {place for place in new if place[0] in stormy}
    for place, items in joining.items():
        to = (place[0], storm_key(place[0])) if place in gathered else place
        found.setdefault(to, []).extend(items)
    return found


def storm_key(receiver: str) -> str:
    """The key of the one group that a storm becomes."""
    return json.dumps([_STORM, storm_subject(receiver)])


def storm_subject(receiver: str) -> str:
    """Whose audience words the messages of a storm."""
    return f"storm:{receiver}"


def subject_of(receiver: str, key: str, usual: str) -> str:
    """The subject of a group with this key: ``usual``, but for a storm."""
    return storm_subject(receiver) if key == storm_key(receiver) else usual


def is_hidden(key: str) -> bool:
    """True for the keys of groups that are recorded only."""
    return key.startswith(HIDDEN_KEYS)
