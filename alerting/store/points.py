"""Readings: one row per query, bucket and version, the vector of all its series; old weeks sealed into chunks.

A restated bucket gets a further row; earlier ones stay, each with when it was first seen, so that ``read(as_of=…)``
returns what was known then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, select, tuple_

from alerting.core.blocks import Block, ColumnKey
from alerting.store import sealing
from alerting.store.chunks import WEEK_US, Versions, joined, stacked
from alerting.store.database import Database
from alerting.store.encoding import buckets_of, from_micros, micros, times_of, vector
from alerting.store.keys import KeyNumbers, Places
from alerting.store.statements import number_at
from alerting.store.tables import point_chunks, points
from alerting.store.values import Written
from detectors.contract import Bools, Floats, Instants

RollUp = Callable[[Floats], Floats]
"""Columns ``[T, N]`` become one series ``[T]``, each row by itself."""

_EVER = 2**62
_MOST_PAIRS = 400


def _newest(vector: ColumnElement[bytes]) -> Select[tuple[int, int, bytes]]:
    other = points.alias()
    newest = (
        select(func.max(other.c.seen))
        .where(other.c.digest == points.c.digest, other.c.bucket == points.c.bucket)
        .where(other.c.seen <= bindparam("as_of"))
    )
    return (
        select(points.c.bucket, points.c.seen, vector.label("vector"))
        .where(points.c.digest == bindparam("digest"))
        .where(points.c.bucket >= bindparam("since"), points.c.bucket < bindparam("until"))
        .where(points.c.seen == newest.scalar_subquery())
        .order_by(points.c.bucket)
    )


_NEWEST = _newest(points.c.vector)  # built once: it would cost as much as the write that it precedes
_NEWEST_OF_ONE = _newest(number_at(points.c.vector))


class Points:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = KeyNumbers()

    def write(self, digest: str, block: Block, seen: datetime) -> Written:
        """The block's buckets are known as pulled at ``seen``; readings that did not change write nothing."""
        with self._database.writing() as connection:
            return self.write_in(connection, digest, block, seen)

    def write_in(self, connection: Connection, digest: str, block: Block, seen: datetime) -> Written:
        """``write`` as a part of somebody else's transaction."""
        if not len(block.times):
            return Written(times_of(np.array([], dtype=np.int64)), times_of(np.array([], dtype=np.int64)))
        places = self._numbers.assign(connection, digest, block.keys)
        buckets, vectors = buckets_of(block.times), _spread(block.values, places)
        before = _current(connection, digest, int(buckets[0]), int(buckets[-1]) + 1, None, np.arange(places.width))
        is_new, is_restated, stamps = _compare(buckets, vectors, before, micros(seen))
        rows = [
            {"digest": digest, "bucket": int(buckets[i]), "seen": int(stamps[i]), "vector": vector(vectors[i])}
            for i in np.flatnonzero(is_new | is_restated)
        ]
        if rows:
            connection.execute(insert(points), rows if len(rows) > 1 else rows[0])
        return Written(times_of(buckets[is_new]), times_of(buckets[is_restated]))

    def read(
        self,
        digest: str,
        since: datetime,
        until: datetime,
        *,
        as_of: datetime | None = None,
        keys: Sequence[ColumnKey] | None = None,
    ) -> Block:
        """Readings of the buckets with ``since`` ≤ start < ``until``, as known at ``as_of`` (None: now).

        Only of ``keys`` where given, in their order (an unknown key is a column of NaN): of sealed weeks only their
        parts are unpacked.
        """
        with self._database.reading() as connection:
            wanted = self._numbers.known(connection, digest) if keys is None else tuple(keys)
            columns = self._numbers.columns(connection, digest, wanted)
            limit = None if as_of is None else micros(as_of)
            found = _current(connection, digest, micros(since), micros(until), limit, columns)
        return Block(times_of(found.buckets), wanted, found.values)

    def read_rolled_up(
        self, digest: str, since: datetime, until: datetime, keys: Sequence[ColumnKey], roll_up: RollUp
    ) -> tuple[Instants, Floats]:
        """``roll_up(read(keys=keys))`` as times ``[T]`` and values ``[T]``, a week in memory at a time."""
        begin, end = micros(since), micros(until)
        weeks = range(begin // WEEK_US * WEEK_US, end, WEEK_US) if len(keys) != 1 else ()
        edges = [begin, *(week for week in weeks if week > begin), end]
        pieces: list[Versions] = []
        with self._database.reading() as connection:
            columns = self._numbers.columns(connection, digest, keys)
            for first, last in pairwise(edges):
                piece = _current(connection, digest, first, last, None, columns)
                pieces.append(replace(piece, values=roll_up(piece.values)))
        found = joined(pieces)
        return times_of(found.buckets), found.values

    def newest(self, buckets: Mapping[str, datetime]) -> dict[str, Block]:
        """One bucket of each query, by digest; a query that has nothing there is left out."""
        wanted = [(digest, micros(bucket)) for digest, bucket in buckets.items()]
        found: dict[str, Block] = {}
        with self._database.reading() as connection:
            for first in range(0, len(wanted), _MOST_PAIRS):
                pairs = tuple_(points.c.digest, points.c.bucket).in_(wanted[first : first + _MOST_PAIRS])
                rows = connection.execute(select(points).where(pairs).order_by(points.c.digest, points.c.seen))
                for digest, bucket, _, packed in rows:  # the version that was seen last stays
                    keys = self._numbers.known_for(connection, digest, len(packed) // 8)
                    values = stacked([packed], np.arange(len(keys)))
                    found[digest] = Block(times_of(np.array([bucket])), keys, values)
        return found

    def seen(self, digest: str, bucket: datetime) -> tuple[datetime, ...]:
        """When each version of a bucket was first seen, ascending; empty where it was never pulled."""
        start = micros(bucket)
        loose = select(points.c.seen).where(points.c.digest == digest, points.c.bucket == start)
        with self._database.reading() as connection:
            stamps = {*connection.execute(loose).scalars(), *sealing.seen(connection, digest, start)}
        return tuple(from_micros(stamp) for stamp in sorted(stamps))

    def keys(self, digest: str) -> tuple[ColumnKey, ...]:
        """Every series that the query ever brought, in the order of ``read``."""
        with self._database.reading() as connection:
            return self._numbers.known(connection, digest)

    def first_and_last(self, digest: str) -> tuple[datetime, datetime] | None:
        """Starts of the oldest and the newest bucket; None where nothing was ever pulled."""
        rows, chunks = points.c, point_chunks.c
        loose = select(func.min(rows.bucket), func.max(rows.bucket)).where(rows.digest == digest)
        sealed = select(func.min(chunks.first), func.max(chunks.last)).where(chunks.digest == digest)
        with self._database.reading() as connection:
            edges = [connection.execute(one).one() for one in (loose, sealed)]
        found = [int(edge) for pair in edges for edge in pair if edge is not None]
        return (from_micros(min(found)), from_micros(max(found))) if found else None

    def digests(self) -> frozenset[str]:
        """Every query digest that has points."""
        with self._database.reading() as connection:
            loose = connection.execute(select(points.c.digest).distinct()).scalars()
            sealed = connection.execute(select(point_chunks.c.digest).distinct()).scalars()
            return frozenset(loose) | frozenset(sealed)

    def seal(self, now: datetime) -> int:
        """Packs weeks that ended two weeks ago or earlier; returns how many. What is read afterwards is the same."""
        with self._database.reading() as connection:
            weeks = sealing.ripe(connection, micros(now))
        for digest, week in weeks:
            with self._database.writing() as connection:
                sealing.seal(connection, digest, week)
        return len(weeks)

    def drop(self, digest: str) -> None:
        """Forgets a query: its points, its sealed weeks and its series."""
        with self._database.writing() as connection:
            connection.execute(delete(points).where(points.c.digest == digest))
            connection.execute(delete(point_chunks).where(point_chunks.c.digest == digest))
            self._numbers.drop(connection, digest)


def expire(connection: Connection, digest: str, before: datetime) -> int:
    """Removes older buckets, and sealed weeks that are older as a whole. Returns how many rows went."""
    edge = micros(before)
    loose = delete(points).where(points.c.digest == digest, points.c.bucket < edge)
    sealed = delete(point_chunks).where(point_chunks.c.digest == digest, point_chunks.c.last < edge)
    return connection.execute(loose).rowcount + connection.execute(sealed).rowcount


def _spread(values: Floats, places: Places) -> Floats:
    """The readings in the order of the stored vectors; NaN for series that this pull did not bring."""
    if places.is_identity:
        return values
    spread = np.full((len(values), places.width), np.nan)
    spread[:, places.columns] = values
    return spread


def _compare(
    buckets: NDArray[np.int64], vectors: Floats, before: Versions, seen: int
) -> tuple[Bools, Bools, NDArray[np.int64]]:
    """Which buckets are new, which changed, and the instant under which each is kept.

    The instant of a restatement is after that of the version it replaces, also where the clock was set back: the last
    one written is the current one.
    """
    is_known = np.isin(buckets, before.buckets)
    at = np.searchsorted(before.buckets, buckets[is_known])
    old, new = before.values[at], vectors[is_known]
    is_restated = np.zeros(len(buckets), dtype=np.bool_)
    is_restated[is_known] = ~((old == new) | (np.isnan(old) & np.isnan(new))).all(axis=1)
    stamps = np.full(len(buckets), seen, dtype=np.int64)
    stamps[is_known] = np.maximum(seen, before.seen[at] + 1)
    return ~is_known, is_restated, stamps


def _current(
    connection: Connection, digest: str, since: int, until: int, as_of: int | None, columns: NDArray[np.intp]
) -> Versions:
    """The newest version (up to ``as_of``) of each bucket in the range; ``columns`` are places, −1 = none."""
    limits = {"digest": digest, "since": since, "until": until, "as_of": _EVER if as_of is None else as_of}
    if len(columns) == 1 and columns[0] >= 0:  # a chart: the database cuts the one number out of each vector
        rows = connection.execute(_NEWEST_OF_ONE, {**limits, "offset": 8 * int(columns[0]) + 1}).all()
        # SQLite answers NULL for a part of an empty vector, which a bucket before the first series has.
        values = stacked([row.vector or b"" for row in rows], np.zeros(1, dtype=np.intp))
    else:
        rows = connection.execute(_NEWEST, limits).all()
        values = stacked([row.vector for row in rows], columns)
    buckets, stamps = (np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1))
    loose = Versions(buckets, stamps, values)
    together = joined([*sealing.read(connection, digest, since, until, as_of, columns), loose])
    is_sorted = bool((np.diff(together.buckets) > 0).all())
    return together if is_sorted else together.ordered().current()
