"""Moving old buckets into chunks, and reading them there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from alerting.store.chunks import PART, WEEK_US, Versions, joined, pack, stacked, unpack
from alerting.store.tables import point_chunks, point_keys, points

_RIPE_AFTER_US = 2 * WEEK_US  # restatements mostly come sooner; a later one is a row over the chunk until sealed again


def ripe(connection: Connection, now: int) -> list[tuple[str, int]]:
    """Every (digest, week) that has loose rows and ended long ago."""
    edge = (now - _RIPE_AFTER_US) // WEEK_US * WEEK_US
    rows = connection.execute(select(points.c.digest, points.c.bucket).where(points.c.bucket < edge).distinct())
    return sorted({(digest, bucket // WEEK_US) for digest, bucket in rows})


def seal(connection: Connection, digest: str, week: int) -> None:
    """The week's loose rows are in its chunk afterwards, with all versions that were there before."""
    width = _width(connection, digest)
    since, until = week * WEEK_US, (week + 1) * WEEK_US
    here = (points.c.digest == digest, points.c.bucket >= since, points.c.bucket < until)
    rows = connection.execute(select(points.c.bucket, points.c.seen, points.c.vector).where(*here)).all()
    loose = Versions(
        np.array([row.bucket for row in rows], dtype=np.int64),
        np.array([row.seen for row in rows], dtype=np.int64),
        stacked([row.vector for row in rows], np.arange(width)),
    )
    earlier = _unpacked(_parts(connection, digest, since, until, None), np.arange(width))
    whole = joined([*earlier, loose]).ordered()
    connection.execute(delete(point_chunks).where(point_chunks.c.digest == digest, point_chunks.c.week == week))
    starts = range(0, max(width, 1), PART)  # a query that never brought a series still says which buckets were pulled
    connection.execute(insert(point_chunks), [_part(digest, week, whole, start) for start in starts])
    connection.execute(delete(points).where(*here))


def read(
    connection: Connection, digest: str, since: int, until: int, as_of: int | None, columns: NDArray[np.intp]
) -> Iterator[Versions]:
    """Week by week, the newest sealed version (up to ``as_of``) of each bucket in the range."""
    parts = None if len(columns) > PART else sorted({int(column) // PART for column in columns if column >= 0} | {0})
    for versions in _unpacked(_parts(connection, digest, since, until, parts), columns):
        is_wanted = (versions.buckets >= since) & (versions.buckets < until)
        if as_of is not None:
            is_wanted &= versions.seen <= as_of
        if is_wanted.any():
            found = Versions(versions.buckets[is_wanted], versions.seen[is_wanted], versions.values[is_wanted])
            yield found.current()


def seen(connection: Connection, digest: str, bucket: int) -> list[int]:
    """When each sealed version of a bucket was first seen."""
    whole = _unpacked(_parts(connection, digest, bucket, bucket + 1, [0]), np.arange(0))
    return [int(stamp) for versions in whole for stamp in versions.seen[versions.buckets == bucket]]


class _Part(NamedTuple):
    week: int
    part: int
    versions: int
    width: int
    packed: bytes


_PARTS = (
    select(*(point_chunks.c[name] for name in _Part._fields))
    .where(point_chunks.c.digest == bindparam("digest"))
    .where(point_chunks.c.week >= bindparam("first_week"), point_chunks.c.week <= bindparam("last_week"))
    .order_by(point_chunks.c.week, point_chunks.c.part)
)


def _parts(connection: Connection, digest: str, since: int, until: int, parts: Sequence[int] | None) -> Iterator[_Part]:
    weeks = {"digest": digest, "first_week": since // WEEK_US, "last_week": (until - 1) // WEEK_US}
    statement = _PARTS if parts is None else _PARTS.where(point_chunks.c.part.in_(parts))
    for row in connection.execute(statement, weeks):
        yield _Part(*row)


def _unpacked(rows: Iterator[_Part], columns: NDArray[np.intp]) -> Iterator[Versions]:
    """One Versions per week, at the places wanted; NaN where a series came later than the chunk."""
    for _, parts in groupby(rows, key=lambda row: row.week):
        whole: Versions | None = None
        for row in parts:
            start = row.part * PART
            is_here = (columns >= start) & (columns < start + row.width)
            places = columns[is_here] - start
            is_all = len(places) == row.width and bool((places == np.arange(row.width)).all())
            part = unpack(row.packed, row.versions, row.width, None if is_all else places)
            if whole is None:
                whole = Versions(part.buckets, part.seen, np.full((row.versions, len(columns)), np.nan))
            whole.values[:, is_here] = part.values
        if whole is not None:
            yield whole


def _part(digest: str, week: int, whole: Versions, start: int) -> dict[str, object]:
    values = whole.values[:, start : start + PART]
    return {
        "digest": digest,
        "week": week,
        "part": start // PART,
        "first": int(whole.buckets.min()),
        "last": int(whole.buckets.max()),
        "versions": len(whole.buckets),
        "width": values.shape[1],
        "packed": pack(Versions(whole.buckets, whole.seen, values)),
    }


def _width(connection: Connection, digest: str) -> int:
    last = connection.execute(select(func.max(point_keys.c.number)).where(point_keys.c.digest == digest)).scalar()
    return 0 if last is None else int(last) + 1
