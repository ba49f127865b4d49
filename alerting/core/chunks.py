"""Which series a detector judges together, and what it keeps of them: a chunk keeps its series for life.

What a detector keeps belongs to the series that it judged, so a series that moved to another chunk would be forgotten.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Labels = Mapping[str, str]
Series = tuple[tuple[str, str], ...]
_FORMAT = b"chunks 1\n"
_LENGTHS = struct.Struct(">QQ")


@dataclass(frozen=True)
class Chunk:
    """``state`` is what a detector keeps of ``series``, in any form; empty: nothing."""

    series: tuple[Series, ...]
    state: bytes = b""


@dataclass(frozen=True)
class Share:
    """``places`` of series that are judged together, ascending, and the state that they share."""

    places: tuple[int, ...]
    state: bytes = b""


def named(labels: Labels) -> Series:
    return tuple(sorted(labels.items()))


def packed(chunks: Sequence[Chunk]) -> bytes:
    """All chunks one after another, each behind its lengths; empty where there is nothing to keep."""
    if not any(chunk.state for chunk in chunks):
        return b""
    parts = [_FORMAT]
    for chunk in chunks:
        names = json.dumps(chunk.series, separators=(",", ":")).encode()
        parts += [_LENGTHS.pack(len(names), len(chunk.state)), names, chunk.state]
    return b"".join(parts)


def unpacked(state: bytes | None) -> tuple[Chunk, ...]:
    """The chunks of ``packed``; none where the bytes are damaged or from another version."""
    if not state or not state.startswith(_FORMAT):
        return ()
    found, begin = [], len(_FORMAT)
    try:
        while begin < len(state):
            names, kept = _LENGTHS.unpack_from(state, begin)
            begin += _LENGTHS.size
            middle, end = begin + names, begin + names + kept
            if end > len(state):
                return ()
            series = tuple(tuple((name, value) for name, value in one) for one in json.loads(state[begin:middle]))
            found.append(Chunk(series, state[middle:end]))
            begin = end
    except (struct.error, ValueError, TypeError):
        return ()
    return tuple(found)


def shared_out(labels: Sequence[Labels], stored: Sequence[Chunk], most: int) -> list[Share]:
    """Known series stay where they are; new ones join the last chunk that has room for them, or begin another one."""
    homes = {series: place for place, chunk in enumerate(stored) for series in chunk.series}
    members: list[list[int]] = [[] for _ in stored]
    newcomers: list[int] = []
    for place, one in enumerate(labels):
        home = homes.get(named(one))
        (newcomers if home is None else members[home]).append(place)
    for place in newcomers:
        room = next((chunk for chunk in reversed(members) if len(chunk) < most), None)
        if room is None:
            members.append(room := [])
        room.append(place)
    states = [*(chunk.state for chunk in stored), *(b"" for _ in members[len(stored) :])]
    return [Share(tuple(sorted(chunk)), kept) for chunk, kept in zip(members, states, strict=True) if chunk]
