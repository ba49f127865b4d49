"""The place of each series in the vectors of its query: numbers that are only ever added."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, insert, select

from alerting.core.blocks import ColumnKey
from alerting.store.encoding import dumps, pairs_from, pairs_text
from alerting.store.tables import point_keys

_Name = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Places:
    """``columns[i]`` is the place of the i-th key asked for; vectors have ``width`` places in all."""

    columns: NDArray[np.intp]
    width: int

    @property
    def is_identity(self) -> bool:
        return len(self.columns) == self.width and bool((self.columns == np.arange(self.width)).all())


class KeyNumbers:
    """Reads the keys of a digest once and remembers them: ten thousand keys cost more to read than their points.

    What is remembered is never wrong, only short: numbers are not changed, and a digest that grew is read again.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[ColumnKey, ...]] = {}
        self._numbers: dict[str, dict[_Name, int]] = {}
        self._latest: dict[str, tuple[Sequence[ColumnKey], Places]] = {}
        self._places: dict[str, tuple[Sequence[ColumnKey], dict[ColumnKey, int]]] = {}

    def known(self, connection: Connection, digest: str) -> tuple[ColumnKey, ...]:
        """All keys of a digest in the order of their numbers."""
        remembered = self._known.get(digest, ())
        last = connection.execute(select(func.max(point_keys.c.number)).where(point_keys.c.digest == digest)).scalar()
        if len(remembered) != (0 if last is None else last + 1):
            remembered = self._known[digest] = _load(connection, digest)
        return remembered

    def known_for(self, connection: Connection, digest: str, width: int) -> tuple[ColumnKey, ...]:
        """``known``, where vectors of this width are read; asks the database only where that is not enough."""
        remembered = self._known.get(digest, ())
        return remembered if len(remembered) >= width else self.known(connection, digest)

    def columns(self, connection: Connection, digest: str, keys: Sequence[ColumnKey]) -> NDArray[np.intp]:
        """The place of each key; −1 for one that the query never brought."""
        known = self.known(connection, digest)
        if keys is known:
            return np.arange(len(known))
        places = self._places.get(digest)
        if places is None or places[0] is not known:
            places = self._places[digest] = (known, {key: place for place, key in enumerate(known)})
        return np.array([places[1].get(key, -1) for key in keys], dtype=np.intp)

    def assign(self, connection: Connection, digest: str, keys: Sequence[ColumnKey]) -> Places:
        """The places of these keys; new ones get the next numbers, in the transaction of ``connection``."""
        latest = self._latest.get(digest)
        if latest is not None and latest[0] is keys:
            return latest[1]
        names = [(key.value, key.dimensions) for key in keys]
        numbers = self._numbers.get(digest, {})
        found = [numbers.get(name, -1) for name in names]
        if -1 in found:
            return self._assign_new(connection, digest, names)
        places = Places(np.array(found, dtype=np.intp), len(numbers))
        self._latest[digest] = (keys, places)
        return places

    def drop(self, connection: Connection, digest: str) -> None:
        self.forget(digest)
        connection.execute(delete(point_keys).where(point_keys.c.digest == digest))

    def forget(self, digest: str) -> None:
        self._known.pop(digest, None)
        self._numbers.pop(digest, None)
        self._latest.pop(digest, None)
        self._places.pop(digest, None)

    def _assign_new(self, connection: Connection, digest: str, names: list[_Name]) -> Places:
        known = self.known(connection, digest)
        numbers = self._numbers[digest] = {(key.value, key.dimensions): place for place, key in enumerate(known)}
        missing = [name for name in dict.fromkeys(names) if name not in numbers]
        if missing:
            numbers = self._append(connection, digest, numbers, missing)
        return Places(np.array([numbers[name] for name in names], dtype=np.intp), len(numbers))

    def _append(
        self, connection: Connection, digest: str, numbers: dict[_Name, int], missing: list[_Name]
    ) -> dict[_Name, int]:
        # Not remembered until read back after the commit: the transaction may still be undone.
        self.forget(digest)
        added = {name: len(numbers) + place for place, name in enumerate(missing)}
        rows = [
            {"digest": digest, "number": number, "value": dumps(value), "dimensions": pairs_text(dict(dimensions))}
            for (value, dimensions), number in added.items()
        ]
        connection.execute(insert(point_keys), rows)
        return numbers | added


def _load(connection: Connection, digest: str) -> tuple[ColumnKey, ...]:
    rows = connection.execute(
        select(point_keys.c.value, point_keys.c.dimensions)
        .where(point_keys.c.digest == digest)
        .order_by(point_keys.c.number)
    )
    return tuple(ColumnKey(json.loads(value), tuple(pairs_from(dimensions).items())) for value, dimensions in rows)
